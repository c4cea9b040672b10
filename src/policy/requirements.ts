import { z } from 'zod'
import { type Catalog, CatalogId, CatalogVersion, ControlId } from '../catalogs/catalog.js'
import { EvidenceKind } from '../evidence/evidence.js'
import { type Answers, Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'
import { every, type Match, matchScope, ScopeConditions, type ScopedFacts } from './fact-conditions.js'
import { addIssues, type Flaw, repeated } from './flaws.js'
import { type Lane, Seat, Slug } from './lanes.js'
import { UNKNOWN } from './risk-tiers-file.js'

export const ControlState = z
  .enum(['not_assessed', 'planned', 'in_place', 'not_effective', 'not_applicable'])
  .meta({ id: 'ControlState', description: 'How far a control is, as somebody assessed it' })
export type ControlState = z.infer<typeof ControlState>

const days = z.int().min(1).max(3650)

const RequiredEvidence = z.strictObject({
  kind: EvidenceKind,
  freshForDays: days
    .optional()
    .describe('Days of 24 hours for which it counts, from when its bytes were first attached'),
  acceptedBy: z
    .array(Seat)
    .min(1)
    .optional()
    .describe('Seats of which one has to accept it; whoever may judge evidence, if left out'),
})

const RequiredControls = z.strictObject({
  catalog: CatalogId,
  version: CatalogVersion,
  ids: z.array(ControlId).min(1).describe('Controls, or categories or functions for all that they hold'),
  states: z
    .array(ControlState)
    .min(1)
    .default(['in_place', 'not_applicable'])
    .describe('The states that are good enough'),
  withEvidence: z
    .boolean()
    .default(false)
    .describe('Whether a control in place has to name evidence that counts'),
})

const orCondition =
  'say "refuse", or with which due date it becomes a condition: {"dueInDays": 60, "owner": "risk_owner"}'

/** What becomes of an approval while it is missing. */
const IfMissing = z.union([
  z.literal('refuse', orCondition),
  z.strictObject({ dueInDays: days, owner: z.enum(['risk_owner', 'business_owner']) }),
  z.strictObject({ beforeDeploy: z.literal(true), owner: z.enum(['risk_owner', 'business_owner']) }),
])

export const RequirementScope = z.strictObject({
  ...ScopeConditions.shape,
  answers: z.record(Slug, z.array(Slug).min(1)).optional().describe('Question to the answers that it is for'),
})
export type RequirementScope = z.infer<typeof RequirementScope>

export const Requirement = z
  .strictObject({
    id: z.string().regex(/^RQ-\d{2,3}$/, 'number requirements as RQ-01'),
    when: RequirementScope.describe('All of these; what nobody stated meets any condition on it'),
    because: z.string().trim().min(1, 'write the sentence that explains this requirement'),
    evidence: RequiredEvidence.optional(),
    controls: RequiredControls.optional(),
    ifMissing: IfMissing.describe('At the decision: refuse to approve, or approve on this condition'),
    exception: z
      .strictObject({ longestDays: days })
      .optional()
      .describe('For how long a decision may except from it, at most; without it none may'),
  })
  .meta({
    id: 'Requirement',
    description: 'Evidence, or controls, that policy asks of a tier and of facts',
    examples: examples.requirements,
  })
export type Requirement = z.infer<typeof Requirement>

export const RequirementsFile = z
  .strictObject({ version: z.literal(1), requirements: z.array(Requirement) })
  .superRefine(({ requirements }, ctx) => addIssues(ctx, flawsOf(requirements)))
export type RequirementsFile = z.infer<typeof RequirementsFile>

export const EvidenceAsk = z.strictObject({
  type: z.literal('evidence'),
  kind: EvidenceKind,
  freshForDays: z.int().nullable().describe('Null for as long as the piece itself is fresh'),
  acceptedBy: z.array(Seat).describe('Seats of which one has to accept it; empty for whoever may judge it'),
})
export type EvidenceAsk = z.infer<typeof EvidenceAsk>

export const ControlAsk = z.strictObject({
  type: z.literal('control'),
  catalog: z.string(),
  version: z.string(),
  control: z.string(),
  states: z.array(ControlState),
  withEvidence: z.boolean(),
})
export type ControlAsk = z.infer<typeof ControlAsk>

/** One thing that a requirement asks for: a kind of evidence, or one control. */
export const Ask = z
  .discriminatedUnion('type', [EvidenceAsk, ControlAsk])
  .meta({ id: 'Ask', description: 'One thing that policy asks for: a kind of evidence, or one control' })
export type Ask = z.infer<typeof Ask>

/** An ask with the requirement that it comes from. */
export interface Asked {
  requirement: Requirement
  ask: Ask
}

export interface RequirementPolicies {
  requirements: Pick<RequirementsFile, 'requirements'>
  catalogs: readonly Catalog[]
}

/** What a requirement looks at in a use case. */
export type RequiringFacts = ScopedFacts & { answers: Answers }

/**
 * everything that policy asks of a use case of this tier, in the order of the file and of its catalogs. Pure. What
 * nobody stated is required: a blank never helps.
 */
export function asksOf(policies: RequirementPolicies, tier: Tier, facts: RequiringFacts): Asked[] {
  return applyingTo(policies, tier, facts).flatMap((requirement) =>
    asksIn(policies.catalogs, requirement).map((ask) => ({ requirement, ask })),
  )
}

/** The requirements that are for a use case of this tier with these facts. */
export function applyingTo(
  { requirements: { requirements } }: Pick<RequirementPolicies, 'requirements'>,
  tier: Tier,
  facts: RequiringFacts,
): Requirement[] {
  return requirements.filter(({ when }) => matchAll(when, tier, facts) !== 'not_met')
}

function matchAll({ answers = {}, ...scope }: RequirementScope, tier: Tier, facts: RequiringFacts): Match {
  const answered = Object.entries(answers).map(([question, options]): Match => {
    const answer = Object.hasOwn(facts.answers, question) ? facts.answers[question] : UNKNOWN
    if (answer === undefined || answer === UNKNOWN) return 'unstated'
    return options.includes(answer) ? 'met' : 'not_met'
  })
  return every([matchScope(scope, tier, facts), ...answered])
}

/** the facts on which requirements for this tier rest, as material facts are named; each once. Pure. */
export function factsAskedAbout(
  { requirements }: Pick<RequirementsFile, 'requirements'>,
  tier: Tier,
): Lane['materialFacts'] {
  const names = requirements.flatMap(({ when: { tiers, answers = {}, ...scope } }) => {
    if (tiers && !tiers.includes(tier)) return []
    const stated = SCOPED.flatMap(([part, name]) => (scope[part] ? [name] : []))
    return [...stated, ...Object.keys(answers).map((question) => `answers.${question}` as const)]
  })
  return [...new Set(names)]
}

const SCOPED = [
  ['techniques', 'technique'],
  ['channels', 'channels'],
  ['jurisdictions', 'jurisdictions'],
  ['orgUnits', 'orgUnitId'],
] as const

/** Facts on which a requirement rests that nobody stated, as `technique` or `answers.autonomy`: it may go with them. */
export function unstatedFor({ when }: Requirement, tier: Tier, facts: RequiringFacts): string[] {
  const { answers = {}, techniques, channels, jurisdictions, orgUnits } = when
  const parts: [name: string, part: RequirementScope][] = [
    ['technique', { techniques }],
    ['channels', { channels }],
    ['jurisdictions', { jurisdictions }],
    ['orgUnit', { orgUnits }],
    ...Object.entries(answers).map(([question, options]): [string, RequirementScope] => [
      `answers.${question}`,
      { answers: { [question]: options } },
    ]),
  ]
  return parts.flatMap(([name, part]) => (matchAll(part, tier, facts) === 'unstated' ? [name] : []))
}

/** Requirements never change once they are loaded, and a list asks them of a hundred thousand use cases. */
const known = new WeakMap<Requirement, Ask[]>()

export function asksIn(catalogs: readonly Catalog[], requirement: Requirement): Ask[] {
  const asks = known.get(requirement) ?? expand(catalogs, requirement)
  known.set(requirement, asks)
  return asks
}

function expand(catalogs: readonly Catalog[], { evidence, controls }: Requirement): Ask[] {
  if (evidence) {
    const { kind, freshForDays = null, acceptedBy = [] } = evidence
    return [{ type: 'evidence', kind, freshForDays, acceptedBy }]
  }
  if (!controls) return []
  const { catalog, version, ids, states, withEvidence } = controls
  return controlsOf(catalogs, { catalog, version, ids }).map((control) => ({
    ...{ type: 'control', catalog, version, control, states, withEvidence },
  }))
}

/** The controls that these ids name, by themselves or by their category or function; in the order of the catalog. */
export function controlsOf(
  catalogs: readonly Catalog[],
  { catalog: id, version, ids }: { catalog: string; version: string; ids: readonly string[] },
): string[] {
  const catalog = catalogs.find((one) => one.id === id && one.version === version)
  return (catalog?.controls ?? [])
    .filter((control) => [control.id, control.category, control.function].some((name) => ids.includes(name)))
    .map((control) => control.id)
}

function flawsOf(requirements: Requirement[]): Flaw[] {
  const flaws: Flaw[] = repeated(requirements, ({ id }) => id).map((index) => ({
    path: ['requirements', index, 'id'],
    message: 'another requirement has this id; give each its own',
  }))
  return [...flaws, ...requirements.flatMap(flawsOfRequirement)]
}

function flawsOfRequirement(requirement: Requirement, index: number): Flaw[] {
  const { evidence, controls } = requirement
  const path = ['requirements', index]
  const isOne = (evidence === undefined) !== (controls === undefined)
  const message = 'ask either for evidence or for controls; write two requirements for both'
  return [
    ...(isOne ? [] : [{ path, message }]),
    ...flawsOfTiers(requirement).map((flaw) => below(path, flaw)),
    ...(controls ? flawsOfControls(controls).map((flaw) => below([...path, 'controls'], flaw)) : []),
  ]
}

/** An owner's word cannot carry a condition, nor be excepted from, and what is prohibited is never approved. */
function flawsOfTiers({ when: { tiers = Tier.options }, ifMissing, exception }: Requirement): Flaw[] {
  const flaws: Flaw[] = []
  const path = ['when', 'tiers']
  if (tiers.includes('minimal') && ifMissing !== 'refuse') {
    const message = 'what is attested as minimal carries no conditions; name the other tiers, or refuse'
    flaws.push({ path, message })
  }
  if (tiers.every((tier) => tier === 'prohibited')) {
    const message = 'what is prohibited is never approved, so nothing is asked for it; name another tier'
    flaws.push({ path, message })
  } else if (exception && tiers.every((tier) => tier === 'minimal' || tier === 'prohibited')) {
    const message = 'only a review grants exceptions, and minimal is attested; leave this out'
    flaws.push({ path: ['exception'], message })
  }
  return flaws
}

const groundless: readonly ControlState[] = ['not_assessed', 'not_effective']

function flawsOfControls({ ids, states, withEvidence }: NonNullable<Requirement['controls']>): Flaw[] {
  const flaws: Flaw[] = [
    ...repeated(ids, (id) => id).map((at) => ({
      path: ['ids', at],
      message: 'is there before; name it once',
    })),
    ...states.flatMap((state, at) =>
      groundless.includes(state)
        ? [{ path: ['states', at], message: `${state} is no ground for an approval; leave it out` }]
        : [],
    ),
  ]
  if (states.every((state) => state === 'not_applicable')) {
    flaws.push({ path: ['states'], message: 'a control that applies could never meet this; add in_place' })
  }
  if (withEvidence && !states.includes('in_place')) {
    const message = 'only a control in place shows evidence; add in_place to its states, or leave this out'
    flaws.push({ path: ['withEvidence'], message })
  }
  return flaws
}

const below = (path: Flaw['path'], flaw: Flaw): Flaw => ({ ...flaw, path: [...path, ...flaw.path] })
