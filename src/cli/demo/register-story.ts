import { addDays, day, toInstant } from '../../instant.js'
import type { RegisterCoverage } from '../../profiles/coverage-list.js'
import type { Tier, UseCase } from '../../use-cases/use-case.js'
import { submit } from './deciding.js'
import * as grounds from './grounds.js'
import { nameOwners } from './review-story.js'
import { as, type Stage } from './stage.js'
import { bar, plural, type Telling } from './telling.js'

/** How far the next use cases have come, by their share of controls in place. */
const shares = [0.9, 0.75, 0.6, 0.4, 0.5, 0.5]
const STALE_IN_DAYS = 12

/** Others work, too: so that there is something to see in the register, and something to do. */
export async function tellRegister(stage: Stage, telling: Telling): Promise<void> {
  telling.step('Meanwhile, elsewhere in the register')
  const limited = await unreviewed(stage, 'limited')
  const high = await unreviewed(stage, 'high')
  const soonStale = await findResting(stage, limited)
  if (soonStale) await approveForNow(stage, telling, soonStale)
  const others = limited.filter((key) => key !== soonStale)
  const underWay = [...high.slice(0, 4), ...others.slice(0, 2)]
  for (const [at, key] of underWay.entries()) await beginWork(stage, telling, key, shares[at] ?? 0)
  const { useCases, total } = await as(stage, 'auditor').get<RegisterCoverage>('/v1/coverage')
  const share = `${total.covered.toLocaleString('en')} of ${plural(total.applicable, 'control')}`
  telling.say(`in all ${useCases} use cases, ${share} that policy asks for are covered`)
}

async function unreviewed(stage: Stage, tier: Tier): Promise<string[]> {
  const path = `/v1/use-cases?sort=number&tier=${tier}&standing=unreviewed&limit=20`
  const { items } = await as(stage, 'auditor').get<{ items: UseCase[] }>(path)
  return items.map(({ key }) => key)
}

/** The first of which policy asks for evidence. */
async function findResting(stage: Stage, keys: string[]): Promise<string | undefined> {
  for (const key of keys) {
    const { evidence } = grounds.openIn(await grounds.requirementsOf(stage, key))
    if (evidence.length > 0) return key
  }
  return undefined
}

/** Some evidence is accepted, one piece waits for somebody, and some controls are in place. */
async function beginWork(stage: Stage, telling: Telling, key: string, share: number): Promise<void> {
  const { risk } = await nameOwners(stage, key)
  const open = grounds.openIn(await grounds.requirementsOf(stage, key))
  const [waiting, ...given] = open.evidence.slice(0, Math.ceil(open.evidence.length * share))
  const evidenceIds: string[] = []
  for (const { ask } of given) {
    const piece = await grounds.attest(stage, key, risk, { kind: ask.kind })
    await grounds.accept(stage, piece, ask)
    evidenceIds.push(piece.id)
  }
  if (waiting) await grounds.attest(stage, key, risk, { kind: waiting.ask.kind })
  const asks = open.controls.map(({ ask }) => ask)
  const done = Math.floor(asks.length * share)
  const planned = asks.slice(done, done + 2)
  await grounds.assess(stage, key, risk, asks.slice(0, done), { state: 'in_place', note: '', evidenceIds })
  await grounds.assess(stage, key, risk, planned, { state: 'planned', note: 'next quarter' })
  await tellOne(stage, telling, key, waiting ? ', a piece of evidence waits for a verdict' : '')
}

async function approveForNow(stage: Stage, telling: Telling, key: string): Promise<void> {
  const { risk } = await nameOwners(stage, key)
  const freshUntil = addDays(toInstant(new Date()), STALE_IN_DAYS)
  await grounds.provide(stage, key, risk, { freshUntil })
  const { id } = await submit(stage, key, risk)
  for (const seat of ['risk', 'legal']) {
    await as(stage, `committee-${seat}`).post(`/v1/reviews/${id}/votes`, {
      ...{ seat, choice: 'approve', rationale: 'Good for now; the test comes again next month.' },
    })
  }
  const { approval } = await grounds.requirementsOf(stage, key)
  const stale = approval?.evidenceStaleAt
  await tellOne(stage, telling, key, `, approved${stale ? `; its evidence goes stale on ${day(stale)}` : ''}`)
}

async function tellOne(stage: Stage, telling: Telling, key: string, more: string): Promise<void> {
  const { coverage, tier } = await grounds.profileOf(stage, key)
  const { covered, applicable } = coverage
  telling.say(`${key} ${tier.padEnd(8)} ${bar(covered, applicable)} ${covered} of ${applicable}${more}`)
}
