import { UsageError } from '../flags.js'

/**
 * Takes the one word out of a command line that is no flag and no value of one.
 * @param switches flags that take no value
 * @throws UsageError when there are two
 */
export function takeWord(
  argv: string[],
  switches: string[] = [],
): { word: string | undefined; flags: string[] } {
  const isWord = argv.map((arg, at) => !arg.startsWith('-') && !takesValue(argv[at - 1], switches))
  const [word, ...more] = argv.filter((_, at) => isWord[at])
  if (more.length > 0) throw new UsageError('this takes one name beside its flags; there are more')
  return { word, flags: argv.filter((_, at) => !isWord[at]) }
}

function takesValue(flag: string | undefined, switches: string[]): boolean {
  return flag?.startsWith('-') === true && !flag.includes('=') && !switches.includes(flag)
}

/** @throws UsageError unless it is one of the forms; the first one if it was not said */
export function readFormat<F extends string>(given: string | undefined, formats: readonly [F, ...F[]]): F {
  if (given === undefined) return formats[0]
  const format = formats.find((one) => one === given)
  if (format === undefined) throw new UsageError(`--format must be one of ${formats.join(', ')}`)
  return format
}
