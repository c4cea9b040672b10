import { z } from 'zod'
import { type Question, Verdict } from '../gate/gate.js'
import type { Outcome } from './exit-codes.js'
import type { Reply } from './http.js'

/** What a pipeline needs of an answer. Other fields may be added to it, and other reasons. */
const Heard = z.object({
  decision: Verdict,
  enforced: z.boolean(),
  wouldBe: Verdict,
  reasons: z.array(z.object({ code: z.string(), sentence: z.string() })).min(1),
  useCase: z.string(),
  useCaseId: z.string().nullable(),
  version: z.int().nullable(),
  environment: z.string(),
  askedAt: z.string(),
  validUntil: z.string().nullable(),
})
export type Heard = z.infer<typeof Heard>

export interface Judged {
  outcome: Outcome
  /** For a person. */
  sentence: string
  heard: Heard | null
  /** The answer as it came. */
  answer: unknown
}

/** When the call began and when the reply was there, by the clock of this machine, in milliseconds. */
export interface Times {
  called: number
  answered: number
}

/**
 * What a reply means. Status, header and body must say the same about the same question, or it is no answer: whatever
 * cannot be understood is never an allow, nor is what was an allow at another time.
 */
export function judgeReply(reply: Reply, question: Question, times: Times): Judged {
  const { status, headers } = reply
  const header = headers['gate-decision']
  const answer = parseJson(reply.body)
  const heard = Heard.safeParse(answer).data ?? null
  const as = (outcome: Outcome, sentence: string): Judged => ({ outcome, sentence, heard, answer })
  const detail = detailOf(answer) ?? `the server answered ${status}`

  if (header !== undefined && !isMeant(header, status)) {
    return as('verification_failed', `status ${status} and the header Gate-Decision contradict each other`)
  }
  if (status === 401 || status === 403) return as('not_permitted', detail)
  if (status === 404) return as('not_found', detail)
  if (status === 400 || status === 422) return as('usage', detail)
  if (status >= 300 && status < 400) {
    return as('unavailable', 'the server answered with a redirect; give the address that it leads to')
  }
  if (status !== 200 && status !== 409) return as('unavailable', detail)
  if (status === 409 && header === undefined) return as('unavailable', detail)
  if (!heard) return as('unavailable', 'the answer cannot be read; is this the address of Assent?')
  const doubt = doubtOf(heard, header, question) ?? staleness(heard, times)
  if (doubt) return as('verification_failed', doubt)
  return as(outcomeOf(heard), heard.reasons.map(({ sentence }) => sentence).join('; '))
}

function isMeant(header: string | string[], status: number): boolean {
  return (status === 200 && header === 'allow') || (status === 409 && header === 'deny')
}

/** Why this is not to be believed as the answer to this question. */
function doubtOf(heard: Heard, header: unknown, question: Question): string | undefined {
  if (heard.decision !== header) return 'the header Gate-Decision and the body do not say the same'
  if (heard.decision === 'allow' && heard.enforced && heard.wouldBe !== 'allow') {
    return 'the answer contradicts itself'
  }
  if (heard.environment !== question.environment) return 'the answer is about another environment'
  const asked = question.useCase.toLowerCase()
  if (heard.useCase.toLowerCase() !== asked && heard.useCaseId?.toLowerCase() !== asked) {
    return 'the answer is about another use case'
  }
  const isEmergency = heard.reasons.some(({ code }) => code === 'break_glass')
  if (isEmergency && question.acceptBreakGlass !== (heard.wouldBe === 'allow')) {
    return question.acceptBreakGlass
      ? 'the answer asks for an acceptance of the emergency that it was given'
      : 'the answer allows for an emergency that was not accepted'
  }
  const isOtherVersion = question.version !== undefined && heard.version !== question.version
  if (heard.wouldBe === 'allow' && isOtherVersion) return 'the answer is about another version'
  return undefined
}

/** How far the clocks of two machines may be apart. */
const CLOCKS_MS = 30_000

/** Why an allow is not one for now: it may be an old answer, sent again. */
function staleness(
  { decision, askedAt, validUntil }: Heard,
  { called, answered }: Times,
): string | undefined {
  if (decision !== 'allow') return undefined
  if (validUntil === null) return 'the answer allows without saying until when'
  const isNew = Date.parse(askedAt) >= called - CLOCKS_MS
  const isGood = Date.parse(validUntil) > answered - CLOCKS_MS
  if (isNew && isGood) return undefined
  return `the answer is of ${askedAt}, not of this call; look at what stands between, and at the clock of this machine`
}

function outcomeOf({ decision, reasons }: Heard): Outcome {
  if (decision === 'allow') return 'allowed'
  return reasons.some(({ code }) => code === 'break_glass') ? 'break_glass_only' : 'denied'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const Refusal = z.object({ detail: z.string() })

function detailOf(answer: unknown): string | undefined {
  return Refusal.safeParse(answer).data?.detail
}
