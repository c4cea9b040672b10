import { z } from 'zod'
import { RegistryError } from '../errors.js'

/** What a file is by its first bytes, in the words of a refusal. */
const formats = {
  pdf: 'a PDF',
  png: 'a PNG image',
  jpeg: 'a JPEG image',
  gif: 'a GIF image',
  webp: 'a WebP image',
  tiff: 'a TIFF image',
  docx: 'a Word document',
  xlsx: 'an Excel workbook',
  pptx: 'a PowerPoint presentation',
  odt: 'an OpenDocument text',
  ods: 'an OpenDocument spreadsheet',
  odp: 'an OpenDocument presentation',
  zip: 'a ZIP archive',
  json: 'JSON',
  text: 'plain text',
  markup: 'HTML, SVG or XML',
  script: 'a script',
  program: 'a program',
  unknown: 'of no kind that Assent knows',
} as const
type Format = keyof typeof formats

/** What each media type may be. Old office files, programs, HTML and SVG are in none, so no policy can let them in. */
const fitting = {
  'application/pdf': ['pdf'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['docx'],
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ['xlsx'],
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': ['pptx'],
  'application/vnd.oasis.opendocument.text': ['odt'],
  'application/vnd.oasis.opendocument.spreadsheet': ['ods'],
  'application/vnd.oasis.opendocument.presentation': ['odp'],
  'application/zip': ['zip'],
  'image/png': ['png'],
  'image/jpeg': ['jpeg'],
  'image/gif': ['gif'],
  'image/webp': ['webp'],
  'image/tiff': ['tiff'],
  'application/json': ['json'],
  'application/x-ndjson': ['json'],
  'application/yaml': ['json', 'text'],
  'text/csv': ['json', 'text'],
  'text/markdown': ['json', 'text'],
  'text/plain': ['json', 'text'],
} as const satisfies Record<string, Format[]>

/** The media types that Assent can tell by their bytes. Policy says which of them are taken. */
export const MediaType = z.enum(Object.keys(fitting) as (keyof typeof fitting)[])
export type MediaType = z.infer<typeof MediaType>

/** So many bytes say what a file is; the rest is not looked at. */
const HEAD = 4096

/**
 * Passes a file on as it arrives, once its first 4096 bytes fit what was declared.
 * @throws RegistryError `invalid`, before the first byte is passed on, for a file that is something else
 */
export async function* recognizing(
  bytes: AsyncIterable<Uint8Array>,
  declared: MediaType,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] | undefined = []
  let size = 0
  for await (const chunk of bytes) {
    if (held === undefined) {
      yield chunk
      continue
    }
    held.push(chunk)
    size += chunk.length
    if (size < HEAD) continue
    assertFits(declared, Buffer.concat(held).subarray(0, HEAD))
    yield* held
    held = undefined
  }
  if (held === undefined) return
  assertFits(declared, Buffer.concat(held))
  yield* held
}

/** @throws RegistryError `invalid` for a type that policy does not name */
export function assertTaken(declared: string, taken: readonly MediaType[]): MediaType {
  const found = taken.find((one) => one === declared)
  if (found) return found
  throw new RegistryError(
    'invalid',
    `files of the type ${declared} are not taken; send one of the types that policy names, such as ${taken[0]}`,
  )
}

/** @throws RegistryError `invalid` when the first bytes of a file are not what was declared */
export function assertFits(declared: MediaType, head: Uint8Array): void {
  const format = recognize(head)
  const fits: readonly Format[] = fitting[declared]
  if (fits.includes(format)) return
  throw new RegistryError(
    'invalid',
    `the file is ${formats[format]}, not ${declared} as declared; send it as what it is, if that is taken`,
  )
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
  if (signed && !(signed[1] === 'MZ' && isText(head))) return signed[0]
  if (latin.startsWith('PK\x03\x04') || latin.startsWith('PK\x05\x06')) return recognizeArchive(latin)
  return recognizeText(head)
}

/** Entries as their local headers name them, whichever of them lie within the first bytes. */
function recognizeArchive(latin: string): Format {
  const [, openDocument] =
    /^PK[\s\S]{28}mimetypeapplication\/vnd\.oasis\.opendocument\.(\w+)/.exec(latin) ?? []
  if (openDocument === 'text') return 'odt'
  if (openDocument === 'spreadsheet') return 'ods'
  if (openDocument === 'presentation') return 'odp'
  const names = namesIn(latin)
  const holds = (start: string) => names.some((name) => name.startsWith(start))
  if (holds('META-INF/MANIFEST.MF') || holds('AndroidManifest.xml') || holds('classes.dex')) return 'program'
  if (names.some((name) => name.endsWith('vbaProject.bin'))) return 'program'
  if (!holds('[Content_Types].xml') && !holds('_rels/') && !holds('docProps/')) return 'zip'
  if (holds('word/')) return 'docx'
  if (holds('xl/')) return 'xlsx'
  return holds('ppt/') ? 'pptx' : 'zip'
}

/** PKWARE APPNOTE 4.3.7: the length of the name is at 26, the name at 30. */
function namesIn(latin: string): string[] {
  const names: string[] = []
  for (let at = latin.indexOf('PK\x03\x04'); at >= 0; at = latin.indexOf('PK\x03\x04', at + 4)) {
    const length = latin.charCodeAt(at + 26) + 256 * latin.charCodeAt(at + 27)
    names.push(latin.slice(at + 30, at + 30 + length))
  }
  return names
}

/** What a browser would run, were it shown: by its beginning, after blanks and comments. */
const MARKUP =
  /^(?:\s|<!--[\s\S]*?-->)*<(?:\?xml|!doctype|html|head|body|script|svg|iframe|object|embed|meta|link|style)\b/i

function recognizeText(head: Uint8Array): Format {
  if (!isText(head)) return 'unknown'
  const text = decode(head)
  if (MARKUP.test(text)) return 'markup'
  return /^\s*[[{]/.test(text) ? 'json' : 'text'
}

function isText(head: Uint8Array): boolean {
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
