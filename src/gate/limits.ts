import { isOneOfChannels, isWithinPlaces } from '../policy/fact-conditions.js'

/** Facts of a use case that limit where it may go. Empty where none is stated, which limits nothing. */
export interface Stated {
  jurisdictions: string[]
  channels: string[]
}

/** What an approval limits a use case to. */
export interface Limit {
  on: 'environment' | 'jurisdiction' | 'channel'
  values: string[]
}

/** Where a deploy is to go, as far as the question says. */
export interface Destination {
  environment: string
  jurisdiction?: string | undefined
  channel?: string | undefined
}

/** The facts that the destination is outside of. What the question leaves open is taken to be within them. */
export function beyondFacts(
  { jurisdiction, channel }: Pick<Destination, 'jurisdiction' | 'channel'>,
  { jurisdictions, channels }: Stated,
): (keyof Stated)[] {
  const beyond: (keyof Stated)[] = []
  const isOutside = jurisdiction !== undefined && !isWithinPlaces(jurisdiction, jurisdictions)
  if (isOutside && jurisdictions.length > 0) beyond.push('jurisdictions')
  const isElsewhere = channel !== undefined && !isOneOfChannels(channel, channels)
  if (isElsewhere && channels.length > 0) beyond.push('channels')
  return beyond
}

export interface BrokenLimit extends Limit {
  code: 'environment_not_covered' | 'limit_not_stated' | 'limit_exceeded' | 'evaluation_error'
}

/** the limits that do not hold. Each counts for itself; what the question leaves open breaks it. */
export function brokenLimits(limits: Limit[], destination: Destination): BrokenLimit[] {
  return limits.flatMap((limit) => {
    const code = breachOf(limit, destination)
    return code ? [{ ...limit, code }] : []
  })
}

function breachOf({ on, values }: Limit, destination: Destination): BrokenLimit['code'] | undefined {
  const { environment, jurisdiction, channel } = destination
  switch (on) {
    case 'environment':
      return isAmong(environment, values) ? undefined : 'environment_not_covered'
    case 'jurisdiction':
      if (jurisdiction === undefined) return 'limit_not_stated'
      return isWithinPlaces(jurisdiction, values) ? undefined : 'limit_exceeded'
    case 'channel':
      if (channel === undefined) return 'limit_not_stated'
      return isOneOfChannels(channel, values) ? undefined : 'limit_exceeded'
    default:
      return 'evaluation_error' // a limit of a later version, which this one cannot judge
  }
}

/** Where the approval lets it run, by its lane and by its limits together; null for everywhere. */
export function coveredEnvironments(environments: string[] | null, limits: Limit[]): string[] | null {
  return limits
    .filter(({ on }) => on === 'environment')
    .reduce<string[] | null>(
      (covered, { values }) => (covered === null ? values : covered.filter((name) => isAmong(name, values))),
      environments,
    )
}

const isAmong = (environment: string, values: string[]): boolean =>
  values.some((value) => value.toLowerCase() === environment.toLowerCase())
