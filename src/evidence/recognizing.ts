import { isUtf8 } from 'node:buffer'
import { assertIs, type Format, isText, type MediaType } from './media-type.js'

/** So many bytes say what a file is; those that follow may not make it something else. */
const HEAD = 4096

/**
 * Passes a file on as it arrives, once its first 4096 bytes fit what was declared.
 * @throws RegistryError `invalid`, before the first byte is passed on, for a file that is something else; later, and
 * then nothing of it may be kept, for text that goes on as something else, and for an archive that runs
 */
export async function* recognizing(
  bytes: AsyncIterable<Uint8Array>,
  declared: MediaType,
): AsyncGenerator<Uint8Array> {
  const rest = watchOver(declared)
  let held: Uint8Array[] | undefined = []
  let size = 0
  for await (const chunk of bytes) {
    if (held === undefined) {
      rest.see(chunk)
      yield chunk
      continue
    }
    held.push(chunk)
    size += chunk.length
    if (size < HEAD) continue
    yield begin(declared, held, rest)
    held = undefined
  }
  if (held !== undefined) yield begin(declared, held, rest)
  rest.end()
}

function begin(declared: MediaType, held: Uint8Array[], rest: Watch): Uint8Array {
  const bytes = Buffer.concat(held)
  assertFits(declared, bytes.subarray(0, HEAD))
  rest.see(bytes)
  return bytes
}

/** @throws RegistryError `invalid` when the first bytes of a file are not what was declared */
export function assertFits(declared: MediaType, head: Uint8Array): void {
  assertIs(declared, recognize(head))
}

/** Sees every byte of a file, in their order. */
interface Watch {
  see(bytes: Uint8Array): void
  /** No more come. */
  end(): void
}

/** Text has to be text to its end. What is no text may hold an archive anywhere, and that may hold no program. */
function watchOver(declared: MediaType): Watch {
  return isText(declared) ? watchText(declared) : watchEntries(declared)
}

function watchText(declared: MediaType): Watch {
  let held: Uint8Array = Buffer.alloc(0)
  return {
    see(bytes) {
      const all = held.length === 0 ? bytes : Buffer.concat([held, bytes])
      const whole = all.length - unfinished(all)
      if (!isUtf8(all.subarray(0, whole)) || all.includes(0)) assertIs(declared, 'unknown')
      held = Uint8Array.from(all.subarray(whole))
    },
    end() {
      if (held.length > 0) assertIs(declared, 'unknown')
    },
  }
}

/** How many of the last bytes begin a character of UTF-8 that is longer than they are. */
function unfinished(bytes: Uint8Array): number {
  for (let count = 1; count <= 3; count += 1) {
    const byte = bytes[bytes.length - count] ?? 0
    if (byte >= 0x80 && byte < 0xc0) continue
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return length > count ? count : 0
  }
  return 0
}

function watchEntries(declared: MediaType): Watch {
  let held: Uint8Array = Buffer.alloc(0)
  return {
    see(bytes) {
      const all =
        held.length === 0
          ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
          : Buffer.concat([held, bytes])
      const { names, end } = entriesIn(all)
      if (names.some(isProgram)) assertIs(declared, 'program')
      held = Uint8Array.from(all.subarray(end))
    },
    end() {},
  }
}

const signatures: [format: Format, signature: string, at?: number][] = [
  ['pdf', '%PDF-'],
  ['png', '\x89PNG\r\n\x1a\n'],
  ['jpeg', '\xff\xd8\xff'],
  ['gif', 'GIF87a'],
  ['gif', 'GIF89a'],
  ['webp', 'WEBP', 8],
  ['tiff', 'II*\0'],
  ['tiff', 'MM\0*'],
  ['program', 'MZ'],
  ['program', '\x7fELF'],
  ['program', '\0asm'],
  ['program', '\xca\xfe\xba\xbe'],
  ['program', '\xce\xfa\xed\xfe'],
  ['program', '\xcf\xfa\xed\xfe'],
  ['script', '#!'],
]

