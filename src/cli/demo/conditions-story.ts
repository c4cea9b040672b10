import { setTimeout as wait } from 'node:timers/promises'
import type { Condition } from '../../conditions/condition.js'
import type { Evidence } from '../../evidence/evidence.js'
import { addSeconds, toInstant } from '../../instant.js'
import type { Review } from '../../reviews/review.js'
import type { Standing } from '../../use-cases/standing.js'
import type { UseCase } from '../../use-cases/use-case.js'
import { read, submit, tellStanding, vote } from './deciding.js'
import { askGate, bindPipeline } from './gate-story.js'
import { provide } from './grounds.js'
import { as, idOf, type Stage } from './stage.js'
import { plural, type Telling } from './telling.js'

const BUSINESS = 'business-owner-claims'
const RISK = 'risk-owner-claims'

const answers = {
  ...{ customer_facing: 'yes', regulated_language: 'no', personal_data: 'none', decision_role: 'none' },
  ...{ autonomy: 'human_in_loop', affected: 'nobody', vulnerable_people: 'no', annex_iii_area: 'none' },
  ...{ omb_high_impact: 'no', prohibited_practice: 'none' },
}

/** An approval with conditions, from the vote to the day when one is overdue, and what can be built on it. */
export async function tellConditions(stage: Stage, telling: Telling): Promise<void> {
  const key = await registerLetters(stage, 'Letters about claims, drafted')
  await bindPipeline(stage, [key])
  await approveWithConditions(stage, telling, key)
  await becomeOverdue(stage, telling, key)
  await followPrecedent(stage, telling, key)
  await changeALittle(stage, telling, key)
  await suspend(stage, telling, key)
  await attest(stage, telling)
}

/** With all that policy asks of it. */
async function registerLetters(stage: Stage, title: string, differing = {}): Promise<string> {
  const { items } = await stage.administrator.get<{ items: { id: string; parentId: string | null }[] }>(
    '/v1/org-units',
  )
  const { key } = await as(stage, BUSINESS).post<UseCase>('/v1/use-cases', {
    ...{
      title,
      purpose: 'Clerks write the same letter many times a day',
      stage: 'pilot',
      technique: 'generative',
    },
    ...{ jurisdictions: ['US-NY', 'US-CA'], channels: ['e-mail'], answers },
    orgUnitId: items.find(({ parentId }) => parentId === null)?.id,
    ...{ businessOwnerId: idOf(stage, BUSINESS), riskOwnerId: idOf(stage, RISK) },
    ...differing,
  })
  await provide(stage, key, RISK)
  return key
}

/** How it begins, and how it ends: what it takes, who can vote, and what happens then. */
async function tellBrief(stage: Stage, telling: Telling, { id }: Review): Promise<void> {
  const page = await as(stage, 'committee-risk').text(`/v1/reviews/${id}/brief?format=markdown`)
  const lines = page.split('\n').filter(Boolean)
  telling.say('what the committee has before it, on one page:')
  const end = lines.slice(lines.indexOf('## What it takes'))
  for (const line of [...lines.slice(0, 2), '…', ...end]) telling.say(`    ${line}`)
}

/** Long enough to see it stand, short enough for whoever watches. */
const DUE_SECONDS = 6

async function approveWithConditions(stage: Stage, telling: Telling, key: string): Promise<void> {
  telling.step('An approval with conditions')
  const review = await submit(stage, key, RISK)
  telling.say(
    `${key} is new, for New York and California, with all that policy asks of it; its risk owner submits it`,
  )
  await tellBrief(stage, telling, review)
  await vote(stage, telling, review, 'legal', {
    ...{ choice: 'approve', rationale: 'Nothing in it is legal advice.' },
  })
  const dueAt = addSeconds(toInstant(new Date()), DUE_SECONDS)
  await vote(stage, telling, review, 'risk', {
    choice: 'approve_with_conditions',
    rationale: 'The pilot was small: show us the first letters, and begin in New York alone.',
    conditions: [
      {
        type: 'obligation',
        text: 'Report on the first hundred letters',
        satisfiedBy: 'monitoring_report',
        dueAt,
      },
      { type: 'limit', on: 'jurisdiction', values: ['US-NY'] },
    ],
  })
  await tellStanding(stage, telling, key)
  telling.say(`so that nobody has to wait for it here, the report is due in ${DUE_SECONDS} seconds`)
  telling.say('the gate wants to know where it goes, and lets it go where it may:')
  await askGate(stage, telling, key)
  await askGate(stage, telling, key, ['--jurisdiction', 'US-NY'])
}

