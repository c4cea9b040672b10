import type { WriteTx } from '../db/transaction.js'
import { listDelegatesOf } from '../delegations/service.js'
import { newId } from '../ids.js'
import { addDays, type Instant } from '../instant.js'
import type { Lane } from '../policy/lanes.js'
import type { UseCaseRow } from '../use-cases/service.js'
import type { Tier } from '../use-cases/use-case.js'
import { openStages } from './arithmetic.js'
import { planOf } from './review.js'
import type { Way } from './routing.js'
import * as store from './store.js'
import type { Asks } from './submission.js'

export interface Opening {
  way: Way
  tier: Tier
  policyDigest: string
  note: string
  asks: Asks
  right: string
}

/** Opens a round on the current version, with its stages and those who may not vote in it, and records it. */
export async function openRound(
  tx: WriteTx,
  useCase: UseCaseRow,
  opening: Opening,
): Promise<store.ReviewRow> {
  const { way, tier, policyDigest, note, asks, right } = opening
  const { lane, ...rest } = way
  const opened = stagesOf(lane, tx.now)
  const review = await store.insertReview(tx, {
    ...{ id: newId(), useCaseId: useCase.id, round: (await store.countRounds(tx, useCase.id)) + 1 },
    ...{ version: useCase.version, tier, lane, ...rest, ...asks, policyDigest, note },
    ...{ submittedBy: tx.principal.personId, openedAt: tx.now, dueAt: firstDue(opened) ?? tx.now },
  })
  await store.insertStages(tx, review.id, opened)
  await store.insertExclusions(tx, review.id, await exclusionsOf(tx, useCase))
  tx.record(useCase, {
    ...{ type: 'review.opened', right, reviewId: review.id, round: review.round, version: review.version },
    ...{ tier, lane: lane.id, policy: policyDigest, route: way.route, waives: asks.waives },
    overlays: way.overlays.map(({ id }) => id),
    lowerTierTo: asks.lowerTierTo ?? undefined,
    precedentId: asks.precedentId ?? undefined,
    supersedesId: asks.supersedesId ?? undefined,
    ...(asks.exceptions.length > 0 && { excepts: asks.exceptions.map(({ requirement }) => requirement) }),
    sealed: { note, ...(asks.exceptions.length > 0 && { exceptions: asks.exceptions }) },
  })
  return review
}

type NewStage = Omit<store.StageRow, 'reviewId' | 'closedAt' | 'passed'>

/** in order, the first is open and the others wait; at once, all are open. Each is due after its own time. */
function stagesOf(lane: Lane, now: Instant): NewStage[] {
  const open = openStages(planOf(lane), []).map(({ id }) => id)
  return lane.stages.map(({ id, quorum, dueInDays }, index) => {
    const isOpen = open.includes(id)
    const dueAt = isOpen ? addDays(now, dueInDays) : null
    return { stage: id, ordinal: index + 1, quorum, openedAt: isOpen ? now : null, dueAt }
  })
}

/** When the first of the open stages is due. */
export function firstDue(
  stages: readonly { dueAt: Instant | null; closedAt?: Instant | null }[],
): Instant | undefined {
  const due = stages.flatMap(({ dueAt, closedAt }) => (dueAt === null || closedAt ? [] : [dueAt]))
  return due.toSorted()[0]
}

/** each person counts once, for the reason that weighs most; their delegates with them. */
async function exclusionsOf(tx: WriteTx, useCase: UseCaseRow): Promise<Map<string, string>> {
  const exclusions = new Map(
    useCase.authorIds.map((id) => [id, 'wrote, owned or submitted it since its last approval']),
  )
  exclusions.set(tx.principal.personId, 'submitted it')
  if (useCase.riskOwnerId) exclusions.set(useCase.riskOwnerId, 'is its risk owner')
  if (useCase.businessOwnerId) exclusions.set(useCase.businessOwnerId, 'is its business owner')
  for (const { toId } of await listDelegatesOf(tx, [...exclusions.keys()])) {
    if (!exclusions.has(toId)) exclusions.set(toId, 'votes for somebody who wrote, owns or submitted it')
  }
  return exclusions
}
