/** A file in a tar. Its size is said before its bytes are there. */
export interface TarFile {
  name: string
  /** Bytes. */
  size: number
  bytes: AsyncIterable<Uint8Array>
}

const BLOCK = 512
const zeros = Buffer.alloc(2 * BLOCK)

/** The most that eleven octal digits say. */
const OCTAL_LIMIT = 8 ** 11

/**
 * Files as a tar (POSIX.1-1988 ustar), a chunk at a time.
 * @param at seconds since 1970, the time of every file
 * @throws Error when a file does not have the size that it was said to have: what was sent has no end then
 */
export async function* tarOf(files: AsyncIterable<TarFile>, at: number): AsyncGenerator<Buffer> {
  for await (const { name, size, bytes } of files) {
    yield tarHeader(name, size, at)
    let sent = 0
    for await (const chunk of bytes) {
      sent += chunk.length
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    }
    if (sent !== size) throw new Error(`${name} has ${sent} bytes and was to have ${size}`)
    yield zeros.subarray(0, paddingOf(size))
  }
  yield zeros
}

function tarHeader(name: string, size: number, at: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long a name`)
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0)
  block.write(`0000644\0${'0000000\0'.repeat(2)}`, 100) // mode, user, group
  writeSize(block, size)
  block.write(`${octal(at, 11)}\0`, 136)
  block.write(`${' '.repeat(8)}0`, 148) // the sum as it counts itself, a regular file
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

/** From 8 GiB on as a binary number, as GNU tar and bsdtar write and read it. */
function writeSize(block: Buffer, size: number): void {
  if (size < OCTAL_LIMIT) return void block.write(`${octal(size, 11)}\0`, 124)
  block.writeUInt8(0x80, 124)
  block.writeBigUInt64BE(BigInt(size), 128)
}

/**
 * Reads a tar front to back; each file is read before the next one is asked for.
 * @throws TarDamage
 */
export async function* filesIn(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile> {
  const reader = new Reader(source)
  for (;;) {
    const head = await reader.take(BLOCK)
    if (head.equals(zeros.subarray(BLOCK))) break
    const { name, size } = describe(head)
    let left = size
    const bytes = async function* () {
      while (left > 0) {
        const chunk = await reader.some(left)
        left -= chunk.length
        yield chunk
      }
    }
    yield { name, size, bytes: bytes() }
    while (left > 0) left -= (await reader.some(left)).length
    await reader.take(paddingOf(size))
  }
  await reader.take(BLOCK)
}

/** It was cut off, or is no tar. */
export class TarDamage extends Error {
  override readonly name = 'TarDamage'
}

function describe(head: Buffer): { name: string; size: number } {
  const sum = head.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  if (Number.parseInt(head.toString('latin1', 148, 154), 8) !== sum) {
    throw new TarDamage('a header of the tar is damaged')
  }
  const name = head.toString('utf8', 0, 100).replace(/\0+$/, '')
  const isBinary = (head[124] ?? 0) >= 0x80
  const digits = head.toString('latin1', 124, 135)
  return { name, size: isBinary ? Number(head.readBigUInt64BE(128)) : Number.parseInt(digits, 8) || 0 }
}

/** Takes bytes out of a stream, as many as are asked for. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** At least one byte, at most so many. */
  async some(limit: number): Promise<Buffer> {
    while (this.#held.length === 0) await this.#fetch()
    return this.#cut(Math.min(limit, this.#held.length))
  }

  /** Exactly so many; for few. */
  async take(size: number): Promise<Buffer> {
    while (this.#held.length < size) await this.#fetch()
    return this.#cut(size)
  }

  #cut(size: number): Buffer {
    const taken = this.#held.subarray(0, size)
    this.#held = this.#held.subarray(size)
    return taken
  }

  async #fetch(): Promise<void> {
    const { value, done } = await this.#source.next()
    if (done) throw new TarDamage('the tar was cut off before its end')
    this.#held = this.#held.length === 0 ? Buffer.from(value) : Buffer.concat([this.#held, value])
  }
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
