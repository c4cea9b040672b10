import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { canonicalize } from '../audit/canonical.js'
import { loadOwnKey } from '../auth/own-key.js'
import { RegistryError } from '../errors.js'
import type { SortKey } from '../page.js'

/** The two query fields of every list; spread them into its query schema beside filters and sort. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Rows on a page'),
  cursor: z
    .string()
    .max(4000)
    .optional()
    .describe('`next` of the page before; leave it out for the first page'),
}

/** The answer of a list that comes by page. */
export const page = <T extends z.ZodType>(item: T) =>
  z
    .strictObject({
      items: z.array(item),
      next: z.string().nullable().describe('The cursor of the next page, or null on the last one'),
    })
    .meta(namedAfter(item, 'Page', { next: null }))

/** The answer of a list that is short and comes whole. */
export const list = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item) }).meta(namedAfter(item, 'List'))

/** A list of what has a name and examples has them, too. */
function namedAfter(item: z.ZodType, form: 'Page' | 'List', rest = {}): z.core.GlobalMeta {
  const { id, examples: items } = item.meta() ?? {}
  return {
    ...(id && { id: `${id}${form}` }),
    ...(Array.isArray(items) && { examples: [{ items, ...rest }] }),
  }
}

export interface Page<T> {
  items: T[]
  next: string | null
}

/** The list a cursor belongs to: for another person, path, filter or order it is not valid. */
export interface CursorScope {
  personId: string
  path: string
  query: Record<string, unknown>
}

const Key = z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))

/**
 * Cursors are the sort key of a page's last row and an HMAC-SHA256 over it and over the list it belongs to:
 * `base64url(JSON key) . base64url(mac)`. Nobody can point one at rows of their own choice.
 */
export class Cursors {
  readonly #secret: Buffer

  constructor(secret: Buffer) {
    this.#secret = secret
  }

  seal(key: SortKey, scope: CursorScope): string {
    const text = Buffer.from(JSON.stringify(key)).toString('base64url')
    return `${text}.${this.#mac(text, scope).toString('base64url')}`
  }

  /** @throws RegistryError `invalid` for a cursor that was altered or that another list gave. */
  open(cursor: string, scope: CursorScope): SortKey {
    const [text = '', mac = ''] = cursor.split('.')
    const expected = this.#mac(text, scope)
    const given = Buffer.from(mac, 'base64url')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new RegistryError('invalid', 'this cursor is not of this list; start again without a cursor')
    }
    return Key.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
  }

  #mac(text: string, { personId, path, query }: CursorScope): Buffer {
    const { cursor: _cursor, limit: _limit, ...filters } = query
    return createHmac('sha256', this.#secret)
      .update(canonicalize([personId, path, filters, text]))
      .digest()
  }
}

/**
 * The secret from the configuration, or one of this machine's own that is made on first use. Processes on several
 * machines need the same one, so there it has to be configured.
 */
export async function loadCursorSecret(config: {
  cursorSecret?: string | undefined
  dataDir: string
}): Promise<Buffer> {
  if (config.cursorSecret) return Buffer.from(config.cursorSecret)
  return await loadOwnKey(config.dataDir, 'cursor')
}
