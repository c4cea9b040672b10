import { createHash } from 'node:crypto'
import pg from 'pg'
import { digestOfJson } from '../../src/audit/digest.js'
import { Journal } from '../../src/audit/log.js'
import { snakeCase } from '../../src/db/insert-all.js'
import { newId, ROOT_UNIT_ID } from '../../src/ids.js'
import { addDays, type Instant } from '../../src/instant.js'
import type { Policies } from '../../src/policy/load.js'

/** A register to be audited: what there is of each use case, and the files of its evidence. */
export interface Audited {
  useCases: number
  /** Pieces of evidence of each use case. */
  pieces: number
  /** The digest and size of a piece. */
  fileOf(useCase: number, piece: number): { digest: string; size: number }
}

/** Digests of files that are nowhere, all of one size. */
export function imagined(size: number): Audited['fileOf'] {
  return (useCase, piece) => {
    const hex = createHash('sha256').update(`${useCase} ${piece}`).digest('hex')
    return { digest: `sha256:${hex}`, size }
  }
}

const BATCH = 100
const CONTROLS = 20
const GATE_ANSWERS = 3
const registered: Instant = '2026-01-05T09:00:00.000Z'
const decided: Instant = '2026-01-12T09:00:00.000Z'

type Row = Record<string, unknown>

/** Rows and events of some use cases, which agree as those of the service do. */
class Draft {
  readonly tables = new Map<string, Row[]>()
  readonly #first: Journal
  readonly #second: Journal
  readonly #policies: Policies
  readonly #owner: string
  readonly #judge: string

  constructor(policies: Policies, { owner, judge }: { owner: string; judge: string }) {
    this.#policies = policies
    this.#owner = owner
    this.#judge = judge
    this.#first = new Journal({ actorId: owner, requestId: newId() })
    this.#second = new Journal({ actorId: judge, requestId: newId() })
  }

  /** Rows first: events move the counters of rows that are there. */
  async write(client: pg.Client): Promise<void> {
    for (const [table, rows] of this.tables) await insert(client, table, rows)
    await this.#first.append(client, registered)
    await this.#second.append(client, decided)
  }

  add(number: number, { pieces, fileOf }: Audited): void {
    const id = newId()
    const facts = factsOf(number, this.#owner, this.#judge)
    const policy = this.#policies.digest
    this.#row('use_case', { ...headOf(id, number, policy), ...columnsOf(facts), author_ids: [this.#owner] })
    const version = { computed_tier: 'high', fired: [], policy_digest: policy }
    const written = { recorded_at: registered, author_id: this.#owner, reason: 'as it is' }
    this.#row('use_case_version', { use_case_id: id, version: 1, ...written, facts, ...version })
    this.#row('use_case_state', { use_case_id: id, revision: 1, recorded_at: registered, version: 1 })
    const useCase = { id, lastEventNo: 0 }
    const factsDigest = digestOfJson(facts)
    this.#first.record(
      useCase,
      {
        ...{ type: 'use_case.registered', right: 'DR-20', version: 1, orgUnitId: ROOT_UNIT_ID, tier: 'high' },
        ...{ fired: [], policy, factsDigest, origin: 'declared', sealed: { facts, reason: 'as it is' } },
      },
      registered,
    )
    const files = Array.from({ length: pieces }, (_, piece) => ({
      evidenceId: newId(),
      ...fileOf(number, piece),
    }))
    for (const file of files) this.#attach(useCase, file)
    this.#assess(
      useCase,
      files.map(({ evidenceId }) => evidenceId),
    )
    const reviewId = this.#submit(useCase)
    // What the second person does follows what the first did.
    const after = { id, lastEventNo: files.length + 3 }
    for (const file of files) this.#accept(after, file)
    this.#decide(after, reviewId, files)
    for (let turn = 0; turn < GATE_ANSWERS; turn += 1) this.#answer(useCase)
  }

