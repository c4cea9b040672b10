import { createHash } from 'node:crypto'
import { canonicalize } from '../../audit/canonical.js'
import { digestOfJson } from '../../audit/digest.js'
import { type Finding, listOf, type Row, rowOf } from './finding.js'
import {
  floor,
  keepingRecords,
  keepingTold,
  pick,
  type Said,
  type Telling,
  type Words,
} from './keeping-ties.js'

/**
 * What an event says of records: the members of its entry, and of what is sealed while that is kept. Types that are
 * not here say nothing that a record says, too.
 */
const told: Record<string, (leaf: Row, words: Words, count: Counter) => Telling[]> = {
  ...keepingTold,
  'use_case.registered': version,
  'use_case.revised': version,
  'review.opened': (leaf, words) => [
    {
      about: `review ${leaf.reviewId}`,
      said: { ...pick(leaf, ['round', 'version', 'tier', 'route']), note: words('note') },
    },
  ],
  'vote.cast': (leaf, words) => [
    {
      about: `vote ${leaf.reviewId} ${leaf.seat} ${leaf.ordinal}`,
      said: {
        ...{ choice: leaf.choice, onBehalfOf: leaf.onBehalfOf ?? null },
        ...{ personId: leaf.actor, rationale: words('rationale') },
      },
    },
  ],
  'decision.made': (leaf, words) => [
    {
      about: `decision ${leaf.decisionId}`,
      said: {
        ...pick(leaf, ['reviewId', 'outcome', 'tier', 'lane', 'version', 'materialDigest', 'validUntil']),
        ...{ policyDigest: leaf.policy, route: leaf.route, reason: words('reason') },
      },
    },
  ],
  'exception.granted': (leaf, words) => [
    {
      about: `exception ${leaf.exceptionId}`,
      said: {
        ...pick(leaf, ['decisionId', 'requirement', 'until']),
        ...{ control: leaf.control ?? null, compensating: words('compensating'), reason: words('reason') },
      },
    },
  ],
  'condition.imposed': (leaf, words) => [
    {
      about: `condition ${leaf.conditionId}`,
      said: { decisionId: leaf.decisionId, dueAt: leaf.dueAt, text: words('text') },
    },
  ],
  'control.assessed': (leaf, words, count) =>
    listOf(leaf.controls).map((one) => {
      const { id, state, evidenceIds } = rowOf(one)
      const control = `${subjectOf(leaf)} ${leaf.catalog}@${leaf.version} ${id}`
      const notes = words('notes')
      const note = notes === undefined ? undefined : (rowOf(notes)[String(id)] ?? '')
      const said = { state, evidenceIds: listOf(evidenceIds).map(String).sort(), note }
      return { about: `assessment ${control} ${count(control)}`, said }
    }),
  'evidence.attached': (leaf, words) => [
    {
      about: `evidence ${leaf.evidenceId}`,
      said: {
        ...pick(leaf, ['kind', 'form', 'digest', 'size']),
        ...{ title: words('title'), fileName: words('fileName'), statement: words('statement') },
      },
    },
    ...(leaf.retainUntil === undefined ? [] : [floor(leaf, 1)]),
  ],
  'evidence.accepted': (leaf, words) => verdict(leaf, words, 'accepted'),
  'evidence.refused': (leaf, words) => verdict(leaf, words, 'refused'),
  'evidence.disposed': (leaf) => [
    { about: `certificate ${leaf.evidenceId}`, said: pick(leaf, ['disposalId', 'digest']) },
  ],
  'use_case.suspended': (leaf, words) => [
    { about: `suspension ${leaf.suspensionId}`, said: { reason: words('reason') } },
  ],
  'incident.reported': (leaf, words) => [
    {
      about: `incident ${leaf.incidentId}`,
      said: {
        occurredAt: leaf.occurredAt,
        title: words('title'),
        description: words('description'),
      },
    },
  ],
  'break_glass.opened': (leaf, words) => [
    {
      about: `opening ${leaf.breakGlassId}`,
      said: { ...pick(leaf, ['environment', 'expiresAt']), reason: words('reason') },
    },
  ],
  'gate.answered': (leaf) => [
    {
      about: `answer ${subjectOf(leaf)}`,
      said: { ...pick(leaf, ['environment', 'decision', 'enforced']), policyDigest: leaf.policy },
    },
  ],
  'access.denied': (leaf) => [
    { about: `refusal ${leaf.id}`, said: pick(leaf, ['rule', 'action', 'kind', 'subjectId']) },
  ],
}

function version(leaf: Row): Telling[] {
  const about = `version ${subjectOf(leaf)} ${leaf.version}`
  return [{ about, said: { factsDigest: leaf.factsDigest, policyDigest: leaf.policy } }]
}

function verdict({ evidenceId }: Row, words: Words, given: string): Telling[] {
  return [{ about: `verdict ${evidenceId}`, said: { verdict: given, note: words('note') } }]
}

