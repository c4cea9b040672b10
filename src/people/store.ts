import { and, asc, eq, gt, isNull, ne, or, type SQL, sql } from 'drizzle-orm'
import { prepareOnce, type Sql } from '../db/client.js'
import { delegations, firstSignIns, grants, invitations, people } from '../db/schema.js'
import { lock, lockAll, type ReadTx, type WriteTx } from '../db/transaction.js'
import { notFound, RegistryError } from '../errors.js'
import { ASSENT_ID, ROOT_UNIT_ID } from '../ids.js'
import type { Instant } from '../instant.js'

export type PersonRow = typeof people.$inferSelect
export type InvitationRow = typeof invitations.$inferSelect
export type GrantRow = typeof grants.$inferSelect

/** Assent itself acts in the log and is nobody's account, so no deed is ever done on it. */
export async function lockPerson(tx: WriteTx, id: string): Promise<PersonRow> {
  if (id === ASSENT_ID) {
    throw new RegistryError('conflict', 'this is Assent itself and no account; choose somebody else')
  }
  return await lock(tx, people, id, 'person')
}

export async function lockPeople(tx: WriteTx, ids: string[]): Promise<PersonRow[]> {
  return await lockAll(tx, people, ids)
}

/** Locks Assent itself, so that who administers changes one deed after the other. */
export async function lockAssent(tx: WriteTx): Promise<PersonRow> {
  return await lock(tx, people, ASSENT_ID, 'person')
}

export async function getPersonRow(tx: ReadTx, id: string): Promise<PersonRow> {
  const [row] = await tx.sql.select().from(people).where(eq(people.id, id))
  if (!row) throw notFound('person')
  return row
}

export interface PeoplePage {
  where: SQL
  search: string | undefined
  after: { name: string; id: string } | undefined
  limit: number
}

/** People by name; `after` is the last row of the page before. */
export async function listPersonRows(
  tx: ReadTx,
  { where, search, after, limit }: PeoplePage,
): Promise<PersonRow[]> {
  const key = sql`(lower(${people.name}), ${people.id})`
  const beyond = after ? sql`${key} > (lower(${after.name}), ${after.id}::uuid)` : undefined
  return await tx.sql
    .select()
    .from(people)
    .where(and(where, search ? nameMatches(search) : undefined, beyond))
    .orderBy(sql`lower(${people.name})`, asc(people.id))
    .limit(limit)
}

/** They do not leave until the deed is done, if it is one. */
export async function listPeopleCalled(
  tx: ReadTx,
  names: string[],
): Promise<Pick<PersonRow, 'id' | 'name' | 'email'>[]> {
  if (names.length === 0) return []
  const called = sql`any(${sql.param(names.map((name) => name.toLowerCase()))}::text[])`
  const { id, name, email } = people
  return await tx.sql
    .select({ id, name, email })
    .from(people)
    .where(
      sql`(lower(${name}) = ${called} or lower(${email}) = ${called}) and ${people.kind} = 'human' and ${people.status} <> 'left'`,
    )
    .orderBy(id)
    .for('key share')
}

export async function insertPerson(tx: WriteTx, person: typeof people.$inferInsert): Promise<PersonRow> {
  const [row] = await tx.sql.insert(people).values(person).onConflictDoNothing().returning()
  if (!row)
    throw new RegistryError(
      'conflict',
      'somebody with this identity is registered already; look them up instead',
    )
  return row
}

export async function updatePerson(
  tx: WriteTx,
  person: PersonRow,
  change: Partial<Omit<PersonRow, 'id' | 'kind' | 'createdAt'>>,
): Promise<PersonRow> {
  const [row] = await tx.sql
    .update(people)
    .set({ ...change, revision: person.revision + 1 })
    .where(eq(people.id, person.id))
    .returning()
  return row ?? person
}

export async function insertInvitation(
  tx: WriteTx,
  invitation: typeof invitations.$inferInsert,
): Promise<InvitationRow> {
  const [row] = await tx.sql.insert(invitations).values(invitation).onConflictDoNothing().returning()
  if (!row) throw new RegistryError('conflict', 'this identity was invited before; look up who it belongs to')
  return row
}

export type Proof = { keyDigest: string } | { issuer: string; subject: string }

export async function findInvitation(on: Sql, proof: Proof): Promise<InvitationRow | undefined> {
  const matches =
    'keyDigest' in proof
      ? eq(invitations.keyDigest, proof.keyDigest)
      : and(eq(invitations.issuer, proof.issuer), eq(invitations.subject, proof.subject))
  const [row] = await on.select().from(invitations).where(matches)
  return row
}

export async function getInvitationOf(tx: ReadTx, personId: string): Promise<InvitationRow> {
  const [row] = await tx.sql.select().from(invitations).where(eq(invitations.personId, personId))
  if (!row) throw notFound('invitation')
  return row
}

export async function renewInvitationRow(
  tx: WriteTx,
  personId: string,
  expiresAt: Instant,
): Promise<InvitationRow> {
  const [row] = await tx.sql
    .update(invitations)
    .set({ expiresAt })
    .where(eq(invitations.personId, personId))
    .returning()
  if (!row) throw notFound('invitation')
  return row
}

export async function acceptInvitation(tx: WriteTx, id: string): Promise<void> {
  await tx.sql.update(invitations).set({ acceptedAt: tx.now }).where(eq(invitations.id, id))
}

