import { RegistryError } from '../errors.js'
import { pointer } from '../issues.js'

const SPACE = /[ \t\r\n]*/y
const TOKEN = /[{}[\],:]|"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/sy

/**
 * JSON as RFC 8259 has it, but a name given twice in one object is a fault: the second would silently win.
 * @throws RegistryError `invalid`, its message beginning with the line, as `Line 12: …`
 */
export function parseJson(text: string): unknown {
  const reader = new Reader(text)
  reader.begin()
  reader.end()
  return JSON.parse(text)
}

/** A place in a text: line and column, both from 1. */
export interface TextPlace {
  line: number
  column: number
}

/**
 * Reads where the values of a JSON text stand: a member at its name, an element at its beginning.
 * @returns a look-up by JSON pointer, of what is missing the place of what should hold it; without a pointer, where
 * `parseJson` stops
 */
export function readPlaces(text: string): (at?: string) => TextPlace {
  const reader = new Reader(text)
  const fault = reader.readWhole() ?? 0
  return (at) => placeOf(text, at === undefined ? fault : startOf(reader.starts, at))
}

function startOf(starts: ReadonlyMap<string, number>, at: string): number {
  return starts.get(at) ?? (at === '' ? 0 : startOf(starts, at.slice(0, at.lastIndexOf('/'))))
}

function placeOf(text: string, offset: number): TextPlace {
  const lines = text.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

/** Walks the text token by token and stops at the first fault. */
class Reader {
  /** JSON pointer to offset, of all that was read. */
  readonly starts = new Map<string, number>()
  private at = 0
  private token = ''

  constructor(private readonly text: string) {}

  /** @returns the offset of the first fault, if there is one */
  readWhole(): number | undefined {
    try {
      this.begin()
      this.end()
      return undefined
    } catch (error) {
      if (error instanceof RegistryError) return this.at
      throw error
    }
  }

  begin(): void {
    this.advance()
    this.starts.set('', this.at)
    this.value('')
  }

  private value(at: string): void {
    if (this.token === '{') this.object(at)
    else if (this.token === '[') this.array(at)
    else if (/^[}\],:]?$/.test(this.token)) this.fail('a value is missing')
    else this.advance()
  }

  end(): void {
    if (this.token !== '') this.fail('the text goes on after its end')
  }

  private object(at: string): void {
    const names = new Set<string>()
    this.advance()
    if (this.skip('}')) return
    do {
      const member = this.name(names, at)
      if (!this.skip(':')) this.fail('a colon is missing after the name')
      this.value(member)
    } while (this.skip(','))
    if (!this.skip('}')) this.fail('a comma or } is missing')
  }

  private array(at: string): void {
    this.advance()
    if (this.skip(']')) return
    let index = 0
    do {
      const element = `${at}/${index++}`
      this.starts.set(element, this.at)
      this.value(element)
    } while (this.skip(','))
    if (!this.skip(']')) this.fail('a comma or ] is missing')
  }

  /** @returns the pointer of the member */
  private name(names: Set<string>, at: string): string {
    if (!this.token.startsWith('"')) this.fail('a name in double quotes is missing')
    const name: string = JSON.parse(this.token)
    if (names.has(name)) this.fail(`the name ${this.token} is there twice in one object`)
    names.add(name)
    const member = at + pointer([name])
    this.starts.set(member, this.at)
    this.advance()
    return member
  }

  private skip(token: string): boolean {
    if (this.token !== token) return false
    this.advance()
    return true
  }

  /** Reads the next token; the empty one is the end of the text. */
  private advance(): void {
    this.at += this.token.length
    this.at += this.match(SPACE)?.length ?? 0
    this.token = this.match(TOKEN) ?? ''
    if (this.token === '' && this.at < this.text.length)
      this.fail(`${excerpt(this.text.slice(this.at))} is not JSON`)
    if (this.token.startsWith('"') && !isJson(this.token)) {
      this.fail('a string holds a line break or an escape that JSON does not know')
    }
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    return pattern.exec(this.text)?.[0]
  }

  private fail(sentence: string): never {
    const { line } = placeOf(this.text, this.at)
    const before = this.token === '' ? '' : `, before ${excerpt(this.token)}`
    throw new RegistryError('invalid', `Line ${line}: ${sentence}${before}.`)
  }
}

/** Enough of a text to find it by, on one line. */
function excerpt(text: string): string {
  return text.slice(0, 30).split('\n', 1).join()
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
