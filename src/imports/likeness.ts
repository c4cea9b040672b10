import { emptyWords } from './vocabulary.js'
import { fold } from './wording.js'

/** The words of a header that tell something, in the singular. */
export function words(header: string): ReadonlySet<string> {
  const all = fold(header.replace(/([a-z])([A-Z])/g, '$1 $2')).split(' ')
  const telling = all.filter((word) => word !== '' && !emptyWords.has(word))
  return new Set((telling.length > 0 ? telling : all).map(singular))
}

/**
 * How alike two sets of words are, 0 to 1: the mean of the share that both have (Dice), and of the share of the
 * second that stands in the first, so that a long question about benefits is still like `benefits`.
 */
export function likeness(header: ReadonlySet<string>, synonym: ReadonlySet<string>): number {
  const common = [...synonym].filter((word) => header.has(word)).length
  if (common === 0) return 0
  const dice = (2 * common) / (header.size + synonym.size)
  return (dice + common / synonym.size) / 2
}

function singular(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
}
