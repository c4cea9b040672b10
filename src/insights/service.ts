import { visibleWhere } from '../auth/visible-where.js'
import type { ReadTx } from '../db/transaction.js'
import { spanOf } from '../period.js'
import type { DecisionInsights } from './insights.js'
import * as store from './store.js'

const { heads } = store

const noOutcomes = {
  approved: 0,
  approved_with_conditions: 0,
  blocked: 0,
  changes_requested: 0,
  withdrawn: 0,
}

/** How long decisions of a period of days took, and what came of them: of all that the caller may read. */
export async function getDecisionInsights(
  tx: ReadTx,
  { from, to, orgUnit }: { from: string; to: string; orgUnit?: string | undefined },
): Promise<DecisionInsights> {
  const { ability, now } = tx
  const sight = { ...spanOf({ from, to }), orgUnit, now }
  const rounds = await store.countRounds(tx, {
    ...sight,
    where: visibleWhere(ability, 'read', 'Review', heads.Review),
  })
  return {
    ...{ from, to, at: now, ...rounds, outcomes: { ...noOutcomes, ...rounds.outcomes } },
    conditions: await store.countConditions(tx, {
      ...sight,
      where: visibleWhere(ability, 'read', 'Condition', heads.Condition),
    }),
    suspensions: await store.countSuspensions(tx, {
      ...sight,
      where: visibleWhere(ability, 'read', 'Suspension', heads.Suspension),
    }),
    incidents: await store.countIncidents(tx, {
      ...sight,
      where: visibleWhere(ability, 'read', 'Incident', heads.Incident),
    }),
    breakGlass: await store.countBreakGlass(tx, {
      ...sight,
      where: visibleWhere(ability, 'read', 'BreakGlass', heads.BreakGlass),
    }),
  }
}