  #row(table: string, row: Row): void {
    const rows = this.tables.get(table)
    if (rows) rows.push(row)
    else this.tables.set(table, [row])
  }

  #attach(useCase: { id: string; lastEventNo: number }, file: Filed): void {
    const { evidenceId, digest, size } = file
    const title = 'What the tests found'
    const place = { use_case_id: useCase.id, kind: 'test_report', form: 'file', file_name: 'report.pdf' }
    const given = { attached_by: this.#owner, attached_at: registered, given_at: registered }
    this.#row('evidence', {
      id: evidenceId,
      ...place,
      title,
      digest,
      size,
      media_type: 'application/pdf',
      ...given,
    })
    const by = { set_by: this.#owner, set_at: registered, policy_digest: this.#policies.digest }
    this.#row('retention_floor', { evidence_id: evidenceId, ...floor, ...by })
    const sealed = { title, fileName: 'report.pdf', statement: null }
    const what = { evidenceId, kind: 'test_report', form: 'file', digest, size, ...kept }
    this.#first.record(useCase, { type: 'evidence.attached', right: 'DR-22', ...what, sealed }, registered)
  }

  #accept(useCase: { id: string; lastEventNo: number }, { evidenceId, digest }: Filed): void {
    const note = 'read and found sound'
    const by = { attached_by: this.#owner, given_by: this.#judge, given_at: decided }
    this.#row('evidence_verdict', {
      evidence_id: evidenceId,
      ...by,
      verdict: 'accepted',
      note,
      seats: ['risk'],
    })
    const event = { type: 'evidence.accepted', right: 'DR-30', evidenceId, digest, sealed: { note } } as const
    this.#second.record(useCase, event, decided)
  }

  #assess(useCase: { id: string; lastEventNo: number }, evidenceIds: string[]): void {
    const [framework] = this.#policies.catalogs
    if (!framework) throw new Error('policy has no catalog')
    const { id: catalog, version } = framework
    const named = evidenceIds.slice(0, 1)
    const controls = framework.controls.slice(0, CONTROLS).map(({ id }) => id)
    for (const control of controls) {
      const assessmentId = newId()
      const place = { use_case_id: useCase.id, catalog, version, control_id: control, ordinal: 1 }
      const said = { state: 'in_place', note: 'as tested', assessed_by: this.#owner, assessed_at: registered }
      this.#row('control_assessment', { id: assessmentId, ...place, ...said })
      for (const evidenceId of named)
        this.#row('control_evidence', {
          assessment_id: assessmentId,
          use_case_id: useCase.id,
          evidence_id: evidenceId,
        })
    }
    const notes = Object.fromEntries(controls.map((id) => [id, 'as tested']))
    const told = controls.map((id) => ({ id, state: 'in_place', evidenceIds: named }))
    const event = { right: 'DR-39', catalog, version, controls: told, sealed: { notes } }
    this.#first.record(useCase, { type: 'control.assessed', ...event }, registered)
  }

  #submit(useCase: { id: string; lastEventNo: number }): string {
    const [reviewId, policy] = [newId(), this.#policies.digest]
    const round = {
      id: reviewId,
      use_case_id: useCase.id,
      round: 1,
      version: 1,
      tier: 'high',
      lane: { id: 'high' },
    }
    const times = { opened_at: registered, due_at: decided, closed_at: decided }
    const ended = { outcome: 'approved', closing_reason: 'the votes decided it' }
    this.#row('review', {
      ...{ ...round, policy_digest: policy, submitted_by: this.#owner, note: '', ...times },
      ...ended,
    })
    const what = { reviewId, round: 1, version: 1, tier: 'high', lane: 'high', policy } as const
    const way = { route: 'full', overlays: [], waives: [], sealed: { note: '' } }
    this.#first.record(useCase, { type: 'review.opened', right: 'DR-22', ...what, ...way }, registered)
    return reviewId
  }

  #decide(useCase: { id: string; lastEventNo: number }, reviewId: string, files: Filed[]): void {
    const rationale = 'The risks are known, and what is in place keeps them small.'
    const votes = ['risk', 'legal', 'security'].map((seat) => ({
      id: newId(),
      seat,
      choice: 'approve',
      rationale,
    }))
    for (const { id, seat, choice } of votes) {
      const cast = { seat, ordinal: 1, choice, rationale, decision_right: 'DR-32', cast_at: decided }
      this.#row('vote', { id, review_id: reviewId, person_id: this.#judge, ...cast })
      const event = {
        right: 'DR-32',
        reviewId,
        seat,
        ordinal: 1,
        choice,
        sealed: { rationale, conditions: [] },
      }
      this.#second.record(useCase, { type: 'vote.cast', ...event }, decided)
    }
    const [decisionId, policy, reason] = [newId(), this.#policies.digest, 'the votes decided it']
    const validUntil = addDays(decided, 365)
    const what = { outcome: 'approved', tier: 'high', version: 1, route: 'full' } as const
    this.#row('decision', {
      ...{ id: decisionId, use_case_id: useCase.id, review_id: reviewId, ...what, reason, lane_id: 'high' },
      ...{
        valid_until: validUntil,
        material_facts: ['purpose'],
        material_digest: policy,
        policy_digest: policy,
      },
      ...{ votes, evidence: files.map(({ evidenceId, digest }) => ({ id: evidenceId, digest })) },
      decided_at: decided,
    })
    const led = { reviewId, decisionId, ...what, lane: 'high', materialDigest: policy, policy, validUntil }
    const counts = { conditions: 0, limits: 0, waived: [], sealed: { reason } }
    this.#second.record(useCase, { type: 'decision.made', ...led, ...counts }, decided)
  }

  #answer({ id: useCaseId }: { id: string }): void {
    const [id, policy] = [newId(), this.#policies.digest]
    const question = { useCase: useCaseId, environment: 'production' }
    const answer = { decision: 'allow', enforced: true }
    this.#row('gate_answer', {
      ...{ id, asked_by: this.#judge, asked_at: decided, question, use_case_id: useCaseId },
      ...{ environment: 'production', ...answer, would_be: 'allow', reasons: [], version: 1 },
      ...{ standing: 'cleared', valid_until: addDays(decided, 1), policy_digest: policy },
    })
    const event = {
      useCaseId,
      environment: 'production',
      ...answer,
      reasons: [],
      policy,
      sealed: { question },
    }
    this.#second.record({ id, lastEventNo: 0 }, { type: 'gate.answered', ...event }, decided)
  }
}

