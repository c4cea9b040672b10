import { parseArgs } from 'node:util'

export interface Options {
  /** Numbers of use cases, each in a database of its own. */
  sizes: number[]
  rows: string[]
  rounds: number
  /** Of load, for each figure and round. */
  seconds: number
  json: boolean
  /** Where the databases are kept for the next run; a temporary folder unless given. */
  data: string | undefined
  /** Where the service leaves its CPU profiles. */
  profile: string | undefined
}

export const usage = `node dist/bench/main.js
  --size 10000|1000000|both   use cases in the register; any other number works too (10000)
  --rows a,b                  some of the rows only
  --rounds N                  each pair is measured N times, in turn; medians count (3)
  --seconds N                 of load for each figure (3)
  --data DIR                  keep the databases there, and use them again
  --profile DIR               CPU profiles of the service
  --json                      everything measured, as JSON`

/** @throws Error with a sentence for whoever typed them */
export function readOptions(args: string[], rows: readonly string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: '10000' },
      rows: { type: 'string', default: rows.join(',') },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      data: { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const wanted = values.rows.split(',')
  const unknown = wanted.filter((row) => !rows.includes(row))
  if (unknown.length > 0)
    throw new Error(`no row is called ${unknown.join(', ')}: there are ${rows.join(', ')}`)
  return {
    sizes: values.size === 'both' ? [10_000, 1_000_000] : [whole('size', values.size)],
    rows: rows.filter((row) => wanted.includes(row)),
    rounds: whole('rounds', values.rounds),
    seconds: whole('seconds', values.seconds),
    json: values.json,
    data: values.data,
    profile: values.profile,
  }
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`--${name} must be a whole number above zero`)
  return Number(text)
}
