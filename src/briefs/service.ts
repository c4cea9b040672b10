import { listInForce } from '../conditions/service.js'
import type { ReadTx } from '../db/transaction.js'
import { listEvidenceOf } from '../evidence/reading.js'
import { listExceptionsOf } from '../exceptions/reading.js'
import type { Instant } from '../instant.js'
import { classOf } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { findDecisionBefore, getRound, showRound } from '../reviews/reading.js'
import { planOf } from '../reviews/review.js'
import { countedOf, isExcluded, type Round } from '../reviews/view.js'
import { gapsOf } from '../reviews/weighing.js'
import { differences } from '../use-cases/material.js'
import { getVersion } from '../use-cases/reading.js'
import { Brief, type Named } from './brief.js'
import { outlookOf } from './outlook.js'
import * as store from './store.js'

/**
 * All that a decision needs, on one page. It names the people of the round, whoever reads it: who votes on what is
 * no secret among those who may read the review.
 */
export async function getBrief(tx: ReadTx, policies: Policies, reviewId: string): Promise<Brief> {
  const round = await getRound(tx, reviewId)
  const { review, useCase } = round
  const [shown, submitted, evidence, conditions, exceptions, since, holders, orgUnit] = await Promise.all([
    showRound(tx, round, await gapsOf(tx, policies, round)),
    getVersion(tx, useCase.id, review.version),
    listEvidenceOf(tx, [useCase.id]),
    listInForce(tx, useCase.id),
    listExceptionsOf(tx, useCase.id, 'in_force'),
    differenceSince(tx, policies, useCase.id, { version: review.version, at: review.openedAt }),
    store.listHolders(tx, useCase.orgUnitId),
    store.nameOfUnit(tx, useCase.orgUnitId),
  ])
  const named = await nameable(tx, round)
  const offered = new Set(shown.evidence.map(({ id }) => id))
  return Brief.parse({
    review: pick(shown, Object.keys(Brief.shape.review.shape)),
    useCase: {
      ...pick(submitted.facts, Object.keys(Brief.shape.useCase.shape)),
      ...{ id: useCase.id, key: shown.useCase.key, orgUnit },
    },
    owners: {
      business: useCase.businessOwnerId && named(useCase.businessOwnerId),
      risk: useCase.riskOwnerId && named(useCase.riskOwnerId),
      submittedBy: named(review.submittedBy),
    },
    tier: { decidedAs: review.tier, fired: useCase.fired },
    lane: { id: review.lane.id, title: review.lane.title, stages: review.lane.stages },
    since,
    evidence: evidence
      .filter(({ id }) => offered.has(id))
      .map((piece) => pick(piece, ['id', 'kind', 'title', 'freshUntil', 'verdict'])),
    ...{ conditions, exceptions },
    votes: votesOf(round, named),
    canDecide: canDecide(round, shown.stages, holders),
    outlook: review.closedAt === null ? outlookOf(planOf(review.lane), countedOf(round)) : [],
  })
}

async function nameable(tx: ReadTx, { review, useCase, votes }: Round): Promise<(id: string) => Named> {
  const ids = [review.submittedBy, useCase.businessOwnerId, useCase.riskOwnerId]
  const voters = votes.flatMap(({ personId, onBehalfOf }) => [personId, onBehalfOf])
  const names = await store.namesOf(
    tx,
    [...ids, ...voters].filter((id) => id !== null),
  )
  return (id) => ({ id, name: names.get(id) ?? '' })
}

/**
 * what changed since the last decision, and how much that weighs.
 * @param at a decision of that very instant is the last one
 */
export async function differenceSince(
  tx: ReadTx,
  policies: Policies,
  useCaseId: string,
  { version: current, at }: { version: number; at: Instant },
): Promise<Brief['since']> {
  const last = await findDecisionBefore(tx, useCaseId, at)
  if (!last) return null
  const [then, now] = await Promise.all([
    getVersion(tx, useCaseId, last.version),
    getVersion(tx, useCaseId, current),
  ])
  const changes = differences(then.facts, now.facts)
  const changeClass = classOf(
    policies.lanes,
    changes.map(({ fact }) => fact),
  )
  const { id, outcome, decidedAt, reason, version } = last
  return { version, decision: { id, outcome, decidedAt, reason }, changeClass, changes }
}

function votesOf(round: Round, named: (id: string) => Named): Brief['votes'] {
  const { votes } = round
  const counted = new Set(countedOf(round).map(({ id }) => id))
  return Brief.shape.votes.parse(
    votes.map(({ id, seat, personId, onBehalfOf, choice, rationale, conditions, castAt }) => ({
      ...{ seat, choice, rationale, conditions, castAt, counts: counted.has(id) },
      ...{ person: named(personId), onBehalfOf: onBehalfOf && named(onBehalfOf) },
    })),
  )
}

/** "Who could decide this, and why not I": every holder of a seat that is open, and what keeps each from voting. */
function canDecide(
  round: Round,
  stages: Brief['review']['stages'],
  holders: store.HolderRow[],
): Brief['canDecide'] {
  const { parties, votes } = round
  const open = stages.flatMap(({ id: stage, openSeats }) => openSeats.map((seat) => ({ stage, seat })))
  const because = new Map(parties.filter(isExcluded).map((party) => [party.personId, party.because]))
  const recused = new Set(votes.filter(({ choice }) => choice === 'recuse').map(({ personId }) => personId))
  const voting = new Map(countedOf(round).map(({ personId, seat }) => [personId, seat]))
  const against = (id: string): string | null => {
    if (because.has(id)) return because.get(id) ?? null
    if (recused.has(id)) return 'recused from this round'
    return voting.has(id) ? `votes for the ${voting.get(id)} seat` : null
  }
  return open.map(({ stage, seat }) => ({
    ...{ stage, seat },
    people: holders
      .filter((holder) => holder.seat === seat)
      .map(({ personId: id, name, forId, forName }) => ({
        ...{ id, name, onBehalfOf: forId === null ? null : { id: forId, name: forName ?? '' } },
        cannot: against(id) ?? (forId === null ? null : against(forId)),
      })),
  }))
}

function pick(row: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)))
}
