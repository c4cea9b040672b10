import type { ReadTx } from '../db/transaction.js'
import { laneById } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { requirementsOf } from '../requirements/service.js'
import { nextSteps } from '../requirements/view.js'
import { foresee } from '../reviews/routing.js'
import { getReadable } from '../use-cases/reading.js'
import { keyOf } from '../use-cases/use-case.js'
import { Prospect } from './prospect.js'
import { differenceSince } from './service.js'

/** the way that submitting would take by the policy in force, and what could shorten it. */
export async function getProspect(tx: ReadTx, policies: Policies, idOrKey: string): Promise<Prospect> {
  const useCase = await getReadable(tx, idOrKey)
  const { way, tier, full, precedents } = await foresee(tx, policies, useCase)
  const { route, lane, overlays, imposes } = way
  const since = await differenceSince(tx, policies, useCase.id, { version: useCase.version, at: tx.now })
  const { readyToDecide, requirements } = await requirementsOf(tx, policies, useCase, tier)
  return Prospect.parse({
    ...{ tier, route, lane, overlays, imposes, since, readyToDecide, missing: nextSteps(requirements) },
    precedents: precedents.map(({ decision, useCase: other }) => ({
      ...{ decisionId: decision.id, decidedAt: decision.decidedAt, conditions: decision.conditions.length },
      useCase: { key: keyOf(other.number), title: other.title },
      lane: titleOf(laneById(policies.lanes, full.precedent?.lane ?? full.id)),
    })),
  })
}

const titleOf = ({ id, title }: { id: string; title: string }) => ({ id, title })
