import { createHash, type Hash } from 'node:crypto'
import { canonicalize } from '../../audit/canonical.js'
import { digestOf } from '../../audit/digest.js'
import { linesOf } from '../../db/lines.js'
import {
  AnyManifest,
  evidenceName,
  INCOMPLETE,
  type PackageManifest,
  SUMS,
  sumLine,
} from '../../packages/package.js'
import { filesIn, TarDamage, type TarFile } from '../../packages/tar.js'
import { type Checked, type Code, type Finding, listOf, type Row, rowOf } from './finding.js'
import { LogTies } from './log-ties.js'
import { References } from './references.js'

/** What is kept of a package while it is read: digests, hashes and ids, never whole records. */
class Check {
  readonly findings: Finding[] = []
  readonly notes: string[] = []
  /** File to SHA-256 in hex. */
  readonly sums = new Map<string, string>()
  readonly rows = new Map<string, { rows: number; size: number }>()
  readonly votes = new Set<string>()
  readonly decisions: { id: string; voteIds: string[] }[] = []
  readonly eventNos = new Map<string, number>()
  readonly ties = new LogTies()
  readonly references = new References()
  /** Names by their sums, as the last file lists them. */
  named: Map<string, string> | undefined
  manifest: AnyManifest | undefined
  /** Why it broke off, as it says itself. */
  why: string | undefined

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
    const message = check.why ?? `${error.message}; fetch it again`
    check.find('TRUNCATED', 'the tar', message)
  }
  const { manifest, findings, notes, why } = check
  return { manifest, findings, notes, why }
}

async function readFile(check: Check, { name: path, size, bytes }: TarFile): Promise<void> {
  const name = path.slice(path.indexOf('/') + 1)
  const hash = createHash('sha256')
  const content = hashing(bytes, hash)
  if (name.endsWith('.ndjson')) await readRecords(check, name, size, content)
  else if (name === SUMS) check.named = await readSums(check, content)
  else if (name === 'manifest.json') readManifest(check, await textOf(content))
  else if (name === INCOMPLETE) check.why = (await textOf(content)).trim()
  else if (/^policies\/[^/]+\/catalogs\//.test(name)) readCatalog(check, await textOf(content))
  else for await (const _ of content);
  if (check.sums.has(name)) check.find('FILE_UNKNOWN', name, 'it is there twice')
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

/** For what is small in every package; more than that is read and dropped. */
async function textOf(bytes: AsyncIterable<Uint8Array>, limit = 50_000_000): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size <= limit) chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function readManifest(check: Check, text: string): void {
  const parsed = AnyManifest.safeParse(parse(text))
  if (parsed.success) check.manifest = parsed.data
  else check.find('UNREADABLE', 'manifest.json', 'it is not a manifest of this version of Assent')
}

function readCatalog(check: Check, text: string): void {
  check.references.readCatalog(rowOf(parse(text)))
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
    const isRead = typeof row === 'object' && row !== null && readRecord(check, name, row as Row)
    if (!isRead) check.find('UNREADABLE', `${name} line ${rows}`, 'it is no record')
  }
  check.rows.set(name, { rows, size })
}

