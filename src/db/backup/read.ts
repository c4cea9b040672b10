import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { digestOf } from '../../audit/digest.js'
import { RegistryError } from '../../errors.js'
import { cutOff, damaged, foreign, type Member, unpack } from './archive.js'
import { evidenceMember, Manifest, manifestMember, sealMember, sealOf, tableMember } from './manifest.js'
import { Measure } from './measure.js'

/** Takes the rows of a table or the bytes of a file of evidence, to their end. */
export interface Visitor {
  table(name: string, rows: AsyncIterable<Uint8Array>): Promise<void>
  evidence(digest: string, bytes: AsyncIterable<Uint8Array>): Promise<void>
}

const onlyRead: Visitor = { table: drain, evidence: drain }

/**
 * Reads a backup from beginning to end, checks every digest in it, and gives what it holds to the visitor on the way.
 * The visitor must undo what it did when this throws.
 * @throws RegistryError `invalid` when it is not whole, was altered, or is something else
 */
export async function readBackup(file: string, visitor = onlyRead): Promise<Manifest> {
  const findings = new Findings()
  try {
    for await (const member of unpack(readBytes(file))) await findings.visit(member, visitor)
  } catch (error) {
    throw explain(error, file)
  }
  return findings.conclude()
}

/** What was found on the way, to be compared with what the manifest promised. */
class Findings {
  readonly #tables: { name: string; rows: number; digest: string }[] = []
  readonly #names = new Measure()
  readonly #evidence = { files: 0, size: 0 }
  #manifest = ''
  #seal = ''

  async visit({ name, bytes }: Member, visitor: Visitor): Promise<void> {
    if (this.#seal) throw damaged(name)
    const measure = new Measure()
    const passing = measure.of(bytes)
    if (name === sealMember) this.#seal = await collect(passing)
    else if (name === manifestMember) this.#manifest = await collect(passing)
    else if (name.startsWith(tableMember)) {
      const table = name.slice(tableMember.length)
      await visitor.table(table, passing)
      this.#tables.push({ name: table, rows: measure.lines, digest: measure.digest() })
    } else if (name.startsWith(evidenceMember)) {
      const file = name.slice(evidenceMember.length)
      await visitor.evidence(`sha256:${file}`, passing)
      if (measure.digest() !== `sha256:${file}`) throw damaged(name)
      this.#names.add(Buffer.from(`${file}\n`))
      this.#evidence.files += 1
      this.#evidence.size += measure.size
    } else throw foreign()
  }

  conclude(): Manifest {
    if (!this.#seal) throw cutOff()
    if (this.#seal !== sealOf(digestOf(this.#manifest))) throw damaged(manifestMember)
    const manifest = parse(this.#manifest)
    for (const [index, { name, rows, digest }] of manifest.tables.entries()) {
      const found = this.#tables[index]
      const isSame = found?.name === name && found.rows === rows && found.digest === digest
      if (!isSame) throw damaged(`${tableMember}${name}`)
    }
    if (this.#tables.length > manifest.tables.length) throw damaged(tableMember)
    const { files, size, digest } = manifest.evidence
    const isSame =
      this.#evidence.files === files && this.#evidence.size === size && this.#names.digest() === digest
    if (!isSame) throw damaged(evidenceMember)
    return manifest
  }
}

function parse(text: string): Manifest {
  const { format, formatVersion } = JSON.parse(text)
  if (format === 'assent-backup' && formatVersion > 1) {
    throw new RegistryError('invalid', 'a newer Assent made this backup; restore it with that version')
  }
  const manifest = Manifest.safeParse(JSON.parse(text))
  if (!manifest.success) throw foreign()
  return manifest.data
}

async function* readBytes(file: string): AsyncGenerator<Uint8Array> {
  const packed = await isGzip(file)
  const bytes = createReadStream(file, { highWaterMark: 2 ** 20 })
  if (!packed) yield* bytes
  else yield* pipeline(bytes, createGunzip(), () => {}) // an error ends the loop over it
}

/** RFC 1952 section 2.3.1, whatever the file is called. */
async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0).finally(() => file.close())
  return buffer.equals(Buffer.from([0x1f, 0x8b]))
}

/** Nothing else than the manifest is ever held as a whole. */
async function collect(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function drain(_name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

function explain(error: unknown, file: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'Z_BUF_ERROR') return cutOff(error)
  if (code?.startsWith('Z_')) return damaged('its compression', error)
  if (code === 'EISDIR') return foreign()
  if (code !== 'ENOENT' && code !== 'EACCES') return error
  return new RegistryError('invalid', `${file} cannot be read; check its name and rights`, { cause: error })
}
