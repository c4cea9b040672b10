import { type SQL, sql } from 'drizzle-orm'
import type { Ability } from '../auth/decision-rights.js'
import { visibleWhere } from '../auth/visible-where.js'
import type { Selection } from '../db/selection.js'
import type { Snapshot } from '../db/snapshot.js'
import {
  type Fields,
  happened,
  head,
  instantIn,
  instantSql,
  listOf,
  type Reach,
  rowsOf,
  useCase,
} from './record-store.js'

/** What can be had of a piece when the package is made, whatever the instant it is of. */
const content = sql`case when i.disposed_at is not null then 'disposed' when z.state <> 'available' then z.state
  when i.form = 'file' and s.damaged_at is not null then 'damaged' else 'kept' end`
const pieces = sql`evidence i join use_case u on u.id = i.use_case_id
  left join evidence_verdict y on y.evidence_id = i.id
  left join evidence_scan z on z.evidence_id = i.id
  left join stored_blob s on s.digest = i.digest`

export function selectEvidence(ability: Ability, reach: Reach): Selection<object> {
  const then = instantSql(reach.at)
  const judged = happened(then, sql`y.given_at`)
  const superseding = sql`case when exists (select from evidence n where n.supersedes_id = i.id) then (
    with recursive line as (select i.id union select n.id from evidence n join line l on n.supersedes_id = l.id)
    select l.id from line l join evidence_verdict m on m.evidence_id = l.id
      where l.id <> i.id and m.verdict = 'accepted' and m.given_at <= ${then} order by m.given_at, l.id limit 1) end`
  const fields: Fields = {
    ...{ ...useCase, id: 'word', kind: 'word', title: 'text', form: 'word' },
    ...{
      digest: 'word',
      size: 'number',
      mediaType: 'word',
      fileName: 'text',
      statement: 'text',
      url: 'text',
    },
    ...{ freshUntil: 'instant', attachedBy: 'word', attachedAt: 'instant' },
    ...{ givenAt: ['instant', sql`coalesce(i.given_at, i.attached_at)`], sharedFromId: 'word' },
    ...{ supersedesId: 'word', supersededById: ['word', superseding] },
    ...{ verdict: judged('word', sql`y.verdict`), judgedBy: judged('word', sql`y.given_by`) },
    ...{ judgedAt: judged('instant', sql`y.given_at`), seats: judged('words', sql`y.seats`) },
    ...{ note: judged('text', sql`y.note`), content: ['word', content], disposedAt: 'instant' },
    checkedAt: ['instant', sql`case when i.form = 'file' then s.checked_at end`],
  }
  return rowsOf('i', fields, pieces, evidenceWhere(ability, reach), sql`i.id`)
}

function evidenceWhere(ability: Ability, { where, at }: Reach): SQL[] {
  const readable = visibleWhere(ability, 'read', 'Evidence', { ...head, attachedBy: sql`i.attached_by` })
  return [...where, readable, sql`i.attached_at <= ${instantSql(at)}`]
}

/** What was said of controls by then; `counts` is true of what was said last. */
export function selectProfiles(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const isLast = sql`not exists (select from control_assessment n where n.use_case_id = p.use_case_id
    and n.catalog = p.catalog and n.version = p.version and n.control_id = p.control_id
    and n.ordinal > p.ordinal and n.assessed_at <= ${then})`
  const named = sql`array(select e.evidence_id::text from control_evidence e
    where e.assessment_id = p.id order by e.evidence_id)`
  const fields: Fields = {
    ...{ ...useCase, id: 'word', catalog: 'word', version: 'word', control: ['word', sql`p.control_id`] },
    ...{ ordinal: 'number', state: 'word', note: 'text', assessedBy: 'word', assessedAt: 'instant' },
    ...{ copiedFrom: 'word', evidenceIds: ['words', named], counts: ['json', isLast] },
  }
  const readable = visibleWhere(ability, 'read', 'Profile', head)
  const from = sql`control_assessment p join use_case u on u.id = p.use_case_id`
  return rowsOf('p', fields, from, [...where, readable, sql`p.assessed_at <= ${then}`], sql`p.id`)
}

/** How long pieces have to be kept: every row, of which the last of a piece counts. */
export function selectRetention(ability: Ability, reach: Reach): Selection<object> {
  const fields: Fields = {
    ...{ ...useCase, evidenceId: 'word', ordinal: 'number', retainUntil: 'instant' },
    ...{ daysAfterRetirement: 'number', regulatoryUntil: 'instant', regulatoryDays: 'number' },
    ...{ because: 'word', classes: 'words', policyDigest: 'word', reason: 'text' },
    ...{ setBy: 'word', setAt: 'instant', shorteningId: 'word', approvedBy: 'word' },
  }
  const from = sql`retention_floor f join evidence i on i.id = f.evidence_id join use_case u on u.id = i.use_case_id`
  const until = sql`f.set_at <= ${instantSql(reach.at)}`
  const where = [...evidenceWhere(ability, reach), until]
  return rowsOf('f', fields, from, where, sql`f.evidence_id, f.ordinal`)
}

/** Earlier ends that somebody proposed, and what somebody else said to that. */
export function selectShortenings(ability: Ability, reach: Reach): Selection<object> {
  const then = instantSql(reach.at)
  const said = happened(then, sql`y.given_at`)
  const fields: Fields = {
    ...{ ...useCase, id: 'word', evidenceId: 'word', retainUntil: 'instant', reason: 'text' },
    ...{ proposedBy: 'word', proposedAt: 'instant', verdict: said('word', sql`y.verdict`) },
    ...{ givenBy: said('word', sql`y.given_by`), givenAt: said('instant', sql`y.given_at`) },
    verdictReason: said('text', sql`y.reason`),
  }
  const from = sql`retention_shortening f join evidence i on i.id = f.evidence_id
    join use_case u on u.id = i.use_case_id left join retention_shortening_verdict y on y.shortening_id = f.id`
  const readable = visibleWhere(ability, 'read', 'Shortening', { ...head, proposedBy: sql`f.proposed_by` })
  const where = [...evidenceWhere(ability, reach), readable, sql`f.proposed_at <= ${then}`]
  return rowsOf('f', fields, from, where, sql`f.id`)
}

