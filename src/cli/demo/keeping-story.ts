import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LegalHold } from '../../legal-holds/legal-hold.js'
import type { Standing } from '../../use-cases/standing.js'
import type { Approved } from './controls-story.js'
import { read, tellStanding } from './deciding.js'
import { askGate, tellCommand } from './gate-story.js'
import { accept, attest } from './grounds.js'
import { as, type Stage } from './stage.js'
import type { Telling } from './telling.js'

const RISK = 'risk-owner-claims'

/** What was accepted for a while only counts no more, until something newer is accepted in its place. */
export async function tellStale(
  stage: Stage,
  telling: Telling,
  { key, piece: { id, kind, freshUntil } }: Approved,
): Promise<void> {
  telling.step('Evidence goes stale by the clock')
  const later = await as(stage, RISK).get<Standing>(`/v1/use-cases/${key}/standing?at=${freshUntil}`)
  const wait = Math.max(0, Date.parse(freshUntil ?? '') - Date.now())
  const waiting = wait > 0 ? '; we wait for it' : ''
  telling.say(`asked how it stands at ${freshUntil}, Assent says ${later.standing}${waiting}`)
  await sleep(wait + 300)
  await tellStanding(stage, telling, key)
  await askGate(stage, telling, key)
  const newer = await attest(stage, key, RISK, { kind, supersedesId: id })
  telling.say('its risk owner attaches a newer one in its place, and somebody else accepts that')
  await accept(stage, newer)
  await tellStanding(stage, telling, key)
  await askGate(stage, telling, key)
}

/** Retention and a legal hold bind the administrator, too. */
export async function tellHold(
  stage: Stage,
  telling: Telling,
  { key, piece: { id, title } }: Approved,
): Promise<void> {
  telling.step('Nobody throws evidence away')
  const disposal = { evidenceIds: [id], reason: 'nobody reads it, and the disk is full' }
  const dispose = async () =>
    telling.quote(await stage.administrator.refused(`/v1/use-cases/${key}/disposals`, disposal, 409))
  telling.say(`the administrator would dispose of “${title}”, long before its time:`)
  await dispose()
  const { orgUnitId, id: useCaseId } = await read(as(stage, 'auditor'), key)
  const { id: holdId } = await as(stage, 'committee-legal').post<LegalHold>('/v1/legal-holds', {
    ...{ key: '2026-CIV-0417', title: 'Complaint about a claim that waited', orgUnitId },
    ...{ reason: 'A customer announced a suit; whatever shows how claims were ranked stays.' },
    objects: [{ useCaseId }],
  })
  telling.say('the legal seat places a hold over all evidence of the use case; no period counts any more:')
  await dispose()
  telling.say('whoever placed the hold cannot lift it:')
  const lifting = { reason: 'nothing came of it' }
  telling.quote(await as(stage, 'committee-legal').refused(`/v1/legal-holds/${holdId}/lifting`, lifting))
}

/** What an auditor reads without Assent. */
export async function tellTakingHome(
  stage: Stage,
  telling: Telling,
  { key }: Approved,
  folder: string,
): Promise<void> {
  telling.step('An auditor takes it home')
  const auditor = as(stage, 'auditor')
  const plan = join(folder, `${key}.oscal.json`)
  writeFileSync(plan, await auditor.text(`/v1/use-cases/${key}/profile?format=oscal`))
  telling.say(`its controls as OSCAL, for other tools: ${plan}`)
  const tar = join(folder, `${key}.tar`)
  const args = ['package', 'fetch', '--use-case', key, '--out', tar]
  await tellCommand(stage, telling, args, await auditor.token())
}
