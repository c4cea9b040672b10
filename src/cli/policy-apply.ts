import { randomUUID } from 'node:crypto'
import { type CliEnvironment, readCliEnvironment } from '../config.js'
import { Application, type TierChange, TierChangePage } from '../policy-changes/policy-change.js'
import { exitCodes } from './exit-codes.js'
import { type Given, parseFlags } from './flags.js'
import { plain } from './gate-report.js'
import { readFormat } from './policy/arguments.js'
import { type Asking, ask, codeOf, Refused, readAsking, sentenceOf, serverFlags } from './policy/calling.js'
import { table } from './policy/diff-report.js'

export const help = `usage: assent policy apply --server URL [flags]

Gives the use cases that are there already the tiers of the policy that a server has in force. Shows first which ones
change, and changes nothing without --yes. Each one that changes gets an event; whoever repeats this, or goes on after
it broke off, finds only what is left.

  --server URL         or ASSENT_URL
  --token-file FILE    holds a token of an administrator of the whole organisation; or ASSENT_TOKEN holds it
  --yes                apply it
  --format FORMAT      text or json
  --timeout SECONDS    for each step: 60
  --allow-plain-http   send the token over http:// to another machine

Approvals that were decided on a lower tier lapse; no other does. Reviews that are open go on.

Exits with 0 done, or nothing to do, 2 wrong usage, or another policy came into force meanwhile, 3 not signed in or not
permitted, 5 unavailable, 6 an answer that is none.`

const flags = { ...serverFlags, server: 'value', yes: 'switch', format: 'value' } as const
type Flags = Given<typeof flags>

const LISTED = 100

interface Changes {
  policy: string
  examined: number
  changed: number
  lapses: number
  tiers: { from: string; to: string; count: number }[]
  /** The first of them. */
  useCases: TierChange[]
}

/** `assent policy apply`. */
export async function run(argv: string[]): Promise<number> {
  try {
    await apply(parseFlags(argv, flags), readCliEnvironment())
    return exitCodes.allowed
  } catch (error) {
    console.error(`assent policy apply: ${sentenceOf(error)}`)
    return codeOf(error)
  }
}

async function apply(given: Flags, env: CliEnvironment): Promise<void> {
  const format = readFormat(given.format, ['text', 'json'])
  const asking = readAsking(given.server ?? env.url, given, env)
  const seen = await preview(asking)
  if (!given.yes || seen.changed === 0) {
    console.log(format === 'json' ? JSON.stringify({ applied: false, ...seen }) : inWords(seen, given.yes))
    return
  }
  if (format === 'text') console.log(inWords(seen, true))
  const done = await applyAll(asking, seen.policy)
  console.log(
    format === 'json'
      ? JSON.stringify({ applied: true, ...done })
      : `Applied: ${done.changed} changed, and ${done.lapses} approvals lapsed.`,
  )
}

/** All that would change, and nothing does. */
async function preview(asking: Asking): Promise<Changes> {
  let counted: Changes | undefined
  let cursor: string | null = ''
  while (cursor !== null) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { policy, examined, items, next } = await ask(
      asking,
      `v1/policies/changes?limit=200${after}`,
      TierChangePage,
    )
    counted = count(counted ?? nothing(policy), { policy, examined, changed: items })
    cursor = next
  }
  return counted ?? nothing('')
}

/** Step after step, until no use case is left. */
async function applyAll(asking: Asking, policy: string): Promise<Changes> {
  let counted = nothing(policy)
  let through: string | null = null
  for (;;) {
    const body: object = { policy, ...(through !== null && { after: through }) }
    const step: Application = await ask(asking, 'v1/policies/applications', Application, {
      body,
      key: randomUUID(),
    })
    counted = count(counted, step)
    through = step.through
    if (step.finished) return counted
    console.error(`assent policy apply: through ${step.through}, ${counted.changed} changed`)
  }
}

function nothing(policy: string): Changes {
  return { policy, examined: 0, changed: 0, lapses: 0, tiers: [], useCases: [] }
}

/** @throws Refused when the server has another policy in force than a moment ago */
function count(before: Changes, step: Pick<Application, 'policy' | 'examined' | 'changed'>): Changes {
  if (step.policy !== before.policy) {
    throw new Refused('usage', 'another policy came into force meanwhile; look at its changes first')
  }
  const tiers = before.tiers.map((tier) => ({ ...tier }))
  for (const { from, to } of step.changed.filter(({ from, to }) => from !== to)) {
    const known = tiers.find((tier) => tier.from === from && tier.to === to)
    if (known) known.count += 1
    else tiers.push({ from, to, count: 1 })
  }
  return {
    policy: before.policy,
    examined: before.examined + step.examined,
    changed: before.changed + step.changed.length,
    lapses: before.lapses + step.changed.filter(({ lapses }) => lapses).length,
    tiers,
    useCases: [...before.useCases, ...step.changed.slice(0, LISTED - before.useCases.length)],
  }
}

function inWords(changes: Changes, isApplied: boolean): string {
  const { policy, examined, changed, lapses, tiers, useCases } = changes
  if (changed === 0)
    return `${policy}\nNothing is left to apply: ${examined} use cases have the tiers of this policy.`
  const more = changed - useCases.length
  return [
    policy,
    `${changed} of ${examined} use cases get another tier, or the same by other rules; ${lapses} approvals lapse.`,
    ...table(
      'Tiers',
      tiers.map(({ from, to, count }) => [`${from} > ${to}`, String(count)]),
    ),
    ...table('Use cases', useCases.map(rowOf)),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(isApplied ? [] : ['', 'Nothing was changed; --yes applies it.']),
  ].join('\n')
}

function rowOf({ key, from, to, fired, lapses, loweringEnds, title }: TierChange): string[] {
  const marks = [...(lapses ? ['lapses'] : []), ...(loweringEnds ? ['lowering ends'] : [])]
  return [key, from === to ? from : `${from} > ${to}`, [...marks, fired.join(', ')].join('; '), plain(title)]
}