interface Filed {
  evidenceId: string
  digest: string
  size: number
}

/** What people said of a use case. */
function factsOf(number: number, businessOwnerId: string, riskOwnerId: string) {
  return {
    ...{ title: `Use of AI ${number}`, purpose: 'Sorts what comes in by how urgent it is. '.repeat(4) },
    ...{ benefits: 'Shorter waits', outputs: 'A draft that a person reads', orgUnitId: ROOT_UNIT_ID },
    ...{ jurisdictions: ['EU'], channels: ['web'], stage: 'pilot', technique: 'nlp', systemIds: [] },
    ...{
      answers: { customer_facing: 'yes', personal_data: 'special' },
      businessOwnerId,
      riskOwnerId,
      tags: [],
    },
  }
}

function columnsOf(facts: Row): Row {
  const entries = Object.entries(facts).map(([name, value]) => [snakeCase(name), value])
  return Object.fromEntries(entries)
}

function headOf(id: string, number: number, policy: string): Row {
  return {
    ...{ id, number, created_at: registered, updated_at: registered, origin: 'declared', version: 1 },
    ...{ computed_tier: 'high', fired: [], policy_digest: policy },
  }
}

/** Longer than policy asks, so that nobody has to raise it while something is measured. */
const kept = { retainUntil: addDays(registered, 5000), daysAfterRetirement: 5000, classes: ['ordinary'] }
const floor = {
  ...{ ordinal: 1, retain_until: kept.retainUntil, days_after_retirement: kept.daysAfterRetirement },
  ...{ policy_until: kept.retainUntil, policy_days: kept.daysAfterRetirement },
  ...{ regulatory_until: kept.retainUntil, regulatory_days: kept.daysAfterRetirement },
  ...{ because: 'attached', classes: kept.classes },
}

/** The columns that the rows name; the others have what the table gives them. */
async function insert(client: pg.Client, table: string, rows: Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}).join(', ')
  await client.query(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_recordset(null::${table}, $1)`,
    [JSON.stringify(rows)],
  )
}

/**
 * Fills a register whose world is there with use cases that were reviewed, with their evidence, controls and log.
 * @param superuser whose sessions check no foreign key
 */
export async function seedAudited(
  superuser: pg.ClientConfig,
  policies: Policies,
  audited: Audited,
): Promise<void> {
  const client = new pg.Client({
    ...superuser,
    options: '-c timezone=UTC -c session_replication_role=replica -c synchronous_commit=off',
  })
  await client.connect()
  try {
    const { rows } = await client.query<{ id: string }>(
      `select id from person where kind = 'human' order by id limit 2`,
    )
    const [owner = '', judge = ''] = rows.map(({ id }) => id)
    for (let first = 1; first <= audited.useCases; first += BATCH) {
      const draft = new Draft(policies, { owner, judge })
      const last = Math.min(first + BATCH - 1, audited.useCases)
      for (let number = first; number <= last; number += 1) draft.add(number, audited)
      await client.query('begin')
      await draft.write(client)
      await client.query('commit')
    }
    await client.query('delete from outbox') // nobody is told of what is only measured
    await client.query(`update custody_turn set next_at = '2099-01-01'`) // nor looks after it meanwhile
    await client.query('vacuum analyze')
  } finally {
    await client.end()
  }
}
