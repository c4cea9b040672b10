import { digestOf } from '../audit/digest.js'

/**
 * whether a decision is drawn for a review afterwards: the first 48 bits of the SHA-256 of its id, read as a
 * fraction, lie below the share. Anybody can draw again and see that nobody chose.
 * @param share 0 to 1
 */
export function isDrawn(decisionId: string, share: number): boolean {
  const bits = digestOf(decisionId).slice('sha256:'.length, 'sha256:'.length + 12)
  return Number.parseInt(bits, 16) / 2 ** 48 < share
}