function recognize(head: Uint8Array): Format {
  const latin = Buffer.from(head).toString('latin1')
  const signed = signatures.find(([, signature, at = 0]) => latin.startsWith(signature, at))
  if (signed && !(signed[1] === 'MZ' && isUnicode(head))) return signed[0]
  if (latin.startsWith('PK\x03\x04') || latin.startsWith('PK\x05\x06'))
    return recognizeArchive(Buffer.from(head))
  return recognizeText(head)
}

/** By its entries, whichever of them lie within the first bytes. */
function recognizeArchive(head: Buffer): Format {
  const latin = head.toString('latin1')
  const [, openDocument] =
    /^PK[\s\S]{28}mimetypeapplication\/vnd\.oasis\.opendocument\.(\w+)/.exec(latin) ?? []
  if (openDocument === 'text') return 'odt'
  if (openDocument === 'spreadsheet') return 'ods'
  if (openDocument === 'presentation') return 'odp'
  const { names } = entriesIn(head)
  if (names.some(isProgram)) return 'program'
  const holds = (start: string) => names.some((name) => name.startsWith(start))
  if (!holds('[Content_Types].xml') && !holds('_rels/') && !holds('docProps/')) return 'zip'
  if (holds('word/')) return 'docx'
  if (holds('xl/')) return 'xlsx'
  return holds('ppt/') ? 'pptx' : 'zip'
}

/** What makes an archive run: of Java, of Android, and macros of office files, which name them so by custom. */
const isProgram = (name: string) =>
  /^(META-INF\/MANIFEST\.MF|AndroidManifest\.xml|classes\.dex)$|(^|\/)vbaProject\.bin$/i.test(name)

/** Where the length of a name stands, and where the name: PKWARE APPNOTE 4.3.7, and 4.3.12 for the directory. */
const headers = [
  { signature: 'PK\x03\x04', lengthAt: 26, nameAt: 30 },
  { signature: 'PK\x01\x02', lengthAt: 28, nameAt: 46 },
]

/** Names of entries wherever they stand. What begins at `end` is to be looked at again, with the bytes that follow. */
function entriesIn(bytes: Buffer): { names: string[]; end: number } {
  const names: string[] = []
  const cut = bytes.indexOf('P', Math.max(bytes.length - 3, 0))
  let end = cut < 0 ? bytes.length : cut
  for (const { signature, lengthAt, nameAt } of headers) {
    for (let at = bytes.indexOf(signature); at >= 0; at = bytes.indexOf(signature, at + 4)) {
      const nameEnd = at + nameAt <= bytes.length ? at + nameAt + bytes.readUInt16LE(at + lengthAt) : Infinity
      if (nameEnd <= bytes.length) names.push(bytes.toString('latin1', at + nameAt, nameEnd))
      else end = Math.min(end, at)
    }
  }
  return { names, end }
}

/** What a browser would run, were it shown: by its beginning, after blanks and comments. */
const MARKUP =
  /^(?:\s|<!--[\s\S]*?-->)*<(?:\?xml|!doctype|html|head|body|script|svg|iframe|object|embed|meta|link|style)\b/i

function recognizeText(head: Uint8Array): Format {
  if (!isUnicode(head)) return isWide(head) ? 'wide' : 'unknown'
  const text = decode(head)
  if (MARKUP.test(text)) return 'markup'
  return /^\s*[[{]/.test(text) ? 'json' : 'text'
}

/** By the mark that UTF-16 begins with, as Windows and Excel write it. */
function isWide([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

function isUnicode(head: Uint8Array): boolean {
  try {
    return !decode(head).includes('\0')
  } catch {
    return false
  }
}

/** @throws TypeError for what is not UTF-8; a character that the end of the first bytes cut is none yet */
function decode(head: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: head.length === HEAD })
}