async function becomeOverdue(stage: Stage, telling: Telling, key: string): Promise<void> {
  telling.step('A condition is overdue, and is met')
  const { nextDueAt } = (await read(as(stage, RISK), key)).standing
  const later = await as(stage, RISK).get<Standing>(`/v1/use-cases/${key}/standing?at=${nextDueAt}`)
  telling.say(`asked how it will stand at ${nextDueAt}, Assent says ${later.standing}; we wait for it`)
  await wait(Math.max(0, Date.parse(nextDueAt ?? '') - Date.now()) + 300)
  await tellStanding(stage, telling, key)
  await askGate(stage, telling, key, ['--jurisdiction', 'US-NY'])
  const report = await as(stage, RISK).post<Evidence>(`/v1/use-cases/${key}/evidence`, {
    ...{ kind: 'monitoring_report', title: 'The first hundred letters' },
    statement: 'A clerk read each: 97 went out as they were, 3 were put right, none was sent unread.',
  })
  await as(stage, 'committee-compliance').post(`/v1/evidence/${report.id}/verdict`, {
    ...{ verdict: 'accepted', note: 'I read twenty of them.' },
  })
  const { items } = await as(stage, RISK).get<{ items: Condition[] }>(`/v1/use-cases/${key}/conditions`)
  const overdue = items.find(({ state }) => state === 'overdue')
  await as(stage, RISK).post(`/v1/conditions/${overdue?.id}/fulfilment`, {
    ...{ evidenceId: report.id, note: 'as the committee asked' },
  })
  telling.say('its risk owner hands in the report, somebody else accepts it, and the condition is met')
  await tellStanding(stage, telling, key)
}

interface NextReview {
  tier: string
  lane: { title: string; attestation?: { statement: string } }
  since: { changeClass: string; changes: { fact: string; from: unknown; to: unknown }[] } | null
  precedents: { decisionId: string; useCase: { key: string } }[]
}

async function followPrecedent(stage: Stage, telling: Telling, precedent: string): Promise<void> {
  telling.step('The same once more: a precedent saves a vote')
  const key = await registerLetters(stage, 'Letters about policies, drafted')
  const next = await as(stage, RISK).get<NextReview>(`/v1/use-cases/${key}/next-review`)
  const found = next.precedents.find(({ useCase }) => useCase.key === precedent)
  telling.say(`${key} would go through “${next.lane.title}”; it could cite ${precedent}, which is alike`)
  const review = await submit(stage, key, RISK, { precedentId: found?.decisionId })
  telling.say(`cited, it goes through “${review.lane.title}”`)
  await vote(stage, telling, review, 'risk', {
    ...{ choice: 'approve', rationale: 'The same tool, the same facts, other letters.' },
  })
  telling.say(`one vote was enough, and the conditions of ${precedent} hold here, too`)
}

async function changeALittle(stage: Stage, telling: Telling, key: string): Promise<void> {
  telling.step('A small change takes a short way')
  const { revision } = await read(as(stage, BUSINESS), key)
  const change = {
    facts: { channels: ['e-mail', 'portal'] },
    reason: 'policyholders read them in the portal, too',
  }
  await as(stage, BUSINESS).patch(`/v1/use-cases/${key}`, change, revision)
  telling.say(`its business owner adds a channel: ${change.reason}`)
  await tellStanding(stage, telling, key)
  const { since, lane } = await as(stage, RISK).get<NextReview>(`/v1/use-cases/${key}/next-review`)
  for (const { fact, from, to } of since?.changes ?? []) {
    telling.say(`since the last decision: ${fact} ${JSON.stringify(from)} → ${JSON.stringify(to)}`)
  }
  telling.say(`policy calls that ${since?.changeClass}, for which “${lane.title}” is enough`)
  const review = await submit(stage, key, RISK)
  await vote(stage, telling, review, 'risk', { choice: 'approve', rationale: 'The same letters.' })
  telling.say('the report is handed in; the limit to New York still holds')
}

async function suspend(stage: Stage, telling: Telling, key: string): Promise<void> {
  telling.step('Something goes wrong: suspended at once')
  const reason = { reason: 'two letters named another policyholder' }
  const { id } = await as(stage, RISK).post<{ id: string }>(`/v1/use-cases/${key}/suspensions`, reason)
  telling.say(`its risk owner suspends it: ${reason.reason}`)
  await tellStanding(stage, telling, key)
  await askGate(stage, telling, key, ['--jurisdiction', 'US-NY'])
  telling.say('whoever suspended it cannot lift that again:')
  const lifting = { reason: 'the mix-up is mended, 200 letters were read again' }
  telling.quote(await as(stage, RISK).refused(`/v1/suspensions/${id}/lifting`, lifting))
  await as(stage, 'committee-legal').post(`/v1/suspensions/${id}/lifting`, lifting)
  telling.say(`the legal seat does: ${lifting.reason}`)
  await tellStanding(stage, telling, key)
}

async function attest(stage: Stage, telling: Telling): Promise<void> {
  telling.step('Where little can happen, the owner’s word is enough')
  const inside = { ...answers, customer_facing: 'no' }
  const key = await registerLetters(stage, 'Search in our own manuals', {
    answers: inside,
    channels: ['internal'],
  })
  const { tier, lane } = await as(stage, BUSINESS).get<NextReview>(`/v1/use-cases/${key}/next-review`)
  telling.say(`${key} is ${tier}: lane “${lane.title}” asks for no vote; its owner declares:`)
  telling.say(`  “${lane.attestation?.statement}”`)
  await submit(stage, key, BUSINESS, { attest: true })
  const { openReviewId } = (await read(as(stage, 'auditor'), key)).standing
  await tellStanding(stage, telling, key)
  const drawn = openReviewId === null ? 'was not drawn' : 'was drawn'
  telling.say(`one in ten is drawn for a review afterwards, by chance; this one ${drawn}`)
  const { items } = await as(stage, 'auditor').get<{ items: UseCase[] }>(
    '/v1/use-cases?standing=cleared&standing=cleared_with_conditions&limit=200',
  )
  telling.say(`${plural(items.length, 'use case')} may run now`)
}