/** @returns false for what no package holds, such as half of a character */
function readRecord(check: Check, name: string, row: Row): boolean {
  try {
    readers[name]?.(check, row)
    check.ties.read(name, row)
    check.references.read(name, row)
    return true
  } catch {
    return false
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const readers: Record<string, (check: Check, row: Row) => void> = {
  'votes.ndjson': (check, { id }) => void check.votes.add(String(id)),
  'decisions.ndjson': (check, { id, voteIds }) =>
    void check.decisions.push({ id: String(id), voteIds: listOf(voteIds).map(String) }),
  'events.ndjson': (check, row) => {
    assertNext(check, row)
    readEntry(check, row, 'events.ndjson', { id: row.aggregateId, no: row.eventNo, event: row.id })
  },
  'gate-answers.ndjson': (check, row) =>
    readEntry(check, row, 'gate-answers.ndjson', { id: row.id, no: 1, type: 'gate.answered' }),
  'refusals.ndjson': (check, row) =>
    readEntry(check, row, 'refusals.ndjson', { id: row.personId, event: row.id, type: 'access.denied' }),
}

function assertNext(check: Check, row: Row): void {
  const aggregateId = String(row.aggregateId)
  const expected = (check.eventNos.get(aggregateId) ?? 0) + 1
  if (row.eventNo !== expected) {
    const where = `events.ndjson ${aggregateId} ${row.eventNo}`
    check.find('EVENT_NO_GAP', where, `event ${expected} was to come; one is missing or out of order`)
  }
  check.eventNos.set(aggregateId, Number(row.eventNo))
}

/** What a record says of the entry that it carries. */
interface Carried {
  /** Of what it is about. */
  id: unknown
  no?: unknown
  event?: unknown
  type?: string
}

function readEntry(check: Check, row: Row, file: string, { id, no, event, type }: Carried): void {
  const where = `${file} ${id} ${no ?? event}`
  const leaf = rowOf(parse(Buffer.from(String(row.leaf), 'base64').toString()))
  const about = rowOf(leaf.aggregate)
  const isSame =
    about.id === id &&
    (no === undefined || about.no === no) &&
    (event === undefined || leaf.id === event) &&
    leaf.type === (type ?? row.type)
  if (!isSame) {
    check.find('LEAF_MISMATCH', where, 'the entry of the log says something else')
    return
  }
  check.ties.hear(leaf, row.sealed)
  for (const name of unsealed(row.sealed, leaf.sealed)) {
    check.find('LEAF_MISMATCH', where, `${name} is not what the log holds the hash of`)
  }
}

/** Names of sealed values that do not have the hash of the log; what was erased has none to compare. */
function unsealed(sealed: unknown, hashes: unknown): string[] {
  return Object.entries(rowOf(sealed)).flatMap(([name, kept]) => {
    const { salt, value } = rowOf(kept)
    const hash = createHash('sha256')
      .update(Buffer.from(String(salt), 'base64url'))
      .update(canonicalize(value))
    return hash.digest('base64url') === rowOf(hashes)[name] ? [] : [name]
  })
}

function concludeSums(check: Check): void {
  const { named, sums } = check
  if (!named) {
    check.find('TRUNCATED', SUMS, check.why ?? 'the last file is missing; fetch the package again')
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
  const { manifest, sums, references, ties, eventNos } = check
  for (const { name, rows, size } of manifest?.records ?? []) {
    const found = check.rows.get(name)
    if (found?.rows === rows && found.size === size) continue
    check.find('RECORDS_MISMATCH', name, `${rows} records were to be there, ${found?.rows ?? 0} are`)
  }
  for (const { id, voteIds } of check.decisions) {
    const missing = voteIds.filter((vote) => !check.votes.has(vote))
    if (missing.length > 0)
      check.find('VOTE_MISSING', `decision ${id}`, `it rests on ${missing.join(', ')}, not there`)
  }
  const hasBytes = (digest: string) => `sha256:${sums.get(evidenceName(digest))}` === digest
  const isFirst = manifest?.formatVersion === 1
  const files = isFirst ? ['votes.ndjson', 'decisions.ndjson'] : undefined
  check.findings.push(...ties.conclude(manifest?.asOf, files))
  if (isFirst && manifest.evidence.form === 'bytes')
    check.findings.push(...references.concludeFiles(hasBytes))
  if (manifest?.formatVersion !== 2) return
  const hasCertificate = (id: string) => ties.hasCertificate(id)
  const lastEventNo = (id: string) => eventNos.get(id) ?? 0
  check.findings.push(...references.conclude(manifest, { hasBytes, hasCertificate, lastEventNo }))
  check.findings.push(...ties.concludeUntold())
  concludePolicies(check, manifest)
  const withheld = Object.entries(manifest.evidence.withheld).map(([word, count]) => `${count} ${word}`)
  if (withheld.length > 0) check.notes.push(`evidence without its content: ${withheld.join(', ')}`)
}

/** A policy whose folder has another digest was altered; one without a folder was never kept. */
function concludePolicies({ sums, findings, notes }: Check, { policy }: PackageManifest): void {
  for (const { digest, folder } of policy.named) {
    if (folder === null) {
      notes.push(`the files of the policy ${digest} were never kept`)
      continue
    }
    const files = [...sums]
      .filter(([name]) => name.startsWith(`${folder}/`))
      .map(([name, sum]) => [name.slice(folder.length + 1), sum] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    const found = digestOf(files.map(([name, sum]) => sumLine(`sha256:${sum}`, name)).join(''))
    if (found === digest) continue
    findings.push({
      code: 'POLICY_MISMATCH',
      where: folder,
      message: `its files are not the policy ${digest}`,
    })
  }
}
