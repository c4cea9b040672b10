import { createHash } from 'node:crypto'

const NEWLINE = 10

/** What passed by: its SHA-256, its bytes, and its lines, which are rows where COPY wrote them. */
export class Measure {
  readonly #hash = createHash('sha256')
  size = 0
  lines = 0

  async *of<T extends Uint8Array>(bytes: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const chunk of bytes) {
      this.add(chunk)
      yield chunk
    }
  }

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    this.size += chunk.length
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) this.lines += 1
  }

  /** Ends the measure. */
  digest(): string {
    return `sha256:${this.#hash.digest('hex')}`
  }
}
