import { authorize } from '../auth/decision-rights.js'
import type { Term } from '../conditions/condition.js'
import { resolveProposals } from '../conditions/service.js'
import type { WriteTx } from '../db/transaction.js'
import { findDelegation } from '../delegations/service.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { addDays } from '../instant.js'
import { holdsSeat } from '../people/service.js'
import type { Policies } from '../policy/load.js'
import { saveUseCase } from '../use-cases/service.js'
import { countedVotes, openStages, type RoundTally, tallyRound } from './arithmetic.js'
import { close } from './closing.js'
import { type Decision, presentDecision } from './decision.js'
import { firstDue } from './opening.js'
import { showRound } from './reading.js'
import { assertChangeable, assertOpen, assertVotable, type Ballot, planOf, type Review } from './review.js'
import { takeSeat, vacateSeat } from './seat-store.js'
import { lockRound } from './service.js'
import * as store from './store.js'
import { isExcluded, judgedRow, type Round } from './view.js'
import { gapsOf } from './weighing.js'

export interface Cast {
  review: Review
  decision: Decision | null
}

/**
 * Casts the vote of a seat, or changes it, and closes stages and the round when the votes decide them. Two last
 * votes at once wait for each other on the use case's lock, so exactly one of them closes.
 */
export async function vote(tx: WriteTx, policies: Policies, reviewId: string, ballot: Ballot): Promise<Cast> {
  const round = await lockRound(tx, reviewId)
  const { useCase, review } = round
  const right = authorize(tx.ability, 'vote', 'Review', judgedRow(round))
  assertOpen(review)
  assertVotable(review, openStages(planOf(review.lane), passedIn(round)), ballot)
  await assertHere(tx, [tx.principal.personId, ballot.onBehalfOf ?? tx.principal.personId])
  await assertEntitled(tx, round, ballot, right)
  const terms = await resolveProposals(tx, policies, useCase, ballot.conditions)
  const cast = await castVote(tx, round, ballot, terms, right)
  const { seat, ordinal, choice, rationale, onBehalfOf } = cast
  tx.record(useCase, {
    ...{ type: 'vote.cast', right, reviewId, seat, ordinal, choice },
    onBehalfOf: onBehalfOf ?? undefined,
    sealed: { rationale, conditions: terms },
  })
  return await count(tx, policies, { ...round, votes: [...round.votes, cast] })
}

/** What the votes come to now: nothing yet, another stage, or the end of the round. */
async function count(tx: WriteTx, policies: Policies, round: Round): Promise<Cast> {
  const { useCase, review } = round
  const counted = await countedNow(tx, round)
  const tally = tallyRound(planOf(review.lane), counted)
  const stages = await advance(tx, round, tally)
  if (tally.result === null) {
    saveUseCase(tx, useCase, {})
    return {
      review: await showRound(
        tx,
        { ...round, review: { ...review, dueAt: firstDue(stages) ?? review.dueAt }, stages },
        await gapsOf(tx, policies, round),
      ),
      decision: null,
    }
  }
  const closed = await close(tx, policies, { useCase, review, votes: counted, ...tally.result })
  const ended = stages.map((stage) =>
    stage.openedAt !== null && stage.closedAt === null
      ? { ...stage, closedAt: tx.now, passed: false }
      : stage,
  )
  const shown = await showRound(tx, { ...round, review: closed.review, stages: ended })
  return { review: shown, decision: presentDecision(closed.decision, null) }
}

/** closes the stages that passed, and opens the next. */
async function advance(
  tx: WriteTx,
  { useCase, review, stages }: Round,
  { passed, open, result }: RoundTally,
): Promise<store.StageRow[]> {
  const reviewId = review.id
  const after: store.StageRow[] = []
  for (const row of stages) {
    const { stage, closedAt, openedAt } = row
    if (closedAt === null && passed.includes(stage)) {
      await store.passStage(tx, reviewId, stage)
      // With the last of them the round closes, and the decision says so.
      if (result === null) {
        tx.record(useCase, { type: 'stage.closed', reviewId, stage, passed: true, sealed: {} })
      }
      after.push({ ...row, closedAt: tx.now, passed: true })
    } else if (openedAt === null && open.includes(stage)) {
      const dueAt = addDays(tx.now, dueInDays(review, stage))
      await store.openStage(tx, reviewId, stage, dueAt)
      tx.record(useCase, { type: 'stage.opened', reviewId, stage, dueAt, sealed: {} })
      after.push({ ...row, openedAt: tx.now, dueAt })
    } else after.push(row)
  }
  const due = firstDue(after)
  if (due !== undefined && due !== review.dueAt) await store.setDue(tx, reviewId, due)
  return after
}

function dueInDays({ lane }: store.ReviewRow, id: string): number {
  const stage = lane.stages.find((candidate) => candidate.id === id)
  if (!stage) throw new Error(`a round has a stage ${id} that its lane does not know`)
  return stage.dueInDays
}

