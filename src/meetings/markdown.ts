import { day } from '../instant.js'
import { page, plain, section, words } from '../markdown.js'
import type { Agenda, AgendaItem } from './agenda.js'
import type { Minutes, MinutesDecision } from './minutes.js'

/** An agenda for a meeting, in Markdown: what was written by people is quoted so that it stays text. */
export function agendaToMarkdown({ day: on, items, hasMore }: Agenda): string {
  const among = (urgency: AgendaItem['urgency']) => items.filter((item) => item.urgency === urgency)
  return page([
    `# Agenda of ${on}`,
    items.length === 0 ? 'No review is open.' : `${counted(items.length, 'review is', 'reviews are')} open.`,
    ...part('Overdue', among('overdue')),
    ...part(`Due by ${on}`, among('due')),
    ...part('Due later', among('later')),
    hasMore ? 'More reviews are open than are listed here.' : '',
  ])
}

function part(title: string, items: readonly AgendaItem[]): string[] {
  return items.length === 0 ? [] : [`## ${title}`, ...items.map(reviewOf)]
}

function reviewOf(item: AgendaItem): string {
  const { useCase, tier, lane, round, route, changeClass, dueAt, stages, votes, brief } = item
  const lines = [
    `${plain(useCase.orgUnit)}, tier **${tier}**, lane “${plain(lane.title)}”, round ${round} (${words(route)})`,
    ...(changeClass ? [`Since the last decision: ${changeClass} change`] : []),
    ...asked(item),
    ...stages.map(
      ({ id, approvals, quorum, dueAt: stageDue, missing }) =>
        `Stage ${plain(id)}, due on ${day(stageDue ?? dueAt)}: ${approvals} of ${quorum} approvals; to vote: ${missing.join(', ') || 'nobody'}`,
    ),
    ...votes.map(
      ({ seat, person, onBehalfOf, choice }) => `${seat}, ${whose(person, onBehalfOf)}: **${words(choice)}**`,
    ),
    `Brief: ${brief}`,
  ]
  return subsection(useCase, lines)
}

function asked({ asks: { lowerTierTo, waives, precedentId, supersedesId } }: AgendaItem): string[] {
  return [
    ...(lowerTierTo ? [`Asks to lower the tier to ${lowerTierTo}`] : []),
    ...(waives.length > 0 ? [`Asks to waive ${counted(waives.length, 'condition', 'conditions')}`] : []),
    ...(precedentId ? ['Cites a precedent'] : []),
    ...(supersedesId ? ['Asks to supersede the decision in force'] : []),
  ]
}

/** Minutes of what was decided, in Markdown: what was written by people is quoted so that it stays text. */
export function minutesToMarkdown(minutes: Minutes): string {
  const { from, to, decisions, attestations, withdrawn, suspended, lifted, incidents, more } = minutes
  const deed = ({ useCase, by, reason, at }: Minutes['suspended'][number]) =>
    `${heading(useCase)}, on ${day(at)} by ${plain(by.name)}: ${plain(reason)}`
  return page([
    `# Minutes of ${from} to ${to}`,
    `${counted(decisions.length, 'decision', 'decisions')} by vote, and ${counted(attestations.count, 'attestation', 'attestations')}, of which ${attestations.sampled} were drawn for a review.`,
    ...(decisions.length > 0 ? ['## Decided', ...decisions.map(decisionOf)] : []),
    section(
      'Withdrawn',
      withdrawn.map(
        ({ useCase, round, reason, at }) =>
          `${heading(useCase)}, round ${round}, on ${day(at)}: ${plain(reason)}`,
      ),
    ),
    section('Suspended', suspended.map(deed)),
    section('Suspensions lifted', lifted.map(deed)),
    section(
      'Incidents closed',
      incidents.map(
        ({ useCase, by, title, severity, learned, at }) =>
          `${heading(useCase)}, “${plain(title)}” (${plain(severity)}), on ${day(at)} by ${plain(by.name)}: ${plain(learned)}`,
      ),
    ),
    more.length > 0 ? `The lists of ${more.join(', ')} are longer than this; ask for a shorter period.` : '',
  ])
}

function decisionOf(decision: MinutesDecision): string {
  const { useCase, outcome, decidedAt, tier, laneId, reason, loweredTier, supersedesId, precedentId } =
    decision
  const lines = [
    `**${words(outcome)}** on ${day(decidedAt)}: ${plain(reason)}`,
    `${plain(useCase.orgUnit)}, version ${decision.version}, tier ${tier}, lane ${plain(laneId)} (${words(decision.route)})`,
    ...decision.votes.map(
      ({ seat, person, onBehalfOf, choice, isDissent, rationale }) =>
        `${seat}, ${whose(person, onBehalfOf)}: **${words(choice)}**${isDissent ? ' (dissent)' : ''}. ${plain(rationale)}`,
    ),
    ...decision.imposed.map(conditionOf),
    ...decision.waived.map((text) => `Waived: ${plain(text)}`),
    ...(loweredTier ? [`The tier is lowered to ${loweredTier}`] : []),
    ...(supersedesId ? [`Takes the place of the decision ${supersedesId}, as it was wrong`] : []),
    ...(precedentId ? [`Follows the precedent ${precedentId}`] : []),
  ]
  return subsection(useCase, lines)
}

function conditionOf({ text, owner, dueAt, beforeDeploy }: MinutesDecision['imposed'][number]): string {
  const who = owner === null ? '' : `, ${plain(owner.name)}`
  const due = beforeDeploy ? ', before a deploy' : dueAt === null ? '' : `, by ${day(dueAt)}`
  return `Condition${who}${due}: ${plain(text)}`
}

function subsection(useCase: { key: string; title: string }, lines: readonly string[]): string {
  return `### ${heading(useCase)}\n\n${lines.map((line) => `- ${line}`).join('\n')}`
}

const heading = ({ key, title }: { key: string; title: string }): string => `${key} ${plain(title)}`

function whose(person: { name: string }, onBehalfOf: { name: string } | null): string {
  return onBehalfOf === null ? plain(person.name) : `${plain(person.name)} for ${plain(onBehalfOf.name)}`
}

const counted = (count: number, one: string, several: string): string =>
  count === 1 ? `1 ${one}` : `${count} ${several}`
