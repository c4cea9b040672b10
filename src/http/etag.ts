import { HttpRefusal } from './problem.js'

interface Preconditioned {
  headers: Record<string, string | string[] | undefined>
}

export const etagOf = (revision: number): string => `"${revision}"`

/**
 * The revision that `If-Match` names: the caller changes what they saw, or nothing.
 * @throws HttpRefusal 428 without the header, 400 when it is not one strong tag of ours.
 */
export function requireRevision(request: Preconditioned): number {
  const tag = request.headers['if-match']
  if (tag === undefined) {
    const detail = 'say which revision you change: send its ETag as If-Match, for example If-Match: "3"'
    throw new HttpRefusal({ status: 428, code: 'precondition_required', detail })
  }
  const revision = typeof tag === 'string' ? /^"(0|[1-9]\d{0,9})"$/.exec(tag.trim())?.[1] : undefined
  if (revision === undefined) {
    const detail = 'If-Match must be one ETag as you got it, for example "3"'
    throw new HttpRefusal({ status: 400, code: 'malformed', detail })
  }
  return Number(revision)
}
