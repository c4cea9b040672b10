import { authorize, isAllowed, type RowOf } from '../auth/decision-rights.js'
import type { ReadTx } from '../db/transaction.js'
import type { Instant } from '../instant.js'
import { getReadable } from '../use-cases/reading.js'
import { keyOf } from '../use-cases/use-case.js'
import { Exception, type ExceptionState, exceptionState } from './exception.js'
import * as store from './store.js'

/** Any exception that the caller may read. */
export async function getException(tx: ReadTx, id: string): Promise<Exception> {
  const row = await store.getGrantedRow(tx, id)
  authorize(tx.ability, 'read', 'Exception', subjectOf(row))
  return present(row, tx.now)
}

/** Exceptions of a use case that the caller may read, in the order in which they were granted. */
export async function listExceptionsOf(
  tx: ReadTx,
  idOrKey: string,
  state?: ExceptionState,
): Promise<Exception[]> {
  const { id } = await getReadable(tx, idOrKey)
  const rows = await store.listGrantedOn(tx, id)
  return rows
    .filter((row) => isAllowed(tx.ability, 'read', 'Exception', subjectOf(row)))
    .map((row) => present(row, tx.now))
    .filter((exception) => state === undefined || exception.state === state)
}

function subjectOf({ exception, useCase }: store.GrantedRow): RowOf<'Exception'> & { id: string } {
  const { id, useCaseId } = exception
  const { orgUnitId, businessOwnerId, riskOwnerId } = useCase
  return { id, useCaseId, orgUnitId, businessOwnerId, riskOwnerId }
}

function present({ exception, useCase, endedById, endedAt }: store.GrantedRow, at: Instant): Exception {
  const { controlId: control, compensating: words, compensatingControl, ...row } = exception
  const state = exceptionState({ until: row.until, endedAt }, at)
  return Exception.parse({
    ...{ ...row, control, state, compensating: { text: words, control: compensatingControl } },
    useCase: { key: keyOf(useCase.number), title: useCase.title },
    endedById: state === 'ended' ? endedById : null,
  })
}
