import type { Evidence } from '../../evidence/evidence.js'
import type { Exception } from '../../exceptions/exception.js'
import { addDays, addSeconds, day, toInstant } from '../../instant.js'
import type { OrgUnit } from '../../org-units/org-unit.js'
import type { ControlAsk, EvidenceAsk } from '../../policy/requirements.js'
import type { Review } from '../../reviews/review.js'
import type { UseCase } from '../../use-cases/use-case.js'
import { type Ballot, refusedVote, submit, tellStanding, vote } from './deciding.js'
import { askGate, bindPipeline } from './gate-story.js'
import * as grounds from './grounds.js'
import { tellTier } from './review-story.js'
import { as, idOf, type Stage } from './stage.js'
import { bar, plural, type Telling } from './telling.js'

const BUSINESS = 'business-owner-claims'
const RISK = 'risk-owner-claims'

/** Long enough for a decision in between, short enough for whoever watches. */
const FRESH_SECONDS = 6

const answers = {
  ...{ customer_facing: 'no', regulated_language: 'no', personal_data: 'special', decision_role: 'assists' },
  ...{ autonomy: 'human_in_loop', affected: 'customers', vulnerable_people: 'yes', annex_iii_area: 'none' },
  ...{ omb_high_impact: 'no', prohibited_practice: 'none' },
}

const HANDBOOK = 'as our handbook has it'

/** What the risk owner keeps for later. */
interface Later {
  /** A kind of evidence without which nothing is approved. */
  evidence: grounds.Open<EvidenceAsk>
  /** A control that policy lets a decision except. */
  control: grounds.Open<ControlAsk> | undefined
}

/** What an approval came to rest on. */
export interface Approved {
  key: string
  /** A piece that goes stale in a moment. */
  piece: Evidence
}

/** A risk owner's way: from a draft of which much is missing to an approval that rests on something, if policy asks so. */
export async function tellControls(stage: Stage, telling: Telling): Promise<Approved | undefined> {
  const key = await registerTriage(stage)
  await bindPipeline(stage, [key])
  const open = await tellMissing(stage, telling, key)
  const evidence = open.evidence.findLast(({ atDecision }) => atDecision === 'refused')
  if (!evidence) {
    telling.say('policy insists on no evidence for it, so there is nothing more to tell')
    return undefined
  }
  const later = { evidence, control: open.controls.findLast(({ exceptionDays }) => exceptionDays !== null) }
  const evidenceIds = await giveEvidence(stage, telling, key, { open, later })
  await assessControls(stage, telling, key, { open, later, evidenceIds })
  return await decide(stage, telling, key, later)
}

async function registerTriage(stage: Stage): Promise<string> {
  const { items } = await stage.administrator.get<{ items: OrgUnit[] }>('/v1/org-units')
  const { key } = await as(stage, BUSINESS).post<UseCase>('/v1/use-cases', {
    ...{
      title: 'Injury claims, the urgent ones first',
      purpose: 'Serious injuries wait in the same queue as scratched doors',
      stage: 'pre_deployment',
      technique: 'classical_ml',
    },
    ...{ jurisdictions: ['US-NY'], channels: ['internal'], answers },
    orgUnitId: items.find(({ parentId }) => parentId === null)?.id,
    ...{ businessOwnerId: idOf(stage, BUSINESS), riskOwnerId: idOf(stage, RISK) },
  })
  return key
}

async function tellMissing(stage: Stage, telling: Telling, key: string): Promise<grounds.AllOpen> {
  telling.step('A draft, and what is missing')
  await tellTier(stage, telling, key)
  const asked = await grounds.requirementsOf(stage, key)
  const open = grounds.openIn(asked)
  const { required, missing } = asked.counts
  telling.say(`for that, policy asks for ${plural(required, 'thing')}, of which ${missing} are missing:`)
  for (const { next } of open.evidence) telling.say(`  ${next}`)
  for (const { next } of open.controls.slice(0, 2)) telling.say(`  ${next}`)
  if (open.controls.length > 2) telling.say(`  and ${plural(open.controls.length - 2, 'control')} more`)
  return open
}

async function giveEvidence(
  stage: Stage,
  telling: Telling,
  key: string,
  { open, later }: { open: grounds.AllOpen; later: Later },
): Promise<string[]> {
  telling.step('Evidence is attached, and accepted by somebody else')
  const evidenceIds: string[] = []
  for (const one of open.evidence.filter((wanted) => wanted !== later.evidence)) {
    const { kind } = one.ask
    const piece =
      kind === 'test_report'
        ? await grounds.attachFile(stage, key, RISK, { kind, ...grounds.pastCases() })
        : await grounds.attest(stage, key, RISK, { kind })
    tellPiece(telling, piece)
    if (evidenceIds.length === 0) await refuseOwn(stage, telling, piece)
    const seat = await grounds.accept(stage, piece, one.ask)
    telling.say(`  the ${seat} seat accepts it`)
    evidenceIds.push(piece.id)
  }
  return evidenceIds
}

function tellPiece(telling: Telling, { form, title, fileName, size, digest }: Evidence): void {
  const file = `the file ${fileName}, ${Math.round(size / 1024)} KB,`
  const what = form === 'file' ? file : 'their word,'
  telling.say(`its risk owner attaches “${title}”: ${what} ${digest.slice(0, 19)}…`)
}

