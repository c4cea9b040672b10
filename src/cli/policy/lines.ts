import { RegistryError } from '../../errors.js'

/** No record of a register is longer: its facts are bounded. */
const LONGEST = 4 * 2 ** 20
const LINE_FEED = 10

/**
 * The lines of a stream of UTF-8, one at a time: memory holds a chunk and a line.
 * @throws RegistryError `invalid` for a line that is too long, and for a last one that does not end: whoever wrote it broke off
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = []
  let number = 1
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield textOf(rest, chunk.subarray(start, end))
      rest = []
      start = end + 1
      number += 1
    }
    rest.push(chunk.subarray(start))
    if (rest.reduce((size, part) => size + part.length, 0) > LONGEST) {
      throw new RegistryError(
        'invalid',
        `line ${number} is too long to be of a register; export it as NDJSON`,
      )
    }
  }
  if (rest.some((part) => part.length > 0)) {
    throw new RegistryError('invalid', `the register breaks off in line ${number}; export it again`)
  }
}

function textOf(rest: Buffer[], end: Buffer): string {
  return rest.length === 0 ? end.toString() : Buffer.concat([...rest, end]).toString()
}
