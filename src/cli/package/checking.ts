import { createHash, type Hash } from 'node:crypto'
import { canonicalize } from '../../audit/canonical.js'
import { linesOf } from '../../db/lines.js'
import { evidenceName, PackageManifest, SUMS } from '../../packages/package.js'
import { filesIn, TarDamage, type TarFile } from '../../packages/tar.js'

/** What can be wrong with a package. Codes never change their meaning. */
export type Code =
  | 'TRUNCATED'
  | 'SUM_MISMATCH'
  | 'FILE_MISSING'
  | 'FILE_UNKNOWN'
  | 'UNREADABLE'
  | 'RECORDS_MISMATCH'
  | 'EVIDENCE_MISSING'
  | 'EVENT_NO_GAP'
  | 'LEAF_MISMATCH'
  | 'VOTE_MISSING'
  | 'EVENT_MISSING'

export interface Finding {
  code: Code
  /** The file, and the record where there is one. */
  where: string
  message: string
}

export interface Checked {
  manifest: PackageManifest | undefined
  findings: Finding[]
}

type Row = Record<string, unknown>

/** What is kept of a package while it is read: digests and ids, never whole records. */
class Check {
  readonly findings: Finding[] = []
  /** File to SHA-256 in hex. */
  readonly sums = new Map<string, string>()
  readonly rows = new Map<string, { rows: number; size: number }>()
  readonly votes = new Map<string, string>()
  readonly decisions: { id: string; voteIds: string[] }[] = []
  readonly evidence: { id: string; digest: string }[] = []
  /** What events say was decided and cast. */
  readonly told = new Set<string>()
  readonly eventNos = new Map<string, number>()
  /** Names by their sums, as the last file lists them. */
  named: Map<string, string> | undefined
  manifest: PackageManifest | undefined

  find(code: Code, where: string, message: string): void {
    this.findings.push({ code, where, message })
  }
}

/** Reads a package front to back, once, and says all that is wrong with it. */
export async function checkPackage(source: AsyncIterable<Uint8Array>): Promise<Checked> {
  const check = new Check()
  try {
    for await (const file of filesIn(source)) await readFile(check, file)
    concludeSums(check)
    concludeRecords(check)
  } catch (error) {
    if (!(error instanceof TarDamage)) throw error
    check.find('TRUNCATED', 'the tar', `${error.message}; fetch it again`)
  }
  return { manifest: check.manifest, findings: check.findings }
}

async function readFile(check: Check, { name: path, size, bytes }: TarFile): Promise<void> {
  const name = path.slice(path.indexOf('/') + 1)
  const hash = createHash('sha256')
  const content = hashing(bytes, hash)
  if (name.endsWith('.ndjson')) await readRecords(check, name, size, content)
  else if (name === SUMS) check.named = await readSums(check, content)
  else if (name === 'manifest.json') await readManifest(check, content)
  else for await (const _ of content);
  if (name !== SUMS) check.sums.set(name, hash.digest('hex'))
}

async function* hashing(bytes: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}

async function readSums(check: Check, bytes: AsyncIterable<Uint8Array>): Promise<Map<string, string>> {
  const named = new Map<string, string>()
  for await (const line of linesOf(bytes)) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? []
    if (sum && name) named.set(name, sum)
    else check.find('UNREADABLE', SUMS, 'a line of it is no sum')
  }
  return named
}

async function readManifest(check: Check, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  const parsed = PackageManifest.safeParse(parse(Buffer.concat(chunks).toString()))
  if (parsed.success) check.manifest = parsed.data
  else check.find('UNREADABLE', 'manifest.json', 'it is not a manifest of this version of Assent')
}

