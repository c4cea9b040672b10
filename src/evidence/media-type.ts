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
  wide: 'text in UTF-16, which has to be UTF-8 here',
  markup: 'HTML, SVG or XML',
  script: 'a script',
  program: 'a program',
  unknown: 'of no kind that Assent knows',
} as const
export type Format = keyof typeof formats

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

/** How the name of a file ends that is one of these, the usual way first: by that, people's machines open it. */
const endings: Record<MediaType, [string, ...string[]]> = {
  'application/pdf': ['pdf'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['docx'],
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ['xlsx'],
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': ['pptx'],
  'application/vnd.oasis.opendocument.text': ['odt'],
  'application/vnd.oasis.opendocument.spreadsheet': ['ods'],
  'application/vnd.oasis.opendocument.presentation': ['odp'],
  'application/zip': ['zip'],
  'image/png': ['png'],
  'image/jpeg': ['jpg', 'jpeg'],
  'image/gif': ['gif'],
  'image/webp': ['webp'],
  'image/tiff': ['tiff', 'tif'],
  'application/json': ['json', 'ipynb', 'sarif'],
  'application/x-ndjson': ['ndjson', 'jsonl'],
  'application/yaml': ['yaml', 'yml'],
  'text/csv': ['csv'],
  'text/markdown': ['md', 'markdown'],
  'text/plain': ['txt', 'log'],
}

/** The name that a file is saved under: one that ends otherwise gets the ending of its type, so `a.exe` is `a.exe.txt`. */
export function nameFitting(fileName: string, mediaType: string): string {
  const { data: known } = MediaType.safeParse(mediaType)
  const fits = known ? endings[known] : (['bin'] as const)
  const [, ending = ''] = /\.([^.]+)$/.exec(fileName.toLowerCase()) ?? []
  return fits.some((one) => one === ending) ? fileName : `${fileName}.${fits[0]}`
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

/** @throws RegistryError `invalid` for what is something else than was declared */
export function assertIs(declared: MediaType, format: Format): void {
  const fits: readonly Format[] = fitting[declared]
  if (fits.includes(format)) return
  throw new RegistryError(
    'invalid',
    `the file is ${formats[format]}, not ${declared} as declared; send it as what it is, if that is taken`,
  )
}

/** Whether it is one that people read as it is. */
export function isText(declared: MediaType): boolean {
  const fits: readonly Format[] = fitting[declared]
  return fits.includes('json')
}
