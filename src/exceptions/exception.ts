import { z } from 'zod'
import { CatalogId, CatalogVersion, ControlId } from '../catalogs/catalog.js'
import type { Issue } from '../errors.js'
import { addDays, day, givenInstant, type Instant } from '../instant.js'
import type { Holdings } from '../policy/missing.js'
import type { Ask, Asked } from '../policy/requirements.js'
import { reason, text } from '../text.js'
import * as examples from './examples.js'

const words = text(4000).trim().min(10, 'say what stands in its place, in at least ten characters')

const ControlRef = z
  .strictObject({ catalog: CatalogId, version: CatalogVersion, control: ControlId })
  .meta({ id: 'ControlReference', description: 'A control of one version of a catalog' })
type ControlRef = z.infer<typeof ControlRef>

/** What a submission wants to be excepted from. The decision that approves grants it. */
export const AskedException = z
  .strictObject({
    requirement: z
      .string()
      .regex(/^RQ-\d{2,3}$/, 'must be the id of a requirement such as RQ-10')
      .describe('Id of a requirement of policy'),
    control: ControlRef.optional().describe('One control of it; left out, all that the requirement asks for'),
    until: givenInstant.describe('When it ends: from then on the approval lapses while this is not there'),
    compensating: z
      .strictObject({
        text: words.describe('What lowers the risk meanwhile'),
        control: ControlRef.optional().describe('A control of the profile that is in place'),
      })
      .describe('What stands in its place'),
    reason,
  })
  .meta({ id: 'NewException', examples: [examples.asked] })
export type AskedException = z.infer<typeof AskedException>

/** The same, as a review shows it. */
export const ShownAsk = AskedException.extend({ until: z.iso.datetime().describe('When it would end') }).meta(
  {
    id: 'AskedException',
    description: 'What a submission wants to be excepted from',
    examples: [examples.asked],
  },
)

/** One that a decision is about to grant. */
export interface PlannedException extends AskedException {
  id: string
}

export const ExceptionState = z.enum(['in_force', 'expired', 'ended']).meta({
  id: 'ExceptionState',
  description: 'Until its end it is `in_force`, unless a later decision `ended` it; then it is `expired`',
})
export type ExceptionState = z.infer<typeof ExceptionState>

export const Exception = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    useCase: z.strictObject({ key: z.string(), title: z.string() }).describe('What it is called now'),
    decisionId: z.uuid().describe('The decision that granted it'),
    ordinal: z.int().describe('1 for the first exception of the use case'),
    requirement: z.string().describe('Id of the requirement of policy, as RQ-nn'),
    control: z.string().nullable().describe('The control of it; null for all that the requirement asks for'),
    until: z.iso.datetime().describe('When it ends; it is never extended, only decided anew'),
    compensating: z.strictObject({
      text: z.string().describe('What lowers the risk meanwhile'),
      control: ControlRef.nullable().describe('The control that was in place'),
    }),
    reason: z.string(),
    grantedAt: z.iso.datetime(),
    state: ExceptionState,
    endedById: z
      .uuid()
      .nullable()
      .describe('The decision that ended it before its time; null if it was none'),
  })
  .meta({
    id: 'Exception',
    description: 'A requirement that an approval need not meet until an instant; it never changes',
    examples: [examples.exception],
  })
export type Exception = z.infer<typeof Exception>

/** an exception ends by itself, or by a decision before that. Pure. */
export function exceptionState(
  { until, endedAt }: { until: Instant; endedAt: Instant | null },
  at: Instant,
): ExceptionState {
  if (endedAt !== null && endedAt <= at && endedAt < until) return 'ended'
  return until <= at ? 'expired' : 'in_force'
}

/** Whether an exception is for this thing that policy asks for. */
export function isFor(
  { requirement, control }: Pick<AskedException, 'requirement' | 'control'>,
  asked: { requirement: { id: string }; ask: Ask },
): boolean {
  if (requirement !== asked.requirement.id) return false
  const { ask } = asked
  return control === undefined || (ask.type === 'control' && isSame(ask, control))
}

/**
 * why these exceptions cannot be granted now, one issue each at most; paths begin with `/exceptions`. Pure.
 * @param asks what policy asks for
 */
export function flawsOf(
  wanted: readonly AskedException[],
  asks: readonly Asked[],
  holdings: Holdings,
  now: Instant,
): Issue[] {
  return wanted.flatMap((one, index) => {
    const found = flawOf(one, asks, holdings, now) ?? repetition(one, wanted.slice(0, index))
    return found ? [{ path: `/exceptions/${index}${found.at}`, message: found.message }] : []
  })
}

interface Flaw {
  at: string
  message: string
}

function flawOf(
  one: AskedException,
  asks: readonly Asked[],
  holdings: Holdings,
  now: Instant,
): Flaw | undefined {
  const { requirement: id, until, compensating } = one
  const requirement = asks.find((asked) => asked.requirement.id === id)?.requirement
  if (!requirement) {
    return {
      at: '/requirement',
      message: `policy asks for no ${id} here; leave it out, or name one that it asks for`,
    }
  }
  if (!asks.some((asked) => isFor(one, asked))) {
    return { at: '/control', message: `${id} does not ask for this control; name one that it asks for` }
  }
  if (!requirement.exception) {
    return { at: '/requirement', message: `policy excepts nobody from ${id}; meet it instead` }
  }
  const last = addDays(now, requirement.exception.longestDays)
  if (until <= now)
    return { at: '/until', message: 'it would be over from the start; give an instant in the future' }
  if (until > last) {
    const { longestDays } = requirement.exception
    return {
      at: '/until',
      message: `${id} can be excepted for ${longestDays} days at most, until ${day(last)}`,
    }
  }
  return flawOfCompensation(one, compensating.control, holdings)
}

/** What is not in place compensates for nothing, and nothing for itself. */
function flawOfCompensation(
  { control: excepted }: AskedException,
  control: ControlRef | undefined,
  { controls }: Holdings,
): Flaw | undefined {
  if (control === undefined) return undefined
  const at = '/compensating/control'
  if (excepted && isSame(excepted, control)) {
    return { at, message: 'a control does not compensate for itself; name another, or none' }
  }
  const assessed = controls.find((one) => isSame(one, control))
  if (assessed?.state === 'in_place') return undefined
  return {
    at,
    message: `${control.control} is not in place here; name a control that is, or say it in words`,
  }
}

function repetition(one: AskedException, before: readonly AskedException[]): Flaw | undefined {
  const isAlike = (other: AskedException) =>
    other.requirement === one.requirement &&
    (!other.control || !one.control || isSame(other.control, one.control))
  if (!before.some(isAlike)) return undefined
  return { at: '', message: `${one.requirement} is excepted above already; name each thing once` }
}

const isSame = (a: ControlRef, b: ControlRef): boolean =>
  a.catalog === b.catalog && a.version === b.version && a.control === b.control
