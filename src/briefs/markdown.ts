import { day } from '../instant.js'
import { page, section, plain as text, words } from '../markdown.js'
import type { Brief } from './brief.js'

/** The brief for a meeting, in Markdown: what was written by people is quoted so that it stays text. */
export function toMarkdown(brief: Brief): string {
  const { review, useCase, tier, lane } = brief
  return page([
    `# ${text(useCase.key)} ${text(useCase.title)}`,
    paragraph(
      `Review ${review.round} of version ${review.version}, tier **${tier.decidedAs}**, lane “${text(lane.title)}”.`,
      review.outcome === null
        ? `Due on ${day(review.dueAt)}${review.isOverdue ? ', **overdue**' : ''}.`
        : `Ended on ${day(review.closedAt ?? review.dueAt)}: **${words(review.outcome)}**.`,
    ),
    section('What it is', facts(brief)),
    section(
      'Why this tier',
      tier.fired.map(
        ({ id, because, unknown }) => `${id}: ${text(because)}${unknown ? ' (not answered)' : ''}`,
      ),
    ),
    section(
      'What policy adds',
      review.overlays.map(({ id, because }) => `${id}: ${text(because)}`),
    ),
    section('What is asked for', asked(brief)),
    section('Since the last decision', since(brief)),
    section('What is missing', missing(brief)),
    section('Evidence', orElse(brief.evidence.map(evidenceLine), 'None was attached')),
    section('Conditions in force', brief.conditions.map(conditionLine)),
    section('Exceptions in force', brief.exceptions.map(exceptionLine)),
    section(
      'What it takes',
      brief.lane.stages.map((stage) => stageLine(stage, brief)),
    ),
    section('Votes', orElse(brief.votes.map(voteLine), 'Nobody voted yet')),
    section('Who can still decide', brief.canDecide.map(seatLine)),
    section('What happens then', outlook(brief)),
  ])
}

function facts({ useCase, owners }: Brief): string[] {
  const { purpose, benefits, outputs, orgUnit, stage, technique, jurisdictions, channels } = useCase
  const lines: [string, string | undefined | null][] = [
    ['Purpose', purpose],
    ['Benefits', benefits],
    ['Outputs', outputs],
    ['Unit', orgUnit],
    ['Stage', words(stage)],
    ['Technique', technique && words(technique)],
    ['Jurisdictions', jurisdictions.join(', ')],
    ['Channels', channels.join(', ')],
    ['Business owner', owners.business?.name],
    ['Risk owner', owners.risk?.name],
    ['Submitted by', owners.submittedBy.name],
  ]
  return lines.flatMap(([name, value]) => (value ? [`${name}: ${text(value)}`] : []))
}

function exceptionLine({ requirement, control, until, compensating }: Brief['exceptions'][number]): string {
  const what = [requirement, control].filter((name) => name !== null).join(' ')
  return `${what} until ${day(until)}. Instead: ${text(compensating.text)}`
}

function asked({ review }: Brief): string[] {
  const { lowerTierTo, waives, precedentId, supersedesId, exceptions } = review.asks
  return [
    ...(review.note ? [`Note: ${text(review.note)}`] : []),
    ...(lowerTierTo ? [`Lower the tier to ${lowerTierTo}`] : []),
    ...(waives.length > 0 ? [`Waive ${waives.length} condition${waives.length > 1 ? 's' : ''}`] : []),
    ...(precedentId ? [`Follow the precedent ${precedentId}`] : []),
    ...exceptions.map(
      ({ requirement, control, until, compensating, reason }) =>
        `Except from ${[requirement, control?.control].filter(Boolean).join(' ')} until ${day(until)}: ${text(reason)}. Instead: ${text(compensating.text)}`,
    ),
    ...(supersedesId ? [`Take the place of the decision ${supersedesId}, as it was wrong`] : []),
  ]
}

/** Only of a round that is open: what was missing when another one ended, its conditions say. */
function missing({ review }: Brief): string[] {
  if (review.missing === null) return []
  const lines = review.missing.map(
    ({ sentence, ifApproved }) => `${text(sentence)}: ${IF_APPROVED[ifApproved]}`,
  )
  return orElse(lines, 'Nothing that policy asks for')
}