/** Grants in force of one person, or every grant there ever was. */
export async function listGrantRows(
  tx: ReadTx,
  personId: string,
  { everything = false, where }: { everything?: boolean; where?: SQL } = {},
): Promise<GrantRow[]> {
  return await tx.sql
    .select()
    .from(grants)
    .where(and(eq(grants.personId, personId), where, everything ? undefined : isNull(grants.revokedAt)))
    .orderBy(asc(grants.grantedAt), asc(grants.id))
}

export async function getGrantRow(tx: ReadTx, id: string): Promise<GrantRow> {
  const [row] = await tx.sql.select().from(grants).where(eq(grants.id, id))
  if (!row) throw notFound('grant')
  return row
}

export async function insertGrant(tx: WriteTx, grant: typeof grants.$inferInsert): Promise<GrantRow> {
  const [row] = await tx.sql.insert(grants).values(grant).onConflictDoNothing().returning()
  if (!row) throw new RegistryError('conflict', 'this person holds that already; nothing to do')
  return row
}

export async function revokeGrantRow(tx: WriteTx, id: string): Promise<void> {
  await tx.sql
    .update(grants)
    .set({ revokedAt: tx.now, revokedBy: tx.principal.personId })
    .where(and(eq(grants.id, id), isNull(grants.revokedAt)))
}

/** True once somebody active administers the whole organisation. */
export async function hasAdministrator(on: Sql): Promise<boolean> {
  const rows = await on
    .select({ id: grants.id })
    .from(grants)
    .innerJoin(people, eq(people.id, grants.personId))
    .where(
      and(
        eq(grants.name, 'administrator'),
        eq(grants.orgUnitId, ROOT_UNIT_ID),
        isNull(grants.revokedAt),
        eq(people.status, 'active'),
      ),
    )
    .limit(1)
  return rows.length > 0
}

/** Replaces every earlier code: only the one printed last works. */
export async function keepFirstSignIn(
  on: Sql,
  digest: string,
  createdAt: Instant,
  expiresAt: Instant,
): Promise<void> {
  await on.update(firstSignIns).set({ expiresAt: createdAt }).where(gt(firstSignIns.expiresAt, createdAt))
  await on.insert(firstSignIns).values({ digest, createdAt, expiresAt })
}

/** Uses up the code: the second of two at once finds nothing. */
export async function useFirstSignIn(tx: WriteTx, digest: string, personId: string): Promise<boolean> {
  const used = await tx.sql
    .update(firstSignIns)
    .set({ usedAt: tx.now, usedBy: personId })
    .where(
      and(eq(firstSignIns.digest, digest), isNull(firstSignIns.usedAt), gt(firstSignIns.expiresAt, tx.now)),
    )
  return used.rowCount === 1
}

const nameMatches = (term: string): SQL | undefined =>
  or(
    sql`lower(${people.name}) like ${likeAnywhere(term)}`,
    sql`lower(${people.email}) like ${likeAnywhere(term)}`,
  )

function likeAnywhere(term: string): string {
  return `%${term.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
}

/** The active person an issuer's subject stands for. */
export async function findPersonByIdentity(
  on: Sql,
  issuer: string,
  subject: string,
): Promise<string | undefined> {
  const [row] = await on
    .select({ id: people.id })
    .from(people)
    .where(and(eq(people.issuer, issuer), eq(people.subject, subject), eq(people.status, 'active')))
  return row?.id
}

/** Those of the ids that may own a use case: humans who have not left, and do not until the deed is done. */
export async function listOwnersAmong(tx: ReadTx, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const amongThem = sql`${people.id} = any(${sql.placeholder('ids')}::uuid[])`
  const owners = prepareOnce(tx.sql, 'owners_among', (name) =>
    tx.sql
      .select({ id: people.id })
      .from(people)
      .where(and(amongThem, eq(people.kind, 'human'), ne(people.status, 'left')))
      .orderBy(people.id)
      .for('key share')
      .prepare(name),
  )
  const rows = await owners.execute({ ids })
  return rows.map((row) => row.id)
}

/** How much somebody answers for that goes on without them. */
export async function countOwned(
  tx: ReadTx,
  personId: string,
): Promise<{ useCases: number; conditions: number }> {
  const { rows } = await tx.sql.execute<{ useCases: number; conditions: number }>(sql`
    select (select count(*)::int from use_case where retired_at is null
        and (business_owner_id = ${personId} or risk_owner_id = ${personId})) as "useCases",
      (select count(*)::int from condition c join use_case u on u.id = c.use_case_id and u.retired_at is null
        where c.owner_id = ${personId}
          and not exists (select from condition_ending e where e.condition_id = c.id)) as conditions`)
  return rows[0] ?? { useCases: 0, conditions: 0 }
}

/** From or to somebody, and not over. */
const isOpenOf = (tx: ReadTx, personId: string): SQL | undefined =>
  and(
    or(eq(delegations.fromId, personId), eq(delegations.toId, personId)),
    isNull(delegations.endedAt),
    gt(delegations.endsAt, tx.now),
  )

export async function listDelegationsOf(
  tx: ReadTx,
  personId: string,
): Promise<Pick<typeof delegations.$inferSelect, 'id' | 'fromId' | 'toId' | 'acceptedAt'>[]> {
  const { id, fromId, toId, acceptedAt } = delegations
  const asked = { id, fromId, toId, acceptedAt }
  return await tx.sql.select(asked).from(delegations).where(isOpenOf(tx, personId)).orderBy(id)
}

export async function endDelegationRows(tx: WriteTx, personId: string): Promise<void> {
  const by = { endedBy: tx.principal.personId, endedAt: tx.now }
  await tx.sql.update(delegations).set(by).where(isOpenOf(tx, personId))
}
