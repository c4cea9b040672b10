import { pipeline, type Readable, Transform } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/**
 * Turns each line of a stream into other text, after a head. A stream that breaks off breaks the result off, and
 * whoever stops reading the result destroys the stream.
 */
export function mapLines(bytes: Readable, head: string, map: (line: string) => string): Readable {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const mapped = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + decoder.write(chunk)).split('\n')
      rest = lines.pop() ?? ''
      attempt(() => lines.map(map).join(''), done)
    },
    flush(done) {
      attempt(() => (rest === '' ? '' : map(rest)), done)
    },
  })
  mapped.push(head)
  pipeline(bytes, mapped, () => {}) // a failure is told to whoever reads
  return mapped
}

/** Nobody catches what a transform throws. */
function attempt(work: () => string, done: (error: Error | null, text?: string) => void): void {
  try {
    done(null, work())
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)))
  }
}

/** The lines of a stream, without their ends. Whoever stops reading destroys the stream. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of bytes) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
