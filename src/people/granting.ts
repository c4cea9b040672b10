import { authorize } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import { grants } from '../db/schema.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { assertOrgUnit } from '../org-units/service.js'
import { assertActive, assertGrantable, type Grant, type NewGrant } from './person.js'
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
  return presentGrant(await store.getGrantRow(tx, id))
}

/** Ends every grant of a person who is locked. */
export async function endGrants(
  tx: WriteTx,
  person: store.PersonRow,
  right: string,
  reason: string,
): Promise<void> {
  for (const grant of await store.listGrantRows(tx, person.id)) {
    await endGrant(tx, person, grant, right, reason)
  }
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
