import type { EffectKind } from '../../policy/effects.js'
import { plain } from '../gate-report.js'
import type { ChangedLane, ChangedUseCase, Gathered } from './gathering.js'

export const diffFormats = ['text', 'json', 'markdown'] as const

/** What a change of policy would do to a register. */
export interface PolicyDifference extends Gathered {
  /** Digests of the policy in force and of the one that is tried out. */
  from: string
  to: string
  /** The instant the register is of, if it says so. */
  asOf: string | null
  /** Kinds of change that were asked to fail on, and are there. */
  failedOn: string[]
}

/** What each kind of change means, for whoever reads the counts. */
export const kindWords: Record<EffectKind, string> = {
  lapse: 'approvals lapse: the tier is above the one they were decided on',
  tier_raised: 'get a higher tier',
  tier_lowered: 'get a lower tier',
  open_review: 'reviews that are open would end in a request for changes',
  lowering_ends: 'tiers that a decision had lowered count again',
  more_evidence: 'are asked for more evidence or controls the next time, whatever they have already',
  stricter: 'have to pass more the next time',
  looser: 'have to pass less the next time',
  less_evidence: 'are asked for less evidence or fewer controls the next time',
  lane: 'take another lane the next time',
  requirements: 'have to pass something else the next time',
  pending: 'change by the policy in force, which was not applied to them yet',
}

/** For a person, a program, or a comment on a pull request. */
export function reportDifference(found: PolicyDifference, format: (typeof diffFormats)[number]): string {
  if (format === 'json') return JSON.stringify(found)
  return format === 'markdown' ? inMarkdown(found) : inText(found)
}

function headline({ examined, changed, asOf }: PolicyDifference): string {
  const of = asOf === null ? '' : ` as of ${asOf}`
  if (changed === 0) return `Nothing changes for any of ${number(examined)} use cases${of}.`
  return `${number(changed)} of ${number(examined)} use cases${of} would change.`
}

function kindsOf({ kinds }: PolicyDifference): [kind: EffectKind, count: number][] {
  return (Object.entries(kinds) as [EffectKind, number][]).filter(([, count]) => count > 0)
}

function inText(found: PolicyDifference): string {
  const kinds = kindsOf(found).map(([kind, count]) => [kind, number(count), kindWords[kind]])
  const tiers = found.tiers.map(({ from, to, count }) => [`${from} > ${to}`, number(count)])
  const lanes = found.lanes.map((lane) => [`${lane.from} > ${lane.to}`, number(lane.count), asks(lane)])
  const useCases = found.useCases.map((one) => [one.key, one.orgUnit, changes(one), plain(one.title)])
  return [
    `${found.from} > ${found.to}`,
    headline(found),
    ...table('', kinds),
    ...table('Tiers', tiers),
    ...table('What is asked the next time', lanes),
    ...table('Evidence and controls asked the next time', evidenceRows(found)),
    ...table('Use cases', useCases),
    ...(found.omitted > 0 ? [`  and ${number(found.omitted)} more`] : []),
  ].join('\n')
}

/** Rows below a title, in columns as wide as they need; nothing where there are none. */
export function table(title: string, rows: string[][]): string[] {
  if (rows.length === 0) return []
  const widths = rows.reduce<number[]>(
    (w, row) => row.map((cell, at) => Math.max(w[at] ?? 0, cell.length)),
    [],
  )
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return ['', ...(title === '' ? [] : [title]), ...lines.map((line) => `  ${line}`)]
}

function evidenceRows({ evidence }: PolicyDifference): string[][] {
  return evidence.map(({ requirement, more, less }) => [
    requirement,
    more > 0 ? `more of ${number(more)}` : '',
    less > 0 ? `less of ${number(less)}` : '',
  ])
}

function asks({ changes }: ChangedLane): string {
  return changes.map(({ requirement, from, to }) => `${words(requirement)}: ${from} > ${to}`).join('; ')
}

function changes({ tier, standing, lane, rules, requirements, evidence, kinds }: ChangedUseCase): string {
  const added = rules.added.length > 0 ? ` by ${rules.added.join(', ')}` : ''
  const parts = [
    ...(kinds.includes('pending') ? ['not applied yet'] : []),
    ...(tier ? [`${tier.from} > ${tier.to}${added}`] : []),
    ...(standing ? [`${standing.from} > ${standing.to}`] : []),
    ...(lane ? [`lane ${lane.from} > ${lane.to}`] : []),
    ...(kinds.includes('open_review') ? ['open review sent back'] : []),
    ...(evidence.more.length > 0 ? [`more asked by ${evidence.more.join(', ')}`] : []),
    ...(evidence.less.length > 0 ? [`less asked by ${evidence.less.join(', ')}`] : []),
  ]
  return (parts.length > 0 ? parts : requirements.map(words)).join('; ')
}

/** A comment of GitHub holds 65,536 characters; what does not fit is counted. */
const LONGEST_COMMENT = 60_000

function inMarkdown(found: PolicyDifference): string {
  const kinds = kindsOf(found).map(([kind, count]) => [code(kind), number(count), kindWords[kind]])
  const tiers = found.tiers.map(({ from, to, count }) => [from, to, number(count)])
  const lanes = found.lanes.map((lane) => [
    cell(lane.from),
    cell(lane.to),
    number(lane.count),
    cell(asks(lane)),
  ])
  const head = [
    '<!-- assent policy diff -->',
    '### What this change of policy does',
    '',
    `**${headline(found)}** Policy ${code(short(found.from))} to ${code(short(found.to))}.`,
    ...(found.failedOn.length > 0 ? ['', `Not accepted here: ${found.failedOn.map(code).join(', ')}.`] : []),
    ...markdownTable(['', 'use cases', ''], kinds),
    ...markdownTable(['tier', 'would be', 'use cases'], tiers),
    ...markdownTable(['lane', 'would be', 'use cases', 'what is asked the next time'], lanes),
    ...markdownTable(['requirement', 'asks for more', 'asks for less'], evidenceRows(found)),
  ].join('\n')
  return `${head}${details(found, LONGEST_COMMENT - head.length)}`
}

function details({ useCases, changed }: PolicyDifference, room: number): string {
  const rows: string[] = []
  let left = room - 500
  for (const one of useCases) {
    const row = `| ${[one.key, one.orgUnit, changes(one), one.title].map(cell).join(' | ')} |`
    left -= row.length + 1
    if (left < 0) break
    rows.push(row)
  }
  if (rows.length === 0) return ''
  const more = changed > rows.length ? ['', `And ${number(changed - rows.length)} more.`] : []
  const head = [
    '',
    '',
    '<details><summary>Use cases</summary>',
    '',
    '| key | unit | change | title |',
    '|---|---|---|---|',
  ]
  return [...head, ...rows, ...more, '', '</details>'].join('\n')
}

function markdownTable(head: string[], rows: string[][]): string[] {
  if (rows.length === 0) return []
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return ['', ...lines]
}

/** Text of others in a table: no mark-up of theirs counts, and nobody is mentioned. */
function cell(text: string): string {
  return plain(text)
    .replace(/[\\`*_{}[\]()#+!|~$-]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@/g, '@\u2060')
    .replace(/:\/\//g, ':\u2060//')
}

function code(word: string): string {
  return `\`${word.replaceAll('`', '')}\``
}

function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12)
}

function words(name: string): string {
  return name.replaceAll('_', ' ')
}

function number(count: number): string {
  return count.toLocaleString('en-US')
}