const passedIn = ({ stages }: Round): string[] =>
  stages.filter(({ passed }) => passed === true).map(({ stage }) => stage)

/** nobody leaves between their vote and its commit; who has left since they asked does not vote. */
async function assertHere(tx: WriteTx, ids: string[]): Promise<void> {
  const here = await store.holdActiveAmong(tx, ids)
  if (ids.every((id) => here.includes(id))) return
  throw new RegistryError(
    'conflict',
    'you, or whoever you vote for, have left meanwhile; another holder of the seat votes',
  )
}

/**
 * rights let whoever holds a seat vote; through which one, and for whom, only the ballot says. A
 * delegate votes for a holder who could vote themselves, while the delegation lasts.
 */
async function assertEntitled(
  tx: WriteTx,
  { useCase, review, parties }: Round,
  { seat, onBehalfOf }: Ballot,
  right: string,
): Promise<void> {
  const { personId } = tx.principal
  const refuse = (why: string) =>
    new RegistryError('forbidden', why, {
      rule: right,
      denied: { action: 'vote', kind: 'Review', id: review.id },
    })
  const holder = onBehalfOf ?? personId
  if (onBehalfOf !== undefined) {
    if (!(await findDelegation(tx, { fromId: onBehalfOf, toId: personId }))) {
      throw refuse(
        'no delegation from this person to you is in force; ask them for one, or vote for yourself',
      )
    }
    if (parties.some((party) => party.personId === onBehalfOf && isExcluded(party))) {
      throw refuse('whoever you vote for may not vote on this use case, so neither may you in their place')
    }
  }
  if (await holdsSeat(tx, holder, seat, useCase.orgUnitId)) return
  const who = onBehalfOf === undefined ? 'you do' : 'whoever you vote for does'
  throw refuse(`${who} not hold the ${seat} seat for this unit; an administrator grants seats`)
}

async function castVote(
  tx: WriteTx,
  round: Round,
  ballot: Ballot,
  terms: Term[],
  right: string,
): Promise<store.VoteRow> {
  const { review, votes } = round
  const { seat, choice, rationale, onBehalfOf } = ballot
  const ordinal = votes.filter((vote) => vote.seat === seat).length + 1
  assertChangeable(choice, votes.filter(({ personId }) => personId === tx.principal.personId).length)
  await vacateIfLeft(tx, round, seat)
  const { personId } = tx.principal
  const isMyDelegate = async (toId: string) =>
    (await findDelegation(tx, { fromId: personId, toId })) !== undefined
  await takeSeat(tx, { reviewId: review.id, seat, onBehalfOf, isMyDelegate })
  const cast = await store.insertVote(tx, {
    ...{ id: newId(), reviewId: review.id, personId, seat, choice, rationale },
    ...{ ordinal, conditions: terms },
    ...{ onBehalfOf: onBehalfOf ?? null, decisionRight: right, castAt: tx.now },
  })
  if (choice === 'recuse') await vacateSeat(tx, review.id, seat)
  return cast
}

/** A seat whose voter has lost it is open to another holder. */
async function vacateIfLeft(tx: WriteTx, { useCase, review, votes }: Round, seat: string): Promise<void> {
  const earlier = countedVotes(votes).filter((vote) => vote.seat === seat)
  const held = await ofHolders(tx, useCase.orgUnitId, earlier)
  if (earlier.length > held.length) await vacateSeat(tx, review.id, seat)
}

/** The votes that count: of stages that passed as they closed, of others those of people who still hold the seat. */
async function countedNow(tx: WriteTx, round: Round): Promise<store.VoteRow[]> {
  const { useCase, review, votes } = round
  const closed = review.lane.stages.filter(({ id }) => passedIn(round).includes(id))
  const isClosed = ({ seat }: store.VoteRow) =>
    closed.some(({ seats }) => seats.some((place) => place.seat === seat))
  const counted = countedVotes(votes)
  const held = await ofHolders(
    tx,
    useCase.orgUnitId,
    counted.filter((vote) => !isClosed(vote)),
  )
  return [...counted.filter(isClosed), ...held]
}

/** votes for those who still hold their seat, by those who are still here. */
async function ofHolders(tx: WriteTx, unitId: string, votes: store.VoteRow[]): Promise<store.VoteRow[]> {
  const active = await store.holdActiveAmong(
    tx,
    votes.flatMap(({ personId, onBehalfOf }) => [personId, onBehalfOf ?? personId]),
  )
  const held = await Promise.all(
    votes.map(({ personId, onBehalfOf, seat }) => holdsSeat(tx, onBehalfOf ?? personId, seat, unitId)),
  )
  return votes.filter(({ personId }, index) => held[index] && active.includes(personId))
}
