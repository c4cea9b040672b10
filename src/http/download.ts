import type { FastifyReply, FastifyRequest } from 'fastify'
import { HttpRefusal } from './problem.js'

/** A file that never changes, as it is sent. */
export interface Download {
  fileName: string
  mediaType: string
  /** `sha256:` and 64 hex digits. */
  digest: string
  size: number
}

/** Both ends are included, counted from 0. */
interface ByteRange {
  start: number
  end: number
}

/**
 * The range of bytes that was asked for (RFC 9110 section 14.2). Of several, or of one that is written wrongly, the
 * whole is sent, which every client must be ready for.
 * @throws HttpRefusal 416 for one that begins behind the last byte, or has none
 */
export function requestedRange(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  { digest, size }: Download,
): ByteRange | undefined {
  if (method !== 'GET') return undefined
  if (headers['if-range'] !== undefined && headers['if-range'] !== etagOf(digest)) return undefined
  const [, first = '', last = ''] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(headers.range ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first !== '' && last !== '' && BigInt(last) < BigInt(first)) return undefined
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start <= end) return { start, end }
  reply.header('content-range', `bytes */${size}`)
  const detail = `there are ${size} bytes, and none in this range; ask for another, or for the whole`
  throw new HttpRefusal({ status: 416, code: 'range_not_satisfiable', detail })
}

/**
 * Says what is sent, before the stream is. Whatever it is, a browser saves it instead of showing it, does not guess
 * its type, and would run nothing in it.
 */
export function announceDownload(
  reply: FastifyReply,
  download: Download,
  range: ByteRange | undefined,
): void {
  const { fileName, mediaType, digest, size } = download
  reply.headers({
    'accept-ranges': 'bytes',
    'content-disposition': attachmentNamed(fileName),
    'content-length': range ? range.end - range.start + 1 : size,
    'content-security-policy': "default-src 'none'; sandbox",
    'content-type': mediaType,
    etag: etagOf(digest),
    'repr-digest': `sha-256=:${Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64')}:`,
    'x-content-type-options': 'nosniff',
  })
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`)
}

/** RFC 6266, with a plain name for clients that do not know the form of RFC 8187. */
function attachmentNamed(name: string): string {
  const plain = name.replace(/[^ -~]|["\\%/]/gu, '_')
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

/** The bytes never change, so their digest names them. */
function etagOf(digest: string): string {
  return `"${digest}"`
}
