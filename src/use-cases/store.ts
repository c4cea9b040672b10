import { and, desc, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm'
import { listDelegates } from '../db/delegates.js'
import { insertAll } from '../db/insert-all.js'
import {
  orgUnits,
  people,
  retirements,
  reviewParties,
  tierRecomputations,
  useCaseStates,
  useCases,
  useCaseVersions,
} from '../db/schema.js'
import { lock, lockAll, type ReadTx, type WriteTx } from '../db/transaction.js'
import { updateOne } from '../db/update-one.js'
import { findWholeRow } from '../db/whole-row.js'
import { notFound, RegistryError } from '../errors.js'
import { numberOf } from './use-case.js'

export type UseCaseRow = typeof useCases.$inferSelect
export type NewUseCaseRow = typeof useCases.$inferInsert
export type VersionRow = typeof useCaseVersions.$inferSelect

/** By id or key. */
export async function lockUseCase(tx: WriteTx, idOrKey: string): Promise<UseCaseRow> {
  const number = numberOf(idOrKey)
  if (number === undefined) return await lock(tx, useCases, idOrKey, 'use case')
  const [row] = await tx.sql.select({ id: useCases.id }).from(useCases).where(eq(useCases.number, number))
  if (!row) throw notFound('use case')
  return await lock(tx, useCases, row.id, 'use case')
}

/** Always in the order of their ids, so that two who lock several never wait in a circle. */
export async function lockUseCases(tx: WriteTx, ids: string[]): Promise<UseCaseRow[]> {
  return await lockAll(tx, useCases, ids)
}

export async function listUseCaseRows(tx: ReadTx, ids: string[]): Promise<UseCaseRow[]> {
  if (ids.length === 0) return []
  return await tx.sql
    .select()
    .from(useCases)
    .where(sql`${useCases.id} = any(${sql.param(ids)}::uuid[])`)
}

/** By id or by key (`UC-1042`). */
export async function getUseCaseRow(tx: ReadTx, idOrKey: string): Promise<UseCaseRow> {
  const number = numberOf(idOrKey)
  const row =
    number === undefined
      ? await findWholeRow(tx.client, useCases, 'id = $1', idOrKey)
      : await findWholeRow(tx.client, useCases, 'number = $1', number)
  if (!row) throw notFound('use case')
  return row
}

/** What every use case begins with. */
const initialState = {
  revision: 1,
  raisedTier: null,
  loweredTier: null,
  hasConditions: false,
  nextDueAt: null,
  beforeDeployOpen: false,
  required: [],
  evidenceStaleAt: null,
  evidenceMissingAt: null,
  controlMissingAt: null,
  suspendedAt: null,
  breakGlassUntil: null,
  openMaterialFacts: null,
  materialFacts: null,
  materialDigest: null,
  openReviewId: null,
  lastOutcome: null,
  approvalId: null,
  approvedTier: null,
  validUntil: null,
  firstMaterialChangeAt: null,
  tierRaisedAt: null,
  blockId: null,
} satisfies Partial<UseCaseRow>

/** Heads, first versions and first states of new use cases, in three statements however many they are. */
export async function insertUseCases(
  tx: WriteTx,
  rows: Omit<UseCaseRow, 'number' | keyof typeof initialState>[],
  versions: (typeof useCaseVersions.$inferInsert)[],
): Promise<UseCaseRow[]> {
  type Numbered = { id: string; number: number }
  const numbered = await insertAll<typeof useCases, Numbered>(
    tx.client,
    useCases,
    rows,
    'id, number::float8 as number',
  )
  const numbers = new Map(numbered.map(({ id, number }) => [id, number]))
  const inserted = rows.map((row) => ({ ...initialState, ...row, number: numbers.get(row.id) ?? 0 }))
  await insertAll(tx.client, useCaseVersions, versions)
  await insertAll(
    tx.client,
    useCaseStates,
    inserted.map((row) => stateOf(row, tx)),
  )
  return inserted
}

/**
 * Writes the head as it now is and keeps the state as of this revision. Every deed on a use case ends here, so that
 * its ETag moves and the register as of any instant can be read.
 */
export function saveUseCase(
  tx: WriteTx,
  before: UseCaseRow,
  change: Partial<Omit<NewUseCaseRow, 'id' | 'number' | 'revision'>>,
): UseCaseRow {
  const changed = { ...change, revision: before.revision + 1, updatedAt: tx.now }
  const after = { ...before, ...changed }
  tx.alongside(updateOne(tx.client, useCases, before, changed).then(assertSaved))
  tx.alongside(insertAll(tx.client, useCaseStates, [stateOf(after, tx)]))
  return after
}

function assertSaved(isSaved: boolean): void {
  if (isSaved) return
  throw new RegistryError('conflict', 'someone else changed this at the same moment; read it again and retry')
}

function stateOf(row: UseCaseRow, tx: WriteTx): typeof useCaseStates.$inferInsert {
  const { id: useCaseId, revision, version, raisedTier, loweredTier, retiredAt } = row
  const { openReviewId, lastOutcome, approvalId, approvedTier, blockId, validUntil } = row
  const { firstMaterialChangeAt, tierRaisedAt } = row
  const { hasConditions, nextDueAt, beforeDeployOpen, suspendedAt } = row
  const { evidenceStaleAt, evidenceMissingAt, controlMissingAt } = row
  return {
    ...{ useCaseId, revision, version, recordedAt: tx.now, raisedTier, loweredTier, retiredAt },
    ...{ openReviewId, lastOutcome, approvalId, approvedTier, blockId, validUntil },
    ...{ firstMaterialChangeAt, tierRaisedAt },
    ...{ hasConditions, nextDueAt, beforeDeployOpen, suspendedAt },
    ...{ evidenceStaleAt, evidenceMissingAt, controlMissingAt },
  }
}

export function insertVersion(tx: WriteTx, version: typeof useCaseVersions.$inferInsert): void {
  tx.alongside(insertAll(tx.client, useCaseVersions, [version]))
}

export function insertRecomputation(
  tx: WriteTx,
  recomputation: Omit<typeof tierRecomputations.$inferInsert, 'recordedAt'>,
): void {
  tx.alongside(insertAll(tx.client, tierRecomputations, [{ ...recomputation, recordedAt: tx.now }]))
}

const { id, number, title, orgUnitId, answers, technique, channels, jurisdictions } = useCases
const { computedTier, raisedTier, loweredTier, fired, approvedTier, tierRaisedAt } = useCases
const examined = {
  ...{ id, number, title, orgUnitId, answers, technique, channels, jurisdictions },
  ...{ computedTier, raisedTier, loweredTier, fired, approvedTier, tierRaisedAt },
}

/** What tiers rest on, of use cases that are not retired, by number. */
export async function listTiered(tx: ReadTx, after: number, limit: number) {
  return await tx.sql
    .select(examined)
    .from(useCases)
    .where(and(gt(useCases.number, after), isNull(useCases.retiredAt)))
    .orderBy(useCases.number)
    .limit(limit)
}

/** Versions below `before`, newest first, one more than asked so that each can be compared with its predecessor. */
export async function listVersionRows(
  tx: ReadTx,
  useCaseId: string,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<VersionRow[]> {
  const below = before === undefined ? undefined : lte(useCaseVersions.version, before - 1)
  return await tx.sql
    .select()
    .from(useCaseVersions)
    .where(and(eq(useCaseVersions.useCaseId, useCaseId), below))
    .orderBy(desc(useCaseVersions.version))
    .limit(limit + 1)
}

/** Service accounts write too, and never vote, so they are not among them. */
export async function listAuthorIdsAfter(tx: ReadTx, useCaseId: string, version: number): Promise<string[]> {
  const rows = await tx.sql
    .selectDistinct({ id: people.id })
    .from(useCaseVersions)
    .innerJoin(people, eq(people.id, useCaseVersions.authorId))
    .where(
      and(
        eq(useCaseVersions.useCaseId, useCaseId),
        gt(useCaseVersions.version, version),
        eq(people.kind, 'human'),
      ),
    )
  return rows.map(({ id }) => id)
}

export async function getVersionRow(tx: ReadTx, useCaseId: string, version: number): Promise<VersionRow> {
  const [row] = await tx.sql
    .select()
    .from(useCaseVersions)
    .where(and(eq(useCaseVersions.useCaseId, useCaseId), eq(useCaseVersions.version, version)))
  if (!row) throw notFound('version')
  return row
}

export async function insertRetirements(
  tx: WriteTx,
  ended: { useCaseId: string; reason: string }[],
): Promise<void> {
  if (ended.length === 0) return
  const by = { retiredBy: tx.principal.personId, retiredAt: tx.now }
  await tx.sql.insert(retirements).values(ended.map((retirement) => ({ ...retirement, ...by })))
}

export interface SimilarRow extends Record<string, unknown> {
  id: string
  number: number
  title: string
  org_unit: string
  org_unit_id: string
  business_owner_id: string | null
  risk_owner_id: string | null
  similarity: number
}

/** Cases looked at for their purpose: enough to find one that is alike, few enough in a register of any size. */
const PURPOSES = 200

/**
 * Titles alike by trigrams, or every word of the purpose in another one much alike; the most alike first. Purposes
 * break ties.
 */
export async function listSimilarRows(tx: ReadTx, title: string, purpose: string): Promise<SimilarRow[]> {
  const { rows } = await tx.sql.execute<SimilarRow>(sql`
    with alike as materialized (
      select array(select s.id from (
        select id, purpose from ${useCases}
        where search @@ plainto_tsquery('english', ${purpose}) and retired_at is null limit ${PURPOSES}) s
      where similarity(s.purpose, ${purpose}) >= 0.5) as ids)
    select c.id, c.number::float8 as number, c.title, u.name as org_unit, c.org_unit_id, c.business_owner_id, c.risk_owner_id,
      round(greatest(similarity(c.title, ${title}),
        case when c.id = any((select ids from alike)::uuid[]) then similarity(c.purpose, ${purpose}) end
      )::numeric, 2)::float8 as similarity
    from ${useCases} c join ${orgUnits} u on u.id = c.org_unit_id
    where (c.title % ${title} or c.id = any((select ids from alike)::uuid[])) and c.retired_at is null
    order by similarity desc, similarity(c.purpose, ${purpose}) desc, c.id limit 5`)
  return rows
}

/**
 * Whoever writes or owns a use case while its review is open does not vote in it, nor do their delegates.
 * @throws RegistryError `conflict` when one of them has voted already
 */
export async function excludeFromOpenReview(
  tx: WriteTx,
  { openReviewId: reviewId }: UseCaseRow,
  parties: string[],
  because: string,
): Promise<void> {
  if (reviewId === null || parties.length === 0) return
  const delegates = (await listDelegates(tx, parties)).map(({ toId }) => toId)
  const personIds = [...new Set([...parties, ...delegates])]
  const rows = personIds.map((personId) => ({
    ...{ reviewId, personId },
    part: 'excluded' as const,
    because: parties.includes(personId) ? because : `is a delegate of somebody who ${because}`,
  }))
  await tx.sql.insert(reviewParties).values(rows).onConflictDoNothing()
  const isVoter = and(
    eq(reviewParties.reviewId, reviewId),
    inArray(reviewParties.personId, personIds),
    eq(reviewParties.part, 'elector'),
  )
  if ((await tx.sql.$count(reviewParties, isVoter)) > 0) {
    throw new RegistryError(
      'conflict',
      'somebody who would write or own this, or their delegate, has voted in the open review; withdraw it first',
    )
  }
}
