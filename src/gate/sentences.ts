import { day } from '../instant.js'
import { keyOf } from '../use-cases/use-case.js'
import type { ReasonCode, Situation } from './gate.js'
import { beyondLimits } from './limits.js'

type Sentence = (situation: Situation) => string
const name = ({ facts }: Situation): string => keyOf(facts.number)
const where = ({ question }: Situation): string => question.environment

function limits({ question, facts }: Situation): string {
  const asked = { jurisdictions: question.jurisdiction, channels: question.channel }
  return beyondLimits(question, facts)
    .map((limit) => `the ${limit} ${facts[limit].join(', ')}, not ${asked[limit]}`)
    .join(' and for ')
}

/** What each reason says to a person: what is so, and what to do next. */
export const sentences: Record<ReasonCode, Sentence> = {
  cleared: (s) => `${name(s)} is approved and may go to ${where(s)}`,
  cleared_with_conditions: (s) => `${name(s)} is approved with conditions and may go to ${where(s)}`,
  not_registered: () => 'No such use case is registered, or you may not see it',
  unreviewed: (s) => `${name(s)} has never been reviewed: submit it to the committee`,
  in_review: (s) => `A review of ${name(s)} is open and not decided: wait for the committee`,
  changes_requested: (s) => `The committee asked for changes to ${name(s)}: make them and submit it again`,
  blocked: (s) => `The committee blocked ${name(s)}: only a new review can lift that`,
  prohibited: (s) => `${name(s)} is of a prohibited tier: it may not run anywhere`,
  suspended: (s) => `${name(s)} is suspended: its risk owner can say why`,
  retired: (s) => `${name(s)} is retired: register a new use case`,
  expired: (s) => `The approval of ${name(s)} ended on ${day(s.facts.validUntil ?? s.now)}: submit it again`,
  material_change: (s) => `A material fact of ${name(s)} changed after its approval: submit it again`,
  tier_raised: (s) => `The tier of ${name(s)} is above the one it was approved for: submit it again`,
  condition_overdue: (s) => `A condition of the approval of ${name(s)} is overdue: meet it`,
  condition_unmet: (s) => `A condition of the approval of ${name(s)} has to be met before a deploy`,
  evidence_missing: (s) => `Evidence that ${name(s)} needs is missing: attach it`,
  evidence_stale: (s) => `Evidence that ${name(s)} needs is out of date: attach it anew`,
  environment_not_covered: (s) =>
    `The approval of ${name(s)} covers ${s.facts.environments?.join(', ') || 'no environment'}, not ${where(s)}`,
  limit_not_stated: (s) => `The approval of ${name(s)} has a limit that the question leaves open: state it`,
  limit_exceeded: (s) =>
    `${name(s)} is approved for ${limits(s)}: register the change and submit it, or deploy within that`,
  artifact_not_covered: (s) => `This artifact is not registered to ${name(s)} for ${where(s)}: register it`,
  version_mismatch: (s) =>
    `${name(s)} is at version ${s.facts.version}, not ${s.question.version}: build from the current one`,
  pipeline_not_bound: (s) => `This pipeline is not bound to ${name(s)}: ask its risk owner to bind it`,
  break_glass: (s) => `${name(s)} is open in an emergency only: accept that explicitly`,
  evaluation_error: (s) => `The approval of ${name(s)} cannot be read: report this to whoever runs Assent`,
}
