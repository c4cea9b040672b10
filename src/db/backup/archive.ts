import { RegistryError } from '../../errors.js'

/** One thing in a backup: the rows of a table, the bytes of a file of evidence, or what describes them. */
export interface Member {
  /** Such as `tables/use_case`. */
  name: string
  bytes: AsyncIterable<Uint8Array>
}

/** A member is cut into parts of this many bytes, so that it streams although nobody knows its length beforehand. */
export const PART_SIZE = 4 * 2 ** 20

const BLOCK = 512
const zeros = Buffer.alloc(2 * BLOCK)

/** Members as a tar (POSIX.1-1988 ustar): `<name>/000001`, `<name>/000002` and so on, at least one for each member. */
export async function* pack(members: AsyncIterable<Member>): AsyncGenerator<Buffer> {
  for await (const { name, bytes } of members) {
    let number = 0
    for await (const part of cut(bytes)) {
      number += 1
      yield header(partPath(name, number), part.length)
      yield part
      yield zeros.subarray(0, paddingOf(part.length))
    }
  }
  yield zeros
}

/**
 * The members of what {@link pack} wrote; each is read before the next one is asked for. Not a byte may differ: a
 * header must be the very one that `pack` gives to such a part.
 * @throws RegistryError `invalid` for anything else, and for a tar that was cut off.
 */
export async function* unpack(source: AsyncIterable<Uint8Array>): AsyncGenerator<Member> {
  const parts = readParts(new Bytes(source))
  let part = await next(parts)
  const rest = async function* (name: string): AsyncGenerator<Buffer> {
    for (let number = 1; part?.path.startsWith(`${name}/`); number += 1) {
      if (part.path !== partPath(name, number)) throw damaged(part.path)
      yield part.bytes
      part = await next(parts)
    }
  }
  while (part) {
    const { path } = part
    const name = path.slice(0, path.lastIndexOf('/'))
    yield { name, bytes: rest(name) }
    if (part?.path === path) throw new Error(`${name} was not read`)
  }
}

export function foreign(): RegistryError {
  return new RegistryError(
    'invalid',
    'this is not a backup of Assent; name a file that `assent backup` wrote',
  )
}

export function cutOff(cause?: unknown): RegistryError {
  return new RegistryError('invalid', 'the backup was cut off before its end; use another copy', { cause })
}

export function damaged(where: string, cause?: unknown): RegistryError {
  return new RegistryError('invalid', `the backup is damaged at ${where}; use another copy`, { cause })
}

interface Part {
  path: string
  bytes: Buffer
}

async function* readParts(bytes: Bytes): AsyncGenerator<Part> {
  let last: string | undefined
  if (!(await bytes.has(BLOCK))) throw foreign()
  for (;;) {
    const head = await bytes.take(BLOCK)
    if (head.equals(zeros.subarray(BLOCK))) break
    const { path, size } = describe(head)
    if (!header(path, size).equals(head) || size > PART_SIZE) {
      throw last ? damaged(`what follows ${last}`) : foreign()
    }
    const content = await bytes.take(size)
    if (!isZero(await bytes.take(paddingOf(size)))) throw damaged(path)
    yield { path, bytes: content }
    last = path
  }
  if (!last) throw foreign()
  if (!isZero(await bytes.take(BLOCK)) || (await bytes.has(1))) throw damaged('its end')
}

async function next(parts: AsyncGenerator<Part>): Promise<Part | undefined> {
  const { value, done } = await parts.next()
  return done ? undefined : value
}

/** Gathers bytes into parts: as many full ones as there are, then the rest, which may be empty. */
async function* cut(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let gathered: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    gathered.push(chunk)
    size += chunk.length
    if (size < PART_SIZE) continue
    const whole = Buffer.concat(gathered, size)
    const full = size - (size % PART_SIZE)
    for (let at = 0; at < full; at += PART_SIZE) yield whole.subarray(at, at + PART_SIZE)
    gathered = [whole.subarray(full)]
    size -= full
  }
  yield Buffer.concat(gathered, size)
}

/** The 512 bytes before a part. Owner and time are left at zero: the same part always has the same header. */
function header(path: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(path, 0, 100)
  block.write(`0000600\0${'0000000\0'.repeat(2)}`, 100) // mode, user, group
  block.write(`${octal(size, 11)}\0${octal(0, 11)}\0`, 124) // size, time
  block.write(`${' '.repeat(8)}0`, 148) // the sum as it counts itself, a regular file
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

function describe(head: Buffer): { path: string; size: number } {
  const path = head.toString('latin1', 0, 100).replace(/\0+$/, '')
  return { path, size: Number.parseInt(head.toString('latin1', 124, 135), 8) || 0 }
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function partPath(name: string, number: number): string {
  return `${name}/${String(number).padStart(6, '0')}`
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(zeros.subarray(0, bytes.length))
}

/** Takes exactly as many bytes as asked for out of a stream. */
class Bytes {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Uint8Array[] = []
  #size = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** True when there are so many bytes still to come. */
  async has(size: number): Promise<boolean> {
    while (this.#size < size) {
      if (!(await this.#fetch())) return false
    }
    return true
  }

  async take(size: number): Promise<Buffer> {
    if (!(await this.has(size))) throw cutOff()
    const [first = zeros, ...others] = this.#held
    const held =
      others.length > 0
        ? Buffer.concat(this.#held, this.#size)
        : Buffer.from(first.buffer, first.byteOffset, first.length)
    this.#held = [held.subarray(size)]
    this.#size -= size
    return held.subarray(0, size)
  }

  async #fetch(): Promise<boolean> {
    for (;;) {
      const { value, done } = await this.#source.next()
      if (done) return false
      if (value.length === 0) continue
      this.#held.push(value)
      this.#size += value.length
      return true
    }
  }
}
