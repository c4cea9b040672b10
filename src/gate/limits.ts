import { isOneOfChannels, isWithinPlaces } from '../policy/fact-conditions.js'

/** Facts of a use case that limit where it may go. Empty where none is stated, which limits nothing. */
export interface Limits {
  jurisdictions: string[]
  channels: string[]
}

/** Where a deploy is to go, as far as the question says. */
interface Destination {
  jurisdiction?: string | undefined
  channel?: string | undefined
}

/** The limits that the destination is outside of. */
export function beyondLimits(
  { jurisdiction, channel }: Destination,
  { jurisdictions, channels }: Limits,
): (keyof Limits)[] {
  const beyond: (keyof Limits)[] = []
  const isOutside = jurisdiction !== undefined && !isWithinPlaces(jurisdiction, jurisdictions)
  if (isOutside && jurisdictions.length > 0) beyond.push('jurisdictions')
  const isElsewhere = channel !== undefined && !isOneOfChannels(channel, channels)
  if (isElsewhere && channels.length > 0) beyond.push('channels')
  return beyond
}
