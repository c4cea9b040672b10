import type { RowOf } from '../auth/decision-rights.js'
import type { Instant } from '../instant.js'
import { keyOf } from '../use-cases/use-case.js'
import { Condition, conditionState } from './condition.js'
import type { ConditionRow, ImposedRow } from './store.js'

/** A condition as its API shows it. */
export function present(
  { condition, ending, useCase: { number, title } }: ImposedRow,
  at: Instant,
): Condition {
  const { limitOn: on, limitValues: values, ...row } = condition
  return Condition.parse({
    ...row,
    useCase: { key: keyOf(number), title },
    limit: on === null || values === null ? null : { on, values },
    state: conditionState(condition, ending, at),
    ending: ending && endingOf(ending),
  })
}

function endingOf({ endedBy, endedAt, note, evidenceId, decisionId }: NonNullable<ImposedRow['ending']>) {
  return { endedBy, endedAt, note, evidenceId, decisionId }
}

/** What rights look at in a condition. */
export function subjectOf(
  { id, useCaseId, ownerId }: ConditionRow,
  {
    orgUnitId,
    businessOwnerId,
    riskOwnerId,
  }: Pick<ImposedRow['useCase'], 'orgUnitId' | 'businessOwnerId' | 'riskOwnerId'>,
): RowOf<'Condition'> & { id: string } {
  return { id, useCaseId, ownerId, orgUnitId, businessOwnerId, riskOwnerId }
}
