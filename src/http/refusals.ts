import type { Refusal } from './problem.js'

interface Described extends Omit<Refusal, 'status'> {
  meaning: string
}

/** What each status means for a caller, with one case of it, for the API document. */
export const refusals: Record<number, Described> = {
  400: {
    meaning: 'Malformed: not JSON, or a header that cannot be read',
    code: 'malformed',
    detail: 'the body is not a JSON document that can be used; correct it and send it again',
  },
  401: {
    meaning: 'Nobody is signed in, or the token does not count (any more)',
    code: 'unauthenticated',
    detail: 'this token has expired; sign in again',
  },
  403: {
    meaning: 'The decision right named in `rule` does not allow it',
    code: 'forbidden',
    detail: 'Whoever submitted a use case does not vote on it',
    rule: 'DR-70',
  },
  404: {
    meaning: 'There is no such thing, or none that you may see',
    code: 'not_found',
    detail: 'there is no such use case, or none that you may see; check its id',
  },
  409: {
    meaning: 'It does not fit the present state, or the Idempotency-Key was used for another request',
    code: 'conflict',
    detail: 'a review of UC-1042 is open; withdraw it first',
  },
  412: {
    meaning: 'Somebody changed it since the revision named in If-Match',
    code: 'stale',
    detail: 'this changed since you read it (revision 4, you saw 3); read it again, then repeat your change',
  },
  413: {
    meaning: 'The body is too large',
    code: 'too_large',
    detail: 'the body is too large; send less at once',
  },
  415: {
    meaning: 'The body has another media type than this takes',
    code: 'unsupported_media_type',
    detail: 'send the body as application/json',
  },
  416: {
    meaning: 'No byte is in the range that was asked for; `Content-Range` says how many there are',
    code: 'range_not_satisfiable',
    detail: 'there are 10 bytes, and none in this range; ask for another, or for the whole',
  },
  422: {
    meaning: 'Valid JSON with wrong contents; `issues` says where',
    code: 'invalid',
    detail: 'correct the body at /reason: say why, in at least three characters',
    issues: [{ path: '/reason', message: 'say why, in at least three characters' }],
  },
  428: {
    meaning: 'If-Match is missing',
    code: 'precondition_required',
    detail: 'say which revision you change: send its ETag as If-Match, for example If-Match: "3"',
  },
  429: {
    meaning: 'Too many requests',
    code: 'rate_limited',
    detail: 'too many requests; wait as long as Retry-After says',
  },
  500: {
    meaning: 'A bug',
    code: 'internal',
    detail: 'something went wrong on our side; report the requestId to whoever runs Assent',
  },
  503: {
    meaning: 'The service cannot tell right now',
    code: 'unavailable',
    detail: 'the database does not answer; try again in a few seconds',
  },
}