async function refuseOwn(stage: Stage, telling: Telling, { id }: Evidence): Promise<void> {
  telling.say('  and would accept it at once, which is refused:')
  const verdict = { verdict: 'accepted', note: 'I know it is fine.' }
  telling.quote(await as(stage, RISK).refused(`/v1/evidence/${id}/verdict`, verdict))
}

/** All that policy asks for, but one; one more is only planned, where an approval may carry that as a condition. */
async function assessControls(
  stage: Stage,
  telling: Telling,
  key: string,
  { open, later, evidenceIds }: { open: grounds.AllOpen; later: Later; evidenceIds: string[] },
): Promise<void> {
  telling.step('Controls are assessed, and coverage rises')
  await tellCoverage(stage, telling, key)
  const now = open.controls.filter(({ ask }) => ask.control !== later.control?.ask.control)
  const planned = now.findLast(({ ifMissing }) => ifMissing !== 'refuse' && 'dueInDays' in ifMissing)?.ask
  const inPlace = now.map(({ ask }) => ask).filter(({ control }) => control !== planned?.control)
  const evidence = { evidenceIds }
  await grounds.assess(stage, key, RISK, inPlace, { state: 'in_place', note: HANDBOOK, ...evidence })
  if (planned) await grounds.assess(stage, key, RISK, [planned], { state: 'planned', note: 'next quarter' })
  const also = planned ? `, and of ${planned.control} that it is planned` : ''
  telling.say(`its risk owner says of ${plural(inPlace.length, 'control')} that they are in place${also}:`)
  await tellCoverage(stage, telling, key)
  const { counts } = await grounds.requirementsOf(stage, key)
  const { required, missing, refused } = counts
  telling.say(`of ${required} things ${missing} are missing; without ${refused} of these nothing is approved`)
}

async function tellCoverage(stage: Stage, telling: Telling, key: string): Promise<void> {
  const { coverage } = await grounds.profileOf(stage, key)
  for (const { catalog, function: name, covered, applicable } of coverage.functions) {
    telling.say(
      `  ${`${catalog} ${name}`.padEnd(24)} ${bar(covered, applicable)} ${covered} of ${applicable}`,
    )
  }
  telling.say(`  ${Math.floor((coverage.share ?? 0) * 100)} % of what policy asks for is covered`)
}

async function decide(stage: Stage, telling: Telling, key: string, later: Later): Promise<Approved> {
  telling.step('The committee cannot approve while something is missing')
  const review = await submit(stage, key, RISK, exceptionFor(telling, later.control))
  const ballot = { choice: 'approve', rationale: 'A person decides, and the test shows whom it helps.' }
  for (const seat of ['risk', 'legal']) await vote(stage, telling, review, seat, ballot)
  const piece = await mend(stage, telling, { key, review, ballot }, later.evidence.ask)
  await vote(stage, telling, review, 'compliance', ballot)
  await tellExceptions(stage, telling, key)
  await tellStanding(stage, telling, key)
  await askGate(stage, telling, key)
  return { key, piece }
}

function exceptionFor(telling: Telling, control: Later['control']): object {
  if (!control) return {}
  const { requirement, ask, exceptionDays } = control
  const until = addDays(toInstant(new Date()), Math.min(exceptionDays ?? 1, 90))
  const compensating = { text: 'A person reads each claim of an injured child before it is ranked.' }
  telling.say(
    `its risk owner submits it, and asks for an exception from ${requirement}, ${ask.control}, until ${day(until)}:`,
  )
  telling.say(`  “${compensating.text}”`)
  const { catalog, version, control: id } = ask
  const reason = 'the tool learns to do this with its next version'
  return {
    exceptions: [{ requirement, control: { catalog, version, control: id }, until, compensating, reason }],
  }
}

async function tellExceptions(stage: Stage, telling: Telling, key: string): Promise<void> {
  const path = `/v1/use-cases/${key}/exceptions`
  const { items } = await as(stage, 'auditor').get<{ items: Exception[] }>(path)
  for (const { requirement, control, until } of items) {
    telling.say(
      `  excepted: ${requirement}, ${control}, until ${day(until)}; from then on it is missing again`,
    )
  }
}

/** The vote that would approve is refused until somebody accepted what is missing. */
async function mend(
  stage: Stage,
  telling: Telling,
  { key, review, ballot }: { key: string; review: Review; ballot: Ballot },
  ask: EvidenceAsk,
): Promise<Evidence> {
  telling.say('the compliance seat would approve as well, which would decide it, and is refused:')
  telling.quote(await refusedVote(stage, review, 'compliance', ballot))
  const freshUntil = addSeconds(toInstant(new Date()), FRESH_SECONDS)
  const piece = await grounds.attest(stage, key, RISK, { kind: ask.kind, freshUntil })
  const seat = await grounds.accept(stage, piece, ask)
  telling.say(`its risk owner attaches “${piece.title}”, and the ${seat} seat accepts it`)
  telling.say(`so that nobody has to wait for it here, it is fresh for ${FRESH_SECONDS} seconds`)
  return piece
}
