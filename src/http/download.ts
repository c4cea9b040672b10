import type { FastifyReply, FastifyRequest } from 'fastify'

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
 * The range of bytes that was asked for (RFC 9110 section 14.2), if there is exactly one and it can be had;
 * otherwise the whole is sent, which every client must be ready for.
 */
export function requestedRange(
  { headers }: FastifyRequest,
  { digest, size }: Download,
): ByteRange | undefined {
  if (headers['if-range'] !== undefined && headers['if-range'] !== etagOf(digest)) return undefined
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '') ?? []
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return start <= end ? { start, end } : undefined
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