/** Legal holds on these use cases or on a piece of theirs, by what they hold. */
export function selectHolds(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const released = happened(then, sql`y.released_at`)
  const lifted = happened(then, sql`z.lifted_at`)
  const fields: Fields = {
    ...{ ...useCase, id: 'word', evidenceId: 'word', addedBy: 'word', addedAt: 'instant', holdId: 'word' },
    ...{ key: ['word', sql`l.key`], title: ['text', sql`l.title`], reason: ['text', sql`l.reason`] },
    ...{ placedBy: ['word', sql`l.placed_by`], placedAt: ['instant', sql`l.placed_at`] },
    ...{ releasedBy: released('word', sql`y.released_by`), releaseReason: released('text', sql`y.reason`) },
    ...{ releasedAt: released('instant', sql`y.released_at`), liftedBy: lifted('word', sql`z.lifted_by`) },
    ...{ liftedAt: lifted('instant', sql`z.lifted_at`), liftingReason: lifted('text', sql`z.reason`) },
  }
  const from = sql`legal_hold_object h join legal_hold l on l.id = h.hold_id
    join use_case u on u.id = h.use_case_id
    left join legal_hold_release y on y.object_id = h.id left join legal_hold_lifting z on z.hold_id = l.id`
  const sight = { orgUnitId: sql`l.org_unit_id`, placedBy: sql`l.placed_by` }
  const readable = visibleWhere(ability, 'read', 'LegalHold', sight)
  return rowsOf('h', fields, from, [...where, readable, sql`h.added_at <= ${then}`], sql`h.id`)
}

/**
 * Disposals that were proposed by then, and those since, by which pieces of the package lost their content. `shown` is
 * what was to be seen of a piece before it went.
 */
export function selectDisposals(ability: Ability, { where, at }: Reach): Selection<object> {
  const then = instantSql(at)
  const known = sql`greatest(${then}, g.disposed_at)`
  const said = happened(known, sql`y.given_at`)
  const members = {
    ...{ evidenceId: sql`e.evidence_id`, digest: sql`i.digest`, shown: sql`e.shown` },
    disposedAt: instantIn(sql`w.disposed_at`),
  }
  const list = listOf(
    members,
    sql`from disposal_piece e join evidence i on i.id = e.evidence_id
      left join evidence_disposal w on w.evidence_id = e.evidence_id and w.disposal_id = d.id
      where e.disposal_id = d.id`,
    sql`e.evidence_id`,
  )
  const fields: Fields = {
    ...{ ...useCase, id: 'word', reason: 'text', policyDigest: 'word', proposedBy: 'word' },
    ...{ proposedAt: 'instant', pieces: ['json', list], verdict: said('word', sql`y.verdict`) },
    ...{ givenBy: said('word', sql`y.given_by`), givenAt: said('instant', sql`y.given_at`) },
    verdictReason: said('text', sql`y.reason`),
  }
  const from = sql`disposal d join use_case u on u.id = d.use_case_id
    left join disposal_verdict y on y.disposal_id = d.id
    left join lateral (select max(w.disposed_at) as disposed_at from evidence_disposal w
      join evidence i on i.id = w.evidence_id where w.disposal_id = d.id and i.attached_at <= ${then}) g on true`
  const told = sql`(d.proposed_at <= ${then} or g.disposed_at is not null)`
  const readable = visibleWhere(ability, 'read', 'Disposal', { ...head, proposedBy: sql`d.proposed_by` })
  return rowsOf('d', fields, from, [...where, readable, told], sql`d.id`)
}

/** A file of evidence, by the digest of its bytes. */
export interface StoredFile extends Record<string, unknown> {
  digest: string
  size: number
}

const PAGE = 1000

/**
 * Each file that can be had, once, in the order of digests, a thousand at a time: there is no telling how many there
 * are. What is in quarantine, was rejected, disposed of, or is known to be damaged is none of them.
 */
export async function* listFiles(
  snapshot: Snapshot,
  ability: Ability,
  reach: Reach,
): AsyncGenerator<StoredFile> {
  const where = sql.join(
    [...evidenceWhere(ability, reach), sql`i.form = 'file'`, sql`${content} = 'kept'`],
    sql` and `,
  )
  for (let last = ''; ; ) {
    const { rows } = await snapshot.sql.execute<{ digest: string; size: string }>(sql`
      select i.digest, max(i.size)::text as size from ${pieces}
        where ${where} and i.digest > ${last} group by i.digest order by i.digest limit ${PAGE}`)
    for (const { digest, size } of rows) yield { digest, size: Number(size) }
    const end = rows.at(-1)
    if (!end || rows.length < PAGE) return
    last = end.digest
  }
}

/** How many files a package of bytes has to do without, by what became of them. */
export async function countWithheld(
  snapshot: Snapshot,
  ability: Ability,
  reach: Reach,
): Promise<Record<string, number>> {
  const where = sql.join([...evidenceWhere(ability, reach), sql`${content} <> 'kept'`], sql` and `)
  const { rows } = await snapshot.sql.execute<{ content: string; count: string }>(
    sql`select ${content} as content, count(*)::text as count from ${pieces} where ${where} group by 1 order by 1`,
  )
  return Object.fromEntries(rows.map((row) => [row.content, Number(row.count)]))
}
