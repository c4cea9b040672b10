import { type ParseArgsConfig, parseArgs } from 'node:util'

/** The command was called in a way that it does not understand, or that could be misunderstood. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A flag takes one value, several (given several times), or none. */
export type Flag = 'value' | 'values' | 'switch'

export type Given<F extends Record<string, Flag>> = {
  [Name in keyof F]: F[Name] extends 'switch'
    ? boolean
    : F[Name] extends 'values'
      ? string[]
      : string | undefined
}

/**
 * Reads flags and nothing else. Stricter than `parseArgs` alone: an empty value is an error, and so is a flag given
 * twice: of two values one would be lost.
 * @throws UsageError which never repeats a value, for it may be a secret in the wrong place
 */
export function parseFlags<F extends Record<string, Flag>>(argv: string[], flags: F): Given<F> {
  const given = new Map<string, (string | true)[]>()
  for (const { name, value } of tokensOf(argv, flags)) given.set(name, [...(given.get(name) ?? []), value])
  const values = Object.entries(flags).map(([name, flag]) => [
    name,
    combine(name, flag, given.get(name) ?? []),
  ])
  return Object.fromEntries(values) as Given<F>
}

function tokensOf(argv: string[], flags: Record<string, Flag>): { name: string; value: string | true }[] {
  const types = Object.entries(flags).map(([name, flag]) => [
    name,
    { type: flag === 'switch' ? 'boolean' : 'string', multiple: true },
  ])
  const options: ParseArgsConfig['options'] = Object.fromEntries(types)
  const { tokens } = parseArgs({ args: argv, options, strict: false, tokens: true })
  return tokens.map((token) => {
    if (token.kind !== 'option') throw new UsageError('this takes flags only; there is something else')
    return { name: token.name, value: checked(token, flags[token.name]) }
  })
}

interface OptionToken {
  rawName: string
  value: string | undefined
  inlineValue: boolean | undefined
}

function checked({ rawName, value, inlineValue }: OptionToken, flag: Flag | undefined): string | true {
  if (flag === undefined) throw new UsageError(unknown(rawName))
  if (flag === 'switch') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
    return true
  }
  if (value === undefined || (!inlineValue && value.startsWith('-'))) {
    throw new UsageError(`${rawName} needs a value; write ${rawName}=VALUE if it begins with a dash`)
  }
  if (value.trim() === '') throw new UsageError(`${rawName} is empty; give it a value or leave it out`)
  return value
}

function unknown(rawName: string): string {
  if (rawName !== '--token') return `${rawName} is not a flag of this command; see --help`
  return 'whatever is on a command line can be read by others on the machine; use ASSENT_TOKEN or --token-file'
}

function combine(name: string, flag: Flag, values: (string | true)[]): unknown {
  if (flag === 'values') return values
  if (values.length > 1) throw new UsageError(`--${name} is given ${values.length} times; give it once`)
  return flag === 'switch' ? values.length > 0 : values[0]
}
