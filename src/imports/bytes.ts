import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { RegistryError } from '../errors.js'
import { type Limits, megabytes } from './limits.js'
import type { Encoding, Format } from './source.js'

/** Bytes that tell what a file is. */
const HEAD = 4096

const containers: { magic: string; advice: string }[] = [
  {
    magic: 'd0cf11e0',
    advice: 'is an old or password-protected workbook; save it as .xlsx without a password',
  },
  { magic: '25504446', advice: 'is a PDF; export the table as CSV or .xlsx' },
  { magic: '1f8b', advice: 'is compressed with gzip; unpack it first' },
]

/** windows-1252 where it differs from Latin-1, for bytes 0x80 to 0x9f (WHATWG Encoding, index windows-1252). */
const HIGH = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/**
 * Finds out the format from the first bytes.
 * @throws RegistryError `invalid` when the file is empty, too large, or of a format that is not read
 */
export async function detectFormat(path: string, limits: Limits): Promise<Format> {
  const { size, head } = await readHead(path)
  if (size === 0)
    throw new RegistryError('invalid', 'the file is empty; choose the file that holds the register')
  if (size > limits.fileBytes) {
    const [is, most] = [megabytes(size), megabytes(limits.fileBytes)]
    throw new RegistryError('invalid', `the file has ${is}, and ${most} is the most; split it`)
  }
  const magic = head.toString('hex', 0, 4)
  const container = containers.find((one) => magic.startsWith(one.magic))
  if (container) throw new RegistryError('invalid', `the file ${container.advice}`)
  if (magic === '504b0304') return 'xlsx'
  return /^\ufeff?\s*\{/.test(head.toString('utf8')) ? 'ndjson' : 'csv'
}

async function readHead(path: string): Promise<{ size: number; head: Buffer }> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(HEAD), position: 0 })
    return { size, head: buffer.subarray(0, bytesRead) }
  } finally {
    await file.close()
  }
}

/**
 * UTF-8 if every byte of the file fits, windows-1252 otherwise; the file is read through once.
 * @throws RegistryError `invalid` for UTF-16 and for files that are not text
 */
export async function detectEncoding(path: string): Promise<Encoding> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let encoding: Encoding = 'utf-8'
  let position = 0
  for await (const chunk of bytesOf(path)) {
    assertText(chunk, position)
    if (encoding === 'utf-8' && !decodes(decoder, chunk)) encoding = 'windows-1252'
    position += chunk.length
  }
  return encoding === 'utf-8' && decodes(decoder) ? 'utf-8' : 'windows-1252'
}

/**
 * The text of a file, in pieces; a byte order mark is left out.
 * @throws RegistryError `invalid` for bytes that are not in this encoding: replaced, they would be lost
 */
export async function* textOf(path: string, encoding: Encoding): AsyncGenerator<string> {
  if (encoding === 'windows-1252') {
    for await (const chunk of bytesOf(path)) yield decode1252(chunk)
    return
  }
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const chunk of bytesOf(path)) yield decodeUtf8(decoder, chunk)
  yield decodeUtf8(decoder)
}

function decodeUtf8(decoder: TextDecoder, chunk?: Buffer): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined })
  } catch (cause) {
    const advice = 'leave its encoding out, or state windows-1252'
    throw new RegistryError('invalid', `the file is not UTF-8; ${advice}`, { cause })
  }
}

async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(path)) yield chunk
}

/** Without a chunk: whether the text ended between two characters. */
function decodes(decoder: TextDecoder, chunk?: Buffer): boolean {
  try {
    decoder.decode(chunk, { stream: chunk !== undefined })
    return true
  } catch {
    return false
  }
}

/** UTF-16 shows by its mark, or by a NUL beside every ASCII letter. */
function assertText(chunk: Buffer, position: number): void {
  const mark = position === 0 ? chunk.toString('hex', 0, 2) : ''
  const nul = chunk.indexOf(0)
  if (mark !== 'fffe' && mark !== 'feff' && nul < 0) return
  if (mark === 'fffe' || mark === 'feff' || nulShare(chunk) > 0.2) {
    throw new RegistryError('invalid', 'the file is UTF-16; save it as “CSV UTF-8” and import that')
  }
  const where = `byte ${position + nul + 1}`
  throw new RegistryError(
    'invalid',
    `the file is not text: ${where} is NUL; export the register again as CSV`,
  )
}

function nulShare(chunk: Buffer): number {
  return chunk.reduce((nuls, byte) => nuls + (byte === 0 ? 1 : 0), 0) / chunk.length
}

/** By table, because some Node releases decode windows-1252 as Latin-1. */
function decode1252(chunk: Buffer): string {
  return chunk
    .toString('latin1')
    .replace(/[\u0080-\u009f]/g, (char) => HIGH.charAt(char.charCodeAt(0) - 0x80))
}
