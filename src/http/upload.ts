import multipart, { type Multipart } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { RegistryError } from '../errors.js'
import { explain, issuesOf } from '../issues.js'
import { unsupportedType } from './operations.js'
import { HttpRefusal } from './problem.js'
import type { App } from './types.js'

/** A form (RFC 7578) whose last part is a file. */
export interface Upload<F> {
  fields: F
  /** As the client wrote it. */
  fileName: string | undefined
  mediaType: string
  /** The file as it arrives. It throws unless the form ends right after the file, and within the limit. */
  bytes: AsyncIterable<Uint8Array>
}

interface Form<S extends z.ZodType> {
  /** What the parts before the file must hold. */
  fields: S
  /** The most bytes that the file may have. */
  limit: number
}

/** Room for the fields and for the form itself, in a request that declares its length. */
const ENVELOPE = 64 * 1024
const limits = { fields: 20, fieldSize: 16 * 1024, files: 1, fileSize: Number.POSITIVE_INFINITY, parts: 22 }

/** Lets the routes of this scope take forms. Nothing of a form is read until a route does so. */
export async function registerUploads(app: App): Promise<void> {
  if (!app.hasRequestDecorator('parts')) await app.register(multipart, { limits, throwFileSizeLimit: false })
}

/**
 * Reads a form up to its file and lets `take` have the file as a stream, so that memory does not grow with it.
 * @throws HttpRefusal for what is no such form, is cut short, or is too large; RegistryError `invalid` for its fields
 */
export async function receiveUpload<S extends z.ZodType, T>(
  request: FastifyRequest,
  form: Form<S>,
  take: (upload: Upload<z.output<S>>) => Promise<T>,
): Promise<T> {
  if (!request.isMultipart()) throw unsupportedType(request.routeOptions.config.operation)
  if (Number(request.headers['content-length']) > form.limit + ENVELOPE) throw tooLarge(form.limit)
  try {
    return await take(await readToFile(request.parts(), form))
  } catch (error) {
    discard(request)
    throw error
  }
}

async function readToFile<S extends z.ZodType>(
  parts: AsyncIterator<Multipart>,
  { fields: schema, limit }: Form<S>,
): Promise<Upload<z.output<S>>> {
  const fields: Record<string, unknown> = {}
  for (;;) {
    const part = await nextOf(parts)
    if (part === undefined)
      throw new RegistryError('invalid', 'the form holds no file; add one as its last part')
    if (part.type === 'file') {
      const { filename: fileName, mimetype: mediaType } = part
      return {
        fields: validated(schema, fields),
        fileName,
        mediaType,
        bytes: bytesOf(part.file, parts, limit),
      }
    }
    if (part.valueTruncated || part.fieldname in fields) {
      throw new RegistryError(
        'invalid',
        `the field ${part.fieldname} is too long or there twice; correct the form`,
      )
    }
    fields[part.fieldname] = part.value
  }
}

function validated<S extends z.ZodType>(schema: S, fields: Record<string, unknown>): z.output<S> {
  const read = schema.safeParse(fields, { error: explain })
  if (read.success) return read.data
  const issues = issuesOf(read.error)
  const [first] = issues
  throw new RegistryError('invalid', `correct the form at ${first?.path}: ${first?.message}`, { issues })
}

async function* bytesOf(
  file: AsyncIterable<Uint8Array>,
  parts: AsyncIterator<Multipart>,
  limit: number,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of asForm(file)) {
    size += chunk.length
    if (size > limit) throw tooLarge(limit)
    yield chunk
  }
  if (size === 0) throw new RegistryError('invalid', 'the file is empty; choose the one that you mean')
  if (await nextOf(parts))
    throw new RegistryError('invalid', 'the file must be the last part of the form; move it')
}

async function* asForm(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* file
  } catch (error) {
    throw malformed(error)
  }
}

async function nextOf(parts: AsyncIterator<Multipart>): Promise<Multipart | undefined> {
  try {
    const { done, value } = await parts.next()
    return done ? undefined : value
  } catch (error) {
    throw malformed(error)
  }
}

/** Lets the rest of the body arrive and go: a client that is still sending would not read its answer before. */
function discard({ raw }: FastifyRequest): void {
  raw.unpipe()
  raw.resume()
}

function tooLarge(limit: number): HttpRefusal {
  const most = limit < 2 ** 20 ? `${limit} bytes` : `${Math.floor(limit / 2 ** 20)} MiB`
  const detail = `the file is larger than ${most}, the most that is taken; send a smaller one`
  return new HttpRefusal({ status: 413, code: 'too_large', detail })
}

/** What the parser of forms throws has no wording of ours, and partly no status. */
function malformed(cause: unknown): Error {
  const detail =
    'the form is cut short, malformed or has too many parts; send it again as multipart/form-data'
  return Object.assign(new HttpRefusal({ status: 400, code: 'malformed', detail }), { cause })
}
