import type { ImportProfile } from './profile.js'
import type { Column } from './table.js'
import { fold } from './wording.js'

/** How well a profile fits the header of a file. */
export interface Detection {
  profile: ImportProfile
  /** Share of the file's columns that the profile knows, 0 to 1. */
  score: number
  /** Headers of the profile that the file lacks; a register rarely comes with all of them. */
  missing: string[]
  /** Columns of the file that the profile does not know; they are kept with the row, and give no fact. */
  unknown: string[]
}

/** Below this share another mapping has to be chosen, or inferred. */
const ENOUGH = 0.8

/** The profile that fits a header best, if one fits well enough. */
export function detectProfile(profiles: ImportProfile[], columns: Column[]): Detection | undefined {
  return rankProfiles(profiles, columns).find(({ score }) => score >= ENOUGH)
}

/** Every profile whose title column the file has, best first; of equals, the one with fewer headers missing. */
export function rankProfiles(profiles: ImportProfile[], columns: Column[]): Detection[] {
  return profiles
    .filter((profile) => hasTitle(profile, columns))
    .map((profile) => compare(profile, columns))
    .sort((a, b) => b.score - a.score || a.missing.length - b.missing.length)
}

function compare(profile: ImportProfile, columns: Column[]): Detection {
  const known = new Set(profile.headers.map(fold))
  const present = new Set(columns.map(({ header }) => fold(header)))
  const named = columns.filter(({ header }) => fold(header) !== '')
  const unknown = named.filter(({ header }) => !known.has(fold(header)) && !isAnswer(profile, header))
  return {
    profile,
    score: (named.length - unknown.length) / named.length,
    missing: profile.headers.filter((header) => !present.has(fold(header))),
    unknown: unknown.map(({ name }) => name),
  }
}

function hasTitle({ facts }: ImportProfile, columns: Column[]): boolean {
  const titles = [facts.title.from].flat().map(fold)
  return columns.some(({ header }) => titles.includes(fold(header)))
}

function isAnswer({ answerPrefixes }: ImportProfile, header: string): boolean {
  return answerPrefixes.some((prefix) => header.trim().toLowerCase().startsWith(prefix))
}
