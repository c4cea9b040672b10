import { day, type Instant } from '../instant.js'
import { keyOf } from '../use-cases/use-case.js'
import type { ReasonCode } from './gate.js'
import type { Situation } from './judging.js'
import { beyondFacts, brokenLimits, coveredEnvironments } from './limits.js'

type Sentence = (situation: Situation) => string
const name = ({ facts }: Situation): string => keyOf(facts.number)
const where = ({ question }: Situation): string => question.environment
const dayOf = (instant: Instant | null | undefined, { now }: Situation): string => day(instant ?? now)
/** To the minute: `2026-03-02 11:45 UTC`. */
const until = (instant: Instant | null | undefined, { now }: Situation): string =>
  `${(instant ?? now).slice(0, 16).replace('T', ' ')} UTC`

function exceeded({ question, facts }: Situation): string {
  const asked = { jurisdictions: question.jurisdiction, channels: question.channel }
  const stated = beyondFacts(question, facts).map((fact) => ({
    ...{ fact, values: facts[fact], instead: asked[fact] },
  }))
  const limits = brokenLimits(facts.limits ?? [], question)
    .filter(({ code }) => code === 'limit_exceeded')
    .map(({ on, values }) => ({
      ...{ fact: `${on}s`, values, instead: on === 'channel' ? question.channel : question.jurisdiction },
    }))
  const told = [...stated, ...limits].map(
    ({ fact, values, instead }) => `the ${fact} ${values.join(', ') || 'of nowhere'}, not ${instead}`,
  )
  return [...new Set(told)].join(' and for ')
}

function unstated({ question, facts }: Situation): string {
  return brokenLimits(facts.limits ?? [], question)
    .filter(({ code }) => code === 'limit_not_stated')
    .map(({ on, values }) => `the ${on}s ${values.join(', ')}`)
    .join(' and to ')
}

function covered({ facts }: Situation): string {
  return coveredEnvironments(facts.environments, facts.limits ?? [])?.join(', ') || 'no environment'
}

function nextDue(s: Situation): string {
  const { nextDueAt } = s.facts
  return nextDueAt === null ? '' : `; its first open condition is due on ${dayOf(nextDueAt, s)}`
}

/** What each reason says to a person: what is so, and what to do next. */
export const sentences: Record<ReasonCode, Sentence> = {
  cleared: (s) => `${name(s)} is approved and may go to ${where(s)}`,
  cleared_with_conditions: (s) =>
    `${name(s)} is approved with conditions and may go to ${where(s)}${nextDue(s)}`,
  not_registered: () => 'No such use case is registered, or you may not see it',
  unreviewed: (s) => `${name(s)} has never been reviewed: submit it to the committee`,
  in_review: (s) => `A review of ${name(s)} is open and not decided: wait for the committee`,
  changes_requested: (s) => `The committee asked for changes to ${name(s)}: make them and submit it again`,
  blocked: (s) => `The committee blocked ${name(s)}: only a new review can lift that`,
  prohibited: (s) => `${name(s)} is of a prohibited tier: it may not run anywhere`,
  suspended: (s) =>
    `${name(s)} is suspended since ${until(s.facts.suspendedAt, s)}: its risk owner can say why, and somebody else than who suspended it can lift that`,
  retired: (s) => `${name(s)} was retired on ${dayOf(s.facts.retiredAt, s)}: register a new use case`,
  expired: (s) => `The approval of ${name(s)} ended on ${dayOf(s.facts.validUntil, s)}: submit it again`,
  material_change: (s) =>
    `A material fact of ${name(s)} changed on ${dayOf(s.facts.firstMaterialChangeAt, s)}, after its approval: submit it again`,
  tier_raised: (s) =>
    `The tier of ${name(s)} is above the one it was approved for, since ${dayOf(s.facts.tierRaisedAt, s)}: submit it again`,
  condition_overdue: (s) =>
    `A condition of the approval of ${name(s)} was due on ${dayOf(s.facts.nextDueAt, s)}: meet it with evidence that somebody else accepts`,
  condition_unmet: (s) =>
    `A condition of the approval of ${name(s)} has to be met before a deploy: meet it with evidence that somebody else accepts`,
  evidence_missing: (s) =>
    `Evidence that the approval of ${name(s)} rests on is not there since ${dayOf(s.facts.evidenceMissingAt, s)}: attach it and have somebody else accept it; its requirements say which`,
  evidence_stale: (s) =>
    `Evidence that the approval of ${name(s)} rests on went stale on ${dayOf(s.facts.evidenceStaleAt, s)}: attach a newer one and have somebody else accept it; its requirements say which`,
  control_missing: (s) =>
    `A control that the approval of ${name(s)} rests on is not in place since ${dayOf(s.facts.controlMissingAt, s)}: mend it and assess it; its requirements say which`,
  environment_not_covered: (s) =>
    `The approval of ${name(s)} covers ${covered(s)}, not ${where(s)}: deploy within that, or submit it again`,
  limit_not_stated: (s) =>
    `The approval of ${name(s)} is limited to ${unstated(s)}: say with the question where it will go`,
  limit_exceeded: (s) =>
    `${name(s)} is approved for ${exceeded(s)}: register the change and submit it, or deploy within that`,
  artifact_not_covered: (s) => `This artifact is not registered to ${name(s)} for ${where(s)}: register it`,
  version_mismatch: (s) =>
    `${name(s)} is at version ${s.facts.version}, not ${s.question.version}: build from the current one`,
  pipeline_not_bound: (s) => `This pipeline is not bound to ${name(s)}: ask its risk owner to bind it`,
  break_glass: (s) =>
    `${name(s)} is open for ${where(s)} in an emergency only, until ${until(s.opening?.expiresAt, s)}: ${s.question.acceptBreakGlass ? 'have it decided before that' : 'accept that explicitly if this cannot wait'}`,
  evaluation_error: (s) => `The approval of ${name(s)} cannot be read: report this to whoever runs Assent`,
}
