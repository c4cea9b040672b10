import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { grants } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { newId, ROOT_UNIT_ID } from '../ids.js'
import { assertOrgUnit } from '../org-units/service.js'
import { assertActive, assertGrantable, assertNoDelegate, type Grant, type NewGrant } from './person.js'
import { getPerson } from './service.js'
import * as store from './store.js'

/** @throws RegistryError `forbidden` to oneself, `conflict` when it would let an administrator decide */
export async function grantRight(tx: WriteTx, personId: string, grant: NewGrant): Promise<Grant> {
  const { kind, name, orgUnitId } = grant
  const person = await store.lockPerson(tx, personId)
  authorize(tx.ability, 'read', 'Person', person)
  const right = authorize(tx.ability, 'grant', 'Grant', { personId, kind, name, orgUnitId })
  assertActive(person)
  await assertOrgUnit(tx, orgUnitId)
  assertGrantable(person, await store.listGrantRows(tx, personId), { kind, name })
  assertNoDelegate(personId, await store.listDelegationsOf(tx, personId), grant)
  return await insertGrant(tx, person, grant, tx.principal.personId, right)
}

/** Writes and records a grant to a person who is locked. */
export async function insertGrant(
  tx: WriteTx,
  person: store.PersonRow,
  grant: NewGrant,
  grantedBy: string,
  right: string,
): Promise<Grant> {
  const row = await store.insertGrant(tx, {
    id: newId(),
    personId: person.id,
    ...grant,
    grantedBy,
    grantedAt: tx.now,
  })
  tx.record(person, { type: 'right.granted', right, grantId: row.id, ...grant, sealed: {} })
  return presentGrant(row)
}

export async function revokeGrant(tx: WriteTx, id: string, reason: string): Promise<Grant> {
  const { personId } = await store.getGrantRow(tx, id)
  const person = await store.lockPerson(tx, personId)
  const grant = await store.getGrantRow(tx, id)
  const right = authorize(tx.ability, 'revoke', 'Grant', grant)
  if (grant.revokedAt) throw new RegistryError('conflict', 'this grant has ended already; nothing to do')
  await endGrant(tx, person, grant, right, reason)
  await assertAdministered(tx, [grant])
  return presentGrant(await store.getGrantRow(tx, id))
}

/** Ends every grant of a person who is locked. */
export async function endGrants(
  tx: WriteTx,
  person: store.PersonRow,
  right: string,
  reason: string,
): Promise<void> {
  const ended = await store.listGrantRows(tx, person.id)
  for (const grant of ended) await endGrant(tx, person, grant, right, reason)
  await assertAdministered(tx, ended)
}

/**
 * Two deeds at once could each leave the other's administrator as the last: they look one after the other.
 * @throws RegistryError `conflict` when nobody administers the whole organisation without these grants
 */
async function assertAdministered(tx: WriteTx, ended: store.GrantRow[]): Promise<void> {
  const isAtStake = ended.some(
    ({ name, orgUnitId }) => name === 'administrator' && orgUnitId === ROOT_UNIT_ID,
  )
  if (!isAtStake) return
  await store.lockAssent(tx)
  if (await store.hasAdministrator(tx.sql)) return
  throw new RegistryError(
    'conflict',
    'nobody else administers the whole organisation; make somebody else an administrator of it first',
  )
}

async function endGrant(
  tx: WriteTx,
  person: store.PersonRow,
  grant: store.GrantRow,
  right: string,
  reason: string,
): Promise<void> {
  const { id: grantId, kind, name, orgUnitId } = grant
  await store.revokeGrantRow(tx, grantId)
  tx.record(person, { type: 'right.revoked', right, grantId, kind, name, orgUnitId, sealed: { reason } })
}

/** Every grant there ever was, the first granted first. */
export async function listGrants(tx: ReadTx, personId: string): Promise<Grant[]> {
  await getPerson(tx, personId)
  const visible = visibleWhere(tx.ability, 'read', 'Grant', grants)
  const rows = await store.listGrantRows(tx, personId, { everything: true, where: visible })
  return rows.map(presentGrant)
}

function presentGrant(row: store.GrantRow): Grant {
  return row as Grant
}
