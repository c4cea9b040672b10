import { RegistryError } from '../errors.js'

const SPACE = /[ \t\r\n]*/y
const TOKEN = /[{}[\],:]|"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/sy

/**
 * JSON as RFC 8259 has it, but a name given twice in one object is a fault: the second would silently win.
 * @throws RegistryError `invalid`, its message beginning with the line, as `Line 12: …`
 */
export function parseJson(text: string): unknown {
  const reader = new Reader(text)
  reader.value()
  reader.end()
  return JSON.parse(text)
}

/** Walks the text token by token and stops at the first fault. */
class Reader {
  private at = 0
  private token = ''

  constructor(private readonly text: string) {
    this.advance()
  }

  value(): void {
    if (this.token === '{') this.object()
    else if (this.token === '[') this.array()
    else if (/^[}\],:]?$/.test(this.token)) this.fail('a value is missing')
    else this.advance()
  }

  end(): void {
    if (this.token !== '') this.fail('the text goes on after its end')
  }

  private object(): void {
    const names = new Set<string>()
    this.advance()
    if (this.skip('}')) return
    do {
      this.name(names)
      if (!this.skip(':')) this.fail('a colon is missing after the name')
      this.value()
    } while (this.skip(','))
    if (!this.skip('}')) this.fail('a comma or } is missing')
  }

  private array(): void {
    this.advance()
    if (this.skip(']')) return
    do this.value()
    while (this.skip(','))
    if (!this.skip(']')) this.fail('a comma or ] is missing')
  }

  private name(names: Set<string>): void {
    if (!this.token.startsWith('"')) this.fail('a name in double quotes is missing')
    const name: string = JSON.parse(this.token)
    if (names.has(name)) this.fail(`the name ${this.token} is there twice in one object`)
    names.add(name)
    this.advance()
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
    const line = this.text.slice(0, this.at).split('\n').length
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