const IF_APPROVED = {
  refused: '**a vote that approves is refused**',
  condition: 'an approval makes it a condition',
  excepted: 'it is excepted for a time',
}

function since({ since }: Brief): string[] {
  if (since === null) return ['It was never decided']
  const { decision, changes, changeClass } = since
  return [
    `${words(decision.outcome)} on ${day(decision.decidedAt)} (version ${since.version}): ${text(decision.reason)}`,
    changes.length > 0 ? `The change is ${changeClass}` : 'Nothing changed',
    ...changes.map(({ fact, from, to }) => `${fact}: ${shown(from)} → ${shown(to)}`),
  ]
}

function shown(value: unknown): string {
  if (value === null || value === '') return 'nothing'
  return text(typeof value === 'string' ? value : JSON.stringify(value))
}

function evidenceLine({ kind, title, freshUntil, verdict }: Brief['evidence'][number]): string {
  const fresh = freshUntil === null ? '' : `, fresh until ${day(freshUntil)}`
  return `${text(title)} (${words(kind)}): ${verdict?.verdict ?? 'not judged yet'}${fresh}`
}

function conditionLine({ text: said, state, dueAt, beforeDeploy }: Brief['conditions'][number]): string {
  const due = beforeDeploy ? ', before a deploy' : dueAt === null ? '' : `, due on ${day(dueAt)}`
  return `${text(said)} (${words(state)}${due})`
}

function voteLine({
  seat,
  person,
  onBehalfOf,
  choice,
  counts,
  rationale,
  conditions,
}: Brief['votes'][number]): string {
  const whose = onBehalfOf === null ? text(person.name) : `${text(person.name)} for ${text(onBehalfOf.name)}`
  const extra = conditions.map((condition) => ` Condition: ${text(condition.text)}`).join('')
  return `${seat}, ${whose}: **${words(choice)}**${counts ? '' : ' (counts no more)'}. ${text(rationale)}${extra}`
}

function stageLine({ id, seats, quorum }: Brief['lane']['stages'][number], { review }: Brief): string {
  const now = review.stages.find((stage) => stage.id === id)
  const named = (kind: 'required' | 'veto') => seats.filter((seat) => seat[kind]).map(({ seat }) => seat)
  const [required, veto] = [named('required'), named('veto')]
  return [
    `${id} (${words(now?.state ?? 'waiting')}): ${quorum} of ${seats.length} seats approve, ${now?.approvals ?? 0} so far`,
    ...(required.length > 0 ? [`${required.join(' and ')} must be among them`] : []),
    ...(veto.length > 0 ? [`${veto.join(' or ')} can block it alone`] : []),
  ].join('; ')
}

/** What each vote leads to, choices that come to the same told once. */
function outlook({ outlook }: Brief): string[] {
  const told = new Map<string, string[]>()
  for (const { seat, choice, effect } of outlook.filter(({ effect }) => !/stays open$/.test(effect))) {
    const key = `${effect}|${seat ?? 'all who have not voted'}`
    told.set(key, [...(told.get(key) ?? []), words(choice)])
  }
  const lines = [...told].map(([key, choices]) => {
    const [effect, who] = key.split('|')
    return `${who}, ${choices.join(' or ')}: ${effect}`
  })
  const rest = lines.length < outlook.length && outlook.length > 0
  return rest
    ? [...lines, 'Any other vote: the round stays open, and a seat that is recused is open to another holder']
    : lines
}

function seatLine({ seat, stage, people }: Brief['canDecide'][number]): string {
  const who = people.map(({ name, onBehalfOf, cannot }) => {
    const whose = onBehalfOf === null ? text(name) : `${text(name)} for ${text(onBehalfOf.name)}`
    return cannot === null ? whose : `${whose} (not: ${text(cannot)})`
  })
  return `${seat} (${stage}): ${who.join('; ') || 'nobody who has joined holds this seat; an administrator grants it'}`
}

const paragraph = (...sentences: string[]): string => sentences.join(' ')
const orElse = (lines: string[], none: string): string[] => (lines.length > 0 ? lines : [none])
