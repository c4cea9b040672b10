import type { Term } from '../conditions/condition.js'
import { mergeTerms, termsOfPatterns } from '../conditions/terms.js'
import type { ReadTx } from '../db/transaction.js'
import { type ConditionsFile, patternById } from '../policy/conditions-file.js'
import type { Policies } from '../policy/load.js'
import type { DecidedCondition } from './decided.js'
import * as store from './decision-store.js'
import type { ReviewRow, VoteRow } from './store.js'

interface Approving {
  review: Pick<ReviewRow, 'imposes' | 'precedentId'>
  votes: readonly VoteRow[]
}

/** the conditions of every counted vote of all stages, those of the precedent, and those that overlays impose. */
export async function termsOf(tx: ReadTx, policies: Policies, { review, votes }: Approving): Promise<Term[]> {
  return mergeTerms([
    ...votes.map(({ conditions }) => conditions as Term[]),
    termsOfPatterns(policies, review.imposes),
    review.precedentId === null ? [] : await termsOfPrecedent(tx, policies, review.precedentId),
  ])
}

const DAY_MS = 86_400_000

/** what its committee approved the precedent on holds here too, due after as many days as there. */
async function termsOfPrecedent(
  tx: ReadTx,
  { conditions: patterns }: Policies,
  decisionId: string,
): Promise<Term[]> {
  const { conditions, decidedAt } = await store.getDecisionRow(tx, decisionId)
  const own = (conditions as DecidedCondition[]).filter(isNotRequired)
  return own.map((condition): Term => {
    const { text, pattern, dueAt, beforeDeploy, satisfiedBy, limit } = condition
    if (limit) return { type: 'limit', text, pattern, ...limit }
    const days = dueAt && Math.ceil((Date.parse(dueAt) - Date.parse(decidedAt)) / DAY_MS)
    return {
      ...{ type: 'obligation', text, pattern, satisfiedBy: satisfiedBy ?? 'other' },
      owner: ownerOf(patterns, pattern),
      ...{ dueAt: null, dueInDays: days === null ? null : Math.max(1, Number(days)), beforeDeploy },
    }
  })
}

/** What policy requires here is looked at here. */
const isNotRequired = ({ requirement }: Partial<DecidedCondition>): boolean => (requirement ?? null) === null

/** Whom the pattern asks for, if it came from one. */
function ownerOf(patterns: ConditionsFile, id: string | null): 'risk_owner' | 'business_owner' {
  const pattern = id === null ? undefined : patternById(patterns, id)
  return pattern?.type === 'obligation' ? pattern.owner : 'risk_owner'
}