async function readRecords(
  check: Check,
  name: string,
  size: number,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  let rows = 0
  for await (const line of linesOf(bytes)) {
    rows += 1
    const row = parse(line)
    if (typeof row !== 'object' || row === null)
      check.find('UNREADABLE', `${name} line ${rows}`, 'it is no record')
    else readers[name]?.(check, row as Row)
  }
  check.rows.set(name, { rows, size })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const readers: Record<string, (check: Check, row: Row) => void> = {
  'votes.ndjson': (check, row) => check.votes.set(String(row.id), castOf(row)),
  'decisions.ndjson': (check, { id, voteIds }) =>
    check.decisions.push({ id: String(id), voteIds: Array.isArray(voteIds) ? voteIds.map(String) : [] }),
  'evidence.ndjson': (check, { id, digest, form }) => {
    if (form === 'file') check.evidence.push({ id: String(id), digest: String(digest) })
  },
  'events.ndjson': readEvent,
}

function castOf({ reviewId, seat, ordinal }: Row): string {
  return `${reviewId} ${seat} ${ordinal}`
}

function readEvent(check: Check, row: Row): void {
  const where = `events.ndjson ${row.aggregateId} ${row.eventNo}`
  const aggregateId = String(row.aggregateId)
  const expected = (check.eventNos.get(aggregateId) ?? 0) + 1
  if (row.eventNo !== expected) {
    check.find('EVENT_NO_GAP', where, `event ${expected} was to come; one is missing or out of order`)
  }
  check.eventNos.set(aggregateId, Number(row.eventNo))
  const leaf = parse(Buffer.from(String(row.leaf), 'base64').toString()) as Row | undefined
  const about = leaf?.aggregate as Row | undefined
  const isSame =
    leaf?.id === row.id && leaf?.type === row.type && about?.id === aggregateId && about?.no === row.eventNo
  if (!leaf || !isSame) {
    check.find('LEAF_MISMATCH', where, 'the entry of the log says something else')
    return
  }
  if (leaf.type === 'decision.made') check.told.add(String(leaf.decisionId))
  if (leaf.type === 'vote.cast') check.told.add(castOf(leaf))
  for (const name of unsealed(row.sealed, leaf.sealed)) {
    check.find('LEAF_MISMATCH', where, `${name} is not what the log holds the hash of`)
  }
}

/** Names of sealed values that do not have the hash of the log; what was erased has none to compare. */
function unsealed(sealed: unknown, hashes: unknown): string[] {
  if (typeof sealed !== 'object' || sealed === null) return []
  const kept = Object.entries(sealed as Record<string, { salt: string; value: unknown }>)
  return kept.flatMap(([name, { salt, value }]) => {
    const hash = createHash('sha256')
      .update(Buffer.from(String(salt), 'base64url'))
      .update(canonicalize(value))
    return hash.digest('base64url') === (hashes as Row | undefined)?.[name] ? [] : [name]
  })
}

function concludeSums(check: Check): void {
  const { named, sums } = check
  if (!named) {
    check.find('TRUNCATED', SUMS, 'the last file is missing; fetch the package again')
    return
  }
  for (const [name, sum] of named) {
    const found = sums.get(name)
    if (found === undefined) check.find('FILE_MISSING', name, 'it has a sum and is not there')
    else if (found !== sum) check.find('SUM_MISMATCH', name, 'its bytes are not those it was made with')
  }
  for (const name of sums.keys())
    if (!named.has(name)) check.find('FILE_UNKNOWN', name, 'it is there without a sum')
}

function concludeRecords(check: Check): void {
  for (const { name, rows, size } of check.manifest?.records ?? []) {
    const found = check.rows.get(name)
    if (found?.rows === rows && found.size === size) continue
    check.find('RECORDS_MISMATCH', name, `${rows} records were to be there, ${found?.rows ?? 0} are`)
  }
  for (const { id, voteIds } of check.decisions) {
    const missing = voteIds.filter((vote) => !check.votes.has(vote))
    if (missing.length > 0)
      check.find('VOTE_MISSING', `decision ${id}`, `it rests on ${missing.join(', ')}, not there`)
    if (!check.told.has(id)) check.find('EVENT_MISSING', `decision ${id}`, 'no event of the log tells of it')
  }
  for (const [id, cast] of check.votes) {
    if (!check.told.has(cast)) check.find('EVENT_MISSING', `vote ${id}`, 'no event of the log tells of it')
  }
  if (check.manifest?.evidence.form !== 'bytes') return
  for (const { id, digest } of check.evidence) {
    const sum = check.sums.get(evidenceName(digest))
    if (`sha256:${sum}` !== digest) check.find('EVIDENCE_MISSING', `evidence ${id}`, `${digest} is not there`)
  }
}
