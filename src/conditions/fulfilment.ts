import { canonicalize } from '../audit/canonical.js'
import { RegistryError } from '../errors.js'
import type { Evidence } from '../evidence/evidence.js'
import { assertCurrent } from '../evidence/succession.js'
import { day, type Instant } from '../instant.js'
import { type Holdings, isMet, type Required, subjectOf } from '../policy/missing.js'
import type { ControlAsk, EvidenceAsk } from '../policy/requirements.js'
import type { Condition } from './condition.js'

/**
 * what meets an obligation is of the kind it names, accepted by somebody else than its giver since it was imposed,
 * still fresh, and not superseded by what was accepted after it.
 * @throws RegistryError `invalid` for evidence of another kind, `conflict` for what does not count, or no longer
 */
export function assertSatisfies(
  {
    kind,
    verdict,
    freshUntil,
    supersededById,
  }: Pick<Evidence, 'kind' | 'verdict' | 'freshUntil' | 'supersededById'>,
  { satisfiedBy, imposedAt }: { satisfiedBy: string | null; imposedAt: Instant },
  now: Instant,
): void {
  if (kind !== satisfiedBy) {
    throw new RegistryError(
      'invalid',
      `this evidence is a ${kind}; name a ${satisfiedBy}, as the condition asks`,
    )
  }
  if (verdict === null) {
    throw new RegistryError(
      'conflict',
      'nobody has judged this evidence yet; ask somebody else to accept it first',
    )
  }
  if (verdict.verdict === 'refused') {
    throw new RegistryError('conflict', 'this evidence was refused; attach another, and have that accepted')
  }
  assertCurrent(supersededById)
  if (freshUntil !== null && freshUntil <= now) {
    throw new RegistryError(
      'conflict',
      `this evidence was fresh until ${day(freshUntil)}; attach a current one, and have that accepted`,
    )
  }
  // Whoever accepted it before could not know what it was to show.
  if (verdict.givenAt < imposedAt) {
    throw new RegistryError(
      'conflict',
      'this evidence was accepted before the condition was imposed; attach it again, and have it accepted for this',
    )
  }
}

/**
 * an obligation for what policy requires is met once that is there: by this very piece, if it is evidence
 * that is asked for, accepted through a seat that policy names and as fresh as it wants it.
 * @throws RegistryError `conflict` with what is not there yet
 */
export function assertAsksMet(
  { requirement, asks }: Pick<Condition, 'requirement' | 'asks'>,
  evidenceId: string,
  { pieces, controls }: Holdings,
  now: Instant,
): void {
  const named = pieces.filter(({ id }) => id === evidenceId)
  const unmet = asks.filter(
    (ask) => !isMet(ask, { controls, pieces: ask.type === 'evidence' ? named : pieces }, now),
  )
  if (unmet.length === 0) return
  const words = unmet.map((ask) => (ask.type === 'evidence' ? evidenceWords(ask) : controlWords(ask)))
  throw new RegistryError('conflict', `${requirement} is not met yet: ${words.join('; ')}`)
}

function evidenceWords({ kind, acceptedBy, freshForDays }: EvidenceAsk): string {
  const by = acceptedBy.length > 0 ? ` that the seat ${acceptedBy.join(' or ')} accepted` : ''
  const fresh = freshForDays === null ? '' : ` and that was given within ${freshForDays} days`
  return `name a ${kind.replaceAll('_', ' ')}${by}${fresh}`
}

function controlWords({ control, states, withEvidence }: ControlAsk): string {
  const wanted = states.map((state) => state.replaceAll('_', ' ')).join(' or ')
  return `assess ${control} as ${wanted}${withEvidence ? ', with accepted evidence' : ''}`
}

/** what an obligation is for, without what a decision after it excepts: nobody waits for that before its end. */
export function asksLeft(
  { requirement, asks }: Pick<Condition, 'requirement' | 'asks'>,
  required: readonly Required[],
  now: Instant,
): Condition['asks'] {
  const excepted = required.filter(
    (one) =>
      one.taken === 'excepted' &&
      one.requirement === requirement &&
      one.exceptedUntil !== null &&
      now < one.exceptedUntil,
  )
  return asks.filter((ask) => !excepted.some((one) => subjectOf(one.ask) === subjectOf(ask)))
}

/** what a condition was for and is there now has to stay there, like all else that the approval required. */
export function requiredAfter(
  required: readonly Required[],
  { requirement, asks }: Pick<Condition, 'requirement' | 'asks'>,
): Required[] {
  const met = new Set(asks.map((ask) => canonicalize(ask)))
  // An obligation of before may be for less than what this approval asks for in another one.
  const isMetNow = (one: Required) =>
    one.taken === 'condition' && one.requirement === requirement && met.has(canonicalize(one.ask))
  return required.map((one) => (isMetNow(one) ? { ...one, taken: 'met' } : one))
}
