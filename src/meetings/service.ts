import type { Ability } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Named } from '../briefs/brief.js'
import type { ReadTx } from '../db/transaction.js'
import { day as dayOf, type Instant } from '../instant.js'
import { endOf, spanOf } from '../period.js'
import { type ChangeClass, classOf } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { countedVotes } from '../reviews/arithmetic.js'
import { listOpenReviews } from '../reviews/reading.js'
import type { Review, Vote } from '../reviews/review.js'
import { changedFacts } from '../use-cases/material.js'
import { Facts } from '../use-cases/use-case.js'
import type { Agenda, AgendaItem } from './agenda.js'
import { isDissent, type Minutes, type MinutesDecision } from './minutes.js'
import * as store from './store.js'

/** So many reviews are on one agenda. */
const LIMIT = 200

/** The open reviews that the caller may read, for a meeting on that day: what is overdue, what is due by then, the rest. */
export async function getAgenda(
  tx: ReadTx,
  policies: Policies,
  { day = dayOf(tx.now), orgUnit }: { day?: string | undefined; orgUnit?: string | undefined },
): Promise<Agenda> {
  const unitIds = orgUnit === undefined ? undefined : await store.listUnitsIn(tx, orgUnit)
  const { items, last } = await listOpenReviews(tx, { limit: LIMIT, after: undefined }, unitIds)
  const units = await store.unitNamesOf(
    tx,
    items.map(({ useCaseId }) => useCaseId),
  )
  const named = await nameAll(
    tx,
    items.flatMap(({ votes }) => votes.flatMap(votersOf)),
  )
  const classes = await classesOf(tx, policies, items)
  const urgencyOf = ({ dueAt }: Review): AgendaItem['urgency'] => urgency(dueAt, { now: tx.now, day })
  return {
    ...{ day, at: tx.now },
    items: items.map((review) => ({
      ...present(review, named),
      useCase: { id: review.useCaseId, ...review.useCase, orgUnit: units.get(review.useCaseId) ?? '' },
      urgency: urgencyOf(review),
      changeClass: classes.get(review.id) ?? null,
    })),
    hasMore: last !== null,
  }
}

function urgency(dueAt: Instant, { now, day }: { now: Instant; day: string }): AgendaItem['urgency'] {
  if (dueAt <= now) return 'overdue'
  return dueAt < endOf(day) ? 'due' : 'later'
}

function present(
  { id, round, tier, lane, route, asks, openedAt, dueAt, stages, votes, openSeats }: Review,
  named: (id: string) => Named,
): Omit<AgendaItem, 'useCase' | 'urgency' | 'changeClass'> {
  return {
    ...{ reviewId: id, round, tier, route, asks, openedAt, dueAt, brief: `/v1/reviews/${id}/brief` },
    lane: { id: lane.id, title: lane.title },
    stages: stages
      .filter(({ state }) => state === 'open')
      .map(({ openSeats: missing, ...stage }) => ({
        ...{ id: stage.id, approvals: stage.approvals, quorum: stage.quorum },
        ...{ dueAt: stage.dueAt, isOverdue: stage.isOverdue, missing },
      })),
    // a seat whose voter has left is open again, and what was voted from it counts no more.
    votes: countedVotes(votes.filter(({ seat }) => !openSeats.includes(seat))).map(
      ({ seat, personId, onBehalfOf, choice }) => ({
        ...{
          seat,
          person: named(personId),
          onBehalfOf: onBehalfOf === null ? null : named(onBehalfOf),
          choice,
        },
      }),
    ),
  }
}

const votersOf = ({ personId, onBehalfOf }: Pick<Vote, 'personId' | 'onBehalfOf'>) => [personId, onBehalfOf]

async function nameAll(tx: ReadTx, ids: readonly (string | null)[]): Promise<(id: string) => Named> {
  const names = await store.namesOf(tx, [...new Set(ids.filter((id) => id !== null))])
  return (id) => ({ id, name: names.get(id) ?? '' })
}

/** how much weighs what changed since the decision before, of each round that has one. */
async function classesOf(
  tx: ReadTx,
  { lanes }: Policies,
  reviews: readonly Review[],
): Promise<Map<string, ChangeClass>> {
  const rows = await store.listFacts(
    tx,
    reviews.map(({ id }) => id),
  )
  return new Map(
    rows.map(({ reviewId, before, after }) => [
      reviewId,
      classOf(lanes, changedFacts(Facts.parse(before), Facts.parse(after))),
    ]),
  )
}

/** What was decided in a period of days, and what stopped or ended in it: all that the caller may read. */
export async function getMinutes(
  tx: ReadTx,
  { from, to, orgUnit }: { from: string; to: string; orgUnit?: string | undefined },
): Promise<Minutes> {
  const unitIds = orgUnit === undefined ? undefined : await store.listUnitsIn(tx, orgUnit)
  const during = { ...spanOf({ from, to }), unitIds }
  const sights = sightsOf(tx.ability)
  const ofDecisions = { ...during, where: sights.Decision }
  const ofSuspensions = { ...during, where: sights.Suspension }
  const decisions = await store.listDecisions(tx, ofDecisions)
  const lists = {
    withdrawn: await store.listWithdrawn(tx, { ...during, where: sights.Review }),
    suspended: await store.listSuspended(tx, ofSuspensions),
    lifted: await store.listLifted(tx, ofSuspensions),
    incidents: await store.listIncidents(tx, { ...during, where: sights.Incident }),
  }
  const named = await nameAll(tx, decisions.flatMap(peopleIn))
  const long = Object.entries({ decisions, ...lists }).filter(([, rows]) => rows.length > store.LIMIT)
  return {
    ...{ from, to, at: tx.now },
    decisions: decisions.slice(0, store.LIMIT).map((row) => presentDecision(row, named)),
    attestations: await store.countAttestations(tx, ofDecisions),
    withdrawn: lists.withdrawn.slice(0, store.LIMIT),
    suspended: lists.suspended.slice(0, store.LIMIT),
    lifted: lists.lifted.slice(0, store.LIMIT),
    incidents: lists.incidents.slice(0, store.LIMIT),
    more: long.map(([name]) => name as Minutes['more'][number]),
  }
}

function sightsOf(ability: Ability) {
  return {
    Decision: visibleWhere(ability, 'read', 'Decision', store.heads.Decision),
    Review: visibleWhere(ability, 'read', 'Review', store.heads.Review),
    Suspension: visibleWhere(ability, 'read', 'Suspension', store.heads.Suspension),
    Incident: visibleWhere(ability, 'read', 'Incident', store.heads.Incident),
  }
}

function peopleIn({ votes, conditions }: store.DecisionRow): (string | null)[] {
  return [...votes.flatMap(votersOf), ...conditions.map(({ ownerId }) => ownerId)]
}

function presentDecision(
  { votes, conditions, imposedIds, ...decision }: store.DecisionRow,
  named: (id: string) => Named,
): MinutesDecision {
  return {
    ...decision,
    votes: votes.map(({ seat, personId, onBehalfOf = null, choice, rationale }) => ({
      ...{ seat, choice, rationale, person: named(personId) },
      onBehalfOf: onBehalfOf === null ? null : named(onBehalfOf),
      isDissent: isDissent(choice, decision.outcome),
    })),
    imposed: conditions
      .filter(({ id }) => imposedIds.includes(id))
      .map(({ id, type, text, dueAt, beforeDeploy, ownerId }) => ({
        ...{ id, type, text, dueAt, beforeDeploy, owner: ownerId === null ? null : named(ownerId) },
      })),
  }
}
