import { z } from 'zod'
import type { RequiredTerm } from '../conditions/terms.js'
import { isFor, type PlannedException } from '../exceptions/exception.js'
import type { Instant } from '../instant.js'
import { type Gap, type Holdings, isExcepted, missing, type Required } from '../policy/missing.js'
import { askWords } from '../policy/requirement-words.js'
import { Ask, type Asked, type ControlAsk } from '../policy/requirements.js'

/** What policy asks for and is not there, as a review shows it. */
export const ReviewGap = z
  .strictObject({
    requirement: z.string().describe('Id of the requirement of policy, as RQ-nn'),
    because: z.string(),
    ask: Ask,
    sentence: z.string().describe('What is so, and what to do next'),
    ifApproved: z
      .enum(['refused', 'condition', 'excepted'])
      .describe(
        'What comes of a vote that approves now: it is refused, it imposes a condition, or an exception is granted',
      ),
  })
  .meta({ id: 'ReviewGap' })
export type ReviewGap = z.infer<typeof ReviewGap>

/** One thing that policy asks for, as an approval would take it now. */
export interface Weighed {
  asked: Asked
  /** Why it is not there, if it is not. */
  gap: Gap | undefined
  exception: { id: string; until: Instant } | undefined
}

interface Weighing {
  asks: readonly Asked[]
  holdings: Holdings
  /** What this very decision would grant. */
  granted: readonly PlannedException[]
  /** What the approval in force excepts; empty where that was wrong. */
  before: readonly Required[]
}

/** everything that policy asks for: there, excepted, or missing. Pure. */
export function weigh({ asks, holdings, granted, before }: Weighing, now: Instant): Weighed[] {
  const gaps = missing(asks, holdings, now)
  return asks.map((asked) => ({
    asked,
    gap: gaps.find((gap) => gap.asked === asked),
    exception: granted.find((one) => isFor(one, asked)) ?? stillExcepted(asked, before, now),
  }))
}

function stillExcepted(asked: Asked, before: readonly Required[], now: Instant): Weighed['exception'] {
  const kept = isExcepted(asked, before, now)
  if (!kept?.exceptionId || !kept.exceptedUntil) return undefined
  return { id: kept.exceptionId, until: kept.exceptedUntil }
}

const isOpen = ({ gap, exception }: Weighed): boolean => gap !== undefined && exception === undefined

const refuses = ({ asked }: Weighed, isAttested: boolean): boolean =>
  isAttested || asked.requirement.ifMissing === 'refuse'

/**
 * What stands in the way of an approval, a sentence each.
 * @param isAttested an owner's word carries no condition, so that all of it does
 */
export function refusalsIn(weighed: readonly Weighed[], isAttested: boolean): string[] {
  return weighed
    .filter((one) => isOpen(one) && refuses(one, isAttested))
    .flatMap(({ gap }) => gap?.sentence ?? [])
}

/** What the decision keeps of it. */
export function requiredIn(weighed: readonly Weighed[]): Required[] {
  return weighed.map((one) => ({
    requirement: one.asked.requirement.id,
    because: one.asked.requirement.because,
    ask: one.asked.ask,
    taken: takenOf(one),
    exceptionId: one.exception?.id ?? null,
    exceptedUntil: one.exception?.until ?? null,
  }))
}

function takenOf({ gap, exception }: Weighed): Required['taken'] {
  if (exception) return 'excepted'
  return gap ? 'condition' : 'met'
}

/** one obligation for each requirement of which something is missing and may be. */
export function termsIn(weighed: readonly Weighed[]): RequiredTerm[] {
  const open = weighed.filter((one) => isOpen(one) && !refuses(one, false))
  const requirements = [...new Set(open.map(({ asked }) => asked.requirement))]
  return requirements.flatMap((requirement) => {
    const { id, because, ifMissing } = requirement
    const asks = open.filter(({ asked }) => asked.requirement === requirement).map(({ asked }) => asked.ask)
    if (ifMissing === 'refuse') return []
    return {
      ...{ type: 'obligation', requirement: id, asks, text: `${id}: ${wordsOf(asks)}. ${because}` },
      ...{ pattern: null, owner: ifMissing.owner, satisfiedBy: kindOf(asks), dueAt: null },
      dueInDays: 'dueInDays' in ifMissing ? ifMissing.dueInDays : null,
      beforeDeploy: 'beforeDeploy' in ifMissing,
    }
  })
}

const controlsIn = (asks: readonly Ask[]): ControlAsk[] => asks.filter((ask) => ask.type === 'control')

/** All controls of a requirement are asked for in the same way. */
function wordsOf(asks: readonly Ask[]): string {
  const [first] = asks
  if (!first) return ''
  const control = controlsIn(asks).map((ask) => ask.control)
  return askWords(first.type === 'evidence' ? first : { ...first, control: control.join(', ') })
}

const kindOf = ([first]: readonly Ask[]): RequiredTerm['satisfiedBy'] =>
  first?.type === 'evidence' ? first.kind : 'other'

/** What a review shows of it: what would stop or condition an approval now, or be excepted by it. */
export function gapsIn(weighed: readonly Weighed[]): ReviewGap[] {
  return weighed.flatMap((one) => {
    const { asked, gap, exception } = one
    if (!gap) return []
    const { id: requirement, because } = asked.requirement
    const approved = refuses(one, false) ? 'refused' : 'condition'
    const ifApproved = exception ? 'excepted' : approved
    return { requirement, because, ask: asked.ask, sentence: gap.sentence, ifApproved }
  })
}