/** What a record says of the same. */
const records: Record<string, (row: Row) => Telling[]> = {
  ...keepingRecords,
  'versions.ndjson': ({ useCaseId, version, facts, policyDigest }) => [
    { about: `version ${useCaseId} ${version}`, said: { factsDigest: digestOfJson(facts), policyDigest } },
  ],
  'reviews.ndjson': (row) => [{ about: `review ${row.id}`, said: row }],
  'votes.ndjson': (row) => [{ about: `vote ${row.reviewId} ${row.seat} ${row.ordinal}`, said: row }],
  'decisions.ndjson': (row) => [{ about: `decision ${row.id}`, said: row }],
  'exceptions.ndjson': (row) => [{ about: `exception ${row.id}`, said: row }],
  'conditions.ndjson': (row) => [{ about: `condition ${row.id}`, said: row }],
  'profiles.ndjson': (row) => {
    const control = `${row.useCaseId} ${row.catalog}@${row.version} ${row.control}`
    return [{ about: `assessment ${control} ${row.ordinal}`, said: row }]
  },
  'evidence.ndjson': ({ id, title, fileName, statement, ...row }) => [
    {
      about: `evidence ${id}`,
      said: row.content === 'disposed' ? row : { ...row, title, fileName, statement },
    },
    ...(typeof row.verdict === 'string' ? [{ about: `verdict ${id}`, said: row }] : []),
  ],
  'suspensions.ndjson': (row) => [{ about: `suspension ${row.id}`, said: row }],
  'incidents.ndjson': (row) => [{ about: `incident ${row.id}`, said: row }],
  'break-glass.ndjson': (row) => [{ about: `opening ${row.id}`, said: row }],
  'gate-answers.ndjson': (row) => [{ about: `answer ${row.id}`, said: row }],
  'refusals.ndjson': (row) => [{ about: `refusal ${row.id}`, said: row }],
}

function subjectOf(leaf: Row): unknown {
  return rowOf(leaf.aggregate).id
}

type Counter = (name: string) => number

/** Holds what records say against what the log says; of both it keeps hashes only. */
export class LogTies {
  readonly #told = new Map<string, string>()
  readonly #recorded: { file: string; about: string; said: string; at: string }[] = []
  readonly #counts = new Map<string, number>()

  hear(leaf: Row, sealed: unknown): void {
    const kept = rowOf(sealed)
    const words = (name: string) => rowOf(kept[name]).value
    for (const { about, said } of told[String(leaf.type)]?.(leaf, words, this.#count) ?? []) {
      this.#told.set(about, hashes(said))
    }
  }

  read(file: string, row: Row): void {
    for (const { about, said, at } of records[file]?.(row) ?? []) {
      this.#recorded.push({ file, about, said: hashes(said), at: String(at ?? '') })
    }
  }

  /** Whether the log tells of a disposal of this piece. */
  hasCertificate(evidenceId: string): boolean {
    return this.#told.has(`certificate ${evidenceId}`)
  }

  /**
   * @param asOf the end of the log; a package tells of disposals after it, by which pieces lost their content
   * @param files those that records are looked at of; all, if left out
   */
  *conclude(asOf: string | undefined, files?: string[]): Generator<Finding> {
    for (const { file, about, said, at } of this.#recorded) {
      if (files?.includes(file) === false || (asOf !== undefined && at > asOf)) continue
      const heard = this.#told.get(about)
      if (heard === undefined) {
        yield { code: 'EVENT_MISSING', where: `${file} ${about}`, message: 'no event of the log tells of it' }
        continue
      }
      const own = membersOf(said)
      const differing = [...membersOf(heard)].filter(([name, hash]) => (own.get(name) ?? hash) !== hash)
      if (differing.length === 0) continue
      const names = differing.map(([name]) => name).join(', ')
      yield {
        code: 'RECORD_MISMATCH',
        where: `${file} ${about}`,
        message: `the log says something else of ${names}`,
      }
    }
  }

  /** What the log tells of, and no record: somebody left it out. Only auditors of its unit see a hold. */
  *concludeUntold(): Generator<Finding> {
    const recorded = new Set(this.#recorded.map(({ about }) => about))
    for (const about of this.#told.keys()) {
      if (recorded.has(about) || /^(certificate|hold|release|lifting) /.test(about)) continue
      yield { code: 'RECORD_MISSING', where: about, message: 'the log tells of it, and it is not there' }
    }
  }

  readonly #count: Counter = (name) => {
    const next = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, next)
    return next
  }
}

/** Only of members that some event speaks of, so that little is kept. */
const spoken = new Set([
  ...[
    'round',
    'version',
    'tier',
    'route',
    'note',
    'choice',
    'onBehalfOf',
    'personId',
    'rationale',
    'reviewId',
  ],
  ...[
    'outcome',
    'lane',
    'materialDigest',
    'validUntil',
    'policyDigest',
    'reason',
    'decisionId',
    'requirement',
  ],
  ...['until', 'control', 'compensating', 'dueAt', 'text', 'state', 'evidenceIds', 'kind', 'form', 'digest'],
  ...['size', 'title', 'fileName', 'statement', 'verdict', 'occurredAt', 'description', 'environment'],
  ...['expiresAt', 'decision', 'enforced', 'rule', 'action', 'subjectId', 'factsDigest', 'disposalId'],
  ...['retainUntil', 'daysAfterRetirement', 'evidenceId', 'proposedBy', 'givenBy', 'verdictReason', 'key'],
  ...['releasedBy', 'releaseReason', 'liftedBy', 'liftingReason'],
])

/** Names and hashes in turn, a line each: there may be millions, and a string takes the least room. */
function hashes(said: Said): string {
  const entries = Object.entries(said).filter(([name, value]) => spoken.has(name) && value !== undefined)
  return entries.map(([name, value]) => `${name}\n${hashOf(value)}\n`).join('')
}

function membersOf(hashed: string): Map<string, string> {
  const lines = hashed.split('\n')
  const members = new Map<string, string>()
  for (let at = 0; at + 1 < lines.length; at += 2) members.set(lines[at] ?? '', lines[at + 1] ?? '')
  return members
}

/** What is short stands for itself. */
function hashOf(value: unknown): string {
  const text = canonicalize(value)
  return text.length <= 40 ? text : createHash('sha256').update(text).digest('base64')
}
