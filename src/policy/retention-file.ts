import { z } from 'zod'
import { EvidenceKind } from '../evidence/evidence.js'
import { addDays, type Instant, latest } from '../instant.js'
import type { Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'
import { matchScope, ScopeConditions, type ScopedFacts } from './fact-conditions.js'
import { addIssues, type Flaw, repeated } from './flaws.js'
import { Slug } from './lanes.js'

const Period = z.union(
  [z.strictObject({ years: z.int().min(1).max(100) }), z.strictObject({ days: z.int().min(1).max(36_525) })],
  'give either {"years": 7} or {"days": 184}',
)

export const RetentionClass = z
  .strictObject({
    id: Slug,
    title: z.string().trim().min(1).max(200),
    when: z
      .strictObject({ kinds: z.array(EvidenceKind).min(1).optional(), ...ScopeConditions.shape })
      .describe('All of these; a fact that nobody stated meets any condition on it'),
    period: Period.describe('Years count with every leap day that there can be'),
    trigger: z
      .enum(['attached', 'decided', 'retired'])
      .describe(
        'From when it counts: attachment, the last decision that rests on it, or the end of its use case',
      ),
    basis: z.enum(['regulatory', 'schedule']).describe('Below a regulatory period nobody can shorten'),
    because: z.string().trim().min(1, 'write the sentence that explains this class'),
  })
  .meta({
    id: 'RetentionClass',
    description: 'How long some evidence is kept at least; of all classes that apply the longest counts',
    examples: [examples.retentionClass],
  })
export type RetentionClass = z.infer<typeof RetentionClass>

export const RetentionFile = z
  .strictObject({
    version: z.literal(1),
    classes: z.array(RetentionClass).min(1, 'name at least one class'),
    reconciliation: z.strictObject({
      withinDays: z.int().min(1).max(366).describe('Within which time every file is read and compared'),
      atLeast: z.int().min(1).max(1_000_000).describe('Files a day, however few that would take'),
      gigabytesPerDay: z.number().positive().max(1_000_000).describe('What is read in a day, at most'),
    }),
  })
  .superRefine(({ classes }, ctx) => addIssues(ctx, flawsOf(classes)))
export type RetentionFile = z.infer<typeof RetentionFile>

function flawsOf(classes: RetentionClass[]): Flaw[] {
  const flaws: Flaw[] = repeated(classes, ({ id }) => id).map((index) => ({
    path: ['classes', index, 'id'],
    message: 'another class has this id; give each its own',
  }))
  if (classes.some(({ when }) => Object.keys(when).length === 0)) return flaws
  const message = 'evidence that no class is for would be kept for no time; add one whose "when" is {}'
  return [...flaws, { path: ['classes'], message }]
}

/** How long something is kept at least: until an instant and, unless 0, so many days after its use case is retired. */
export interface Floor {
  until: Instant
  daysAfterRetirement: number
}

/** What policy asks for, and which of that no schedule may go below. */
export interface Asked {
  policy: Floor
  regulatory: Floor
  /** Ids of the classes that apply. */
  classes: string[]
}

/** A piece of evidence as retention looks at it. */
export interface Kept {
  kind: EvidenceKind
  attachedAt: Instant
  /** When the last decision that rests on it was made. */
  decidedAt: Instant | null
}

/** every class that applies, or might. Pure. */
export function retentionOf(
  { classes }: Pick<RetentionFile, 'classes'>,
  piece: Kept,
  { tier, facts }: { tier: Tier; facts: ScopedFacts },
): Asked {
  const applying = classes.filter(
    ({ when: { kinds, ...scope } }) =>
      (kinds === undefined || kinds.includes(piece.kind)) && matchScope(scope, tier, facts) !== 'not_met',
  )
  const floorOf = (some: RetentionClass[]) =>
    some
      .map((one) => floorIn(one, piece))
      .reduce(laterOf, { until: piece.attachedAt, daysAfterRetirement: 0 })
  return {
    policy: floorOf(applying),
    regulatory: floorOf(applying.filter(({ basis }) => basis === 'regulatory')),
    classes: applying.map(({ id }) => id),
  }
}

function floorIn({ trigger, period }: RetentionClass, { attachedAt, decidedAt }: Kept): Floor {
  const days = daysOf(period)
  if (trigger === 'retired') return { until: attachedAt, daysAfterRetirement: days }
  const from = trigger === 'decided' ? (decidedAt ?? attachedAt) : attachedAt
  return { until: addDays(from, days), daysAfterRetirement: 0 }
}

/** Never fewer days than the years have. */
function daysOf(period: RetentionClass['period']): number {
  return 'days' in period ? period.days : period.years * 365 + Math.ceil(period.years / 4)
}

/** The later of two, in either respect. */
export function laterOf(a: Floor, b: Floor): Floor {
  return {
    until: latest(a.until, b.until),
    daysAfterRetirement: Math.max(a.daysAfterRetirement, b.daysAfterRetirement),
  }
}

/** Whether `a` asks for more than `b`, in either respect. */
export function isBeyond(a: Floor, b: Floor): boolean {
  return a.until > b.until || a.daysAfterRetirement > b.daysAfterRetirement
}

/** From when on it need not be kept; null while that waits for the end of its use case. */
export function endOf({ until, daysAfterRetirement }: Floor, retiredAt: Instant | null): Instant | null {
  if (daysAfterRetirement === 0) return until
  return retiredAt === null ? null : latest(until, addDays(retiredAt, daysAfterRetirement))
}
