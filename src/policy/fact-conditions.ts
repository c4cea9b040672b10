import { z } from 'zod'
import { type Facts, Technique, Tier } from '../use-cases/use-case.js'

/** The facts that policy may ask about, beside the intake answers. */
export type StatedFacts = Pick<Facts, 'technique' | 'channels' | 'jurisdictions'>

/** The same with the key of the unit and those of all units above it; without any, the unit counts as unstated. */
export type ScopedFacts = StatedFacts & { unitKeys?: readonly string[] }

/** How one condition stands: `unstated` when the record does not say enough to rule it out. */
export type Match = 'met' | 'unstated' | 'not_met'

const oneOf = <T extends z.ZodType>(value: T) => z.array(value).min(1, 'name at least one value')

export const FactConditions = z.strictObject({
  technique: oneOf(Technique).optional(),
  channels: oneOf(z.string().min(1)).optional(),
  jurisdictions: oneOf(
    z.string().regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, 'use an ISO 3166 code such as US, US-NY or DE; or EU'),
  ).optional(),
})
export type FactConditions = z.infer<typeof FactConditions>

export const UnitKey = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,59}$/, 'use the key of an org unit: lower-case letters, digits, . _ and -')

/** Where a lane or an overlay applies: all of these together. */
export const ScopeConditions = z.strictObject({
  tiers: oneOf(Tier).optional(),
  techniques: FactConditions.shape.technique,
  channels: FactConditions.shape.channels,
  jurisdictions: FactConditions.shape.jurisdictions,
  orgUnits: oneOf(UnitKey).optional().describe('Keys of org units; each stands for all below it too'),
})
export type ScopeConditions = z.infer<typeof ScopeConditions>

/** EL is how the Union itself writes Greece. */
const MEMBERS_OF_EU = new Set(
  'AT BE BG CY CZ DE DK EE EL ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
)
/** ISO 3166-1, and the two that the Union writes for itself. ZZ looks like a code and names no place. */
const COUNTRIES = new Set(
  `EU EL AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
  CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
  GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
  KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT
  MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
  SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
  UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW`.split(/\s+/),
)
const CODE = /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/

/** All conditions together: one that is not met decides, then one that is unstated. */
export function matchFacts(conditions: FactConditions, facts: StatedFacts): Match {
  return every([
    conditions.technique ? matchTechnique(conditions.technique, facts.technique) : 'met',
    conditions.channels ? matchChannels(conditions.channels, facts.channels) : 'met',
    conditions.jurisdictions ? matchJurisdictions(conditions.jurisdictions, facts.jurisdictions) : 'met',
  ])
}

/** how a use case of this tier stands to a scope. What nobody stated, the unit included, rules nothing out. */
export function matchScope(
  { tiers, techniques, channels, jurisdictions, orgUnits }: ScopeConditions,
  tier: Tier,
  facts: ScopedFacts,
): Match {
  return every([
    tiers && !tiers.includes(tier) ? 'not_met' : 'met',
    orgUnits ? matchUnits(orgUnits, facts.unitKeys ?? []) : 'met',
    matchFacts({ technique: techniques, channels, jurisdictions }, facts),
  ])
}

/** The conjunction of matches; of none, `met`. */
export function every(matches: Match[]): Match {
  if (matches.includes('not_met')) return 'not_met'
  return matches.includes('unstated') ? 'unstated' : 'met'
}

function matchUnits(wanted: string[], stated: readonly string[]): Match {
  if (stated.length === 0) return 'unstated'
  return stated.some((key) => wanted.includes(key)) ? 'met' : 'not_met'
}

function matchTechnique(wanted: Technique[], stated: Technique | null): Match {
  if (stated === null) return 'unstated'
  return wanted.includes(stated) ? 'met' : 'not_met'
}

function matchChannels(wanted: string[], stated: string[]): Match {
  if (stated.length === 0) return 'unstated'
  const lower = new Set(wanted.map((channel) => channel.toLowerCase()))
  return stated.some((channel) => lower.has(channel.toLowerCase())) ? 'met' : 'not_met'
}

const isPlace = (code: string): boolean => CODE.test(code) && COUNTRIES.has(code.slice(0, 2))

/** A place that is no code (`Europe`, `ZZ`) could be anywhere, so it rules nothing out. */
function matchJurisdictions(wanted: string[], stated: string[]): Match {
  const codes = stated.map((place) => place.toUpperCase())
  if (codes.some((code) => wanted.some((place) => overlap(place, code)))) return 'met'
  return codes.length === 0 || !codes.every(isPlace) ? 'unstated' : 'not_met'
}

/** Whether a use there is within the stated places, all of it: the EU holds DE, and US-NY does not hold the US. */
export function isWithinPlaces(place: string, stated: string[]): boolean {
  const asked = place.toUpperCase()
  return stated.some((one) => holds(one.toUpperCase(), asked))
}

export function isOneOfChannels(channel: string, stated: string[]): boolean {
  return matchChannels([channel], stated) === 'met'
}

/** The EU holds its members, a country its regions; whichever of the two is the larger. Belarus is no part of BE. */
function overlap(a: string, b: string): boolean {
  return holds(a, b) || holds(b, a)
}

function holds(outer: string, inner: string): boolean {
  if (outer === inner || inner.startsWith(`${outer}-`)) return true
  return outer === 'EU' && CODE.test(inner) && MEMBERS_OF_EU.has(inner.slice(0, 2))
}
