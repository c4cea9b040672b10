import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import type { EventView } from '../../audit/event-view.js'
import { RegistryError } from '../../errors.js'
import { type Instant, toInstant } from '../../instant.js'
import type { Person } from '../../people/person.js'
import type { Tier, UseCase } from '../../use-cases/use-case.js'
import type { Caller } from './caller.js'
import { committee } from './cast.js'
import { tellConditions } from './conditions-story.js'
import { tellControls } from './controls-story.js'
import { read } from './deciding.js'
import { askGate, bindPipeline } from './gate-story.js'
import { importRegister } from './import-story.js'
import { tellHold, tellStale, tellTakingHome } from './keeping-story.js'
import { tellRegister } from './register-story.js'
import {
  answerOpenQuestions,
  giveGrounds,
  nameOwners,
  type Owners,
  tellOwnVote,
  tellSubmission,
  tellTier,
  voteUntilDecided,
} from './review-story.js'
import { as, type Stage } from './stage.js'
import { plural, type Telling } from './telling.js'

interface Setting {
  /** The register to import. */
  register: string
  /** Where exports are left to look at. */
  folder: string
}

/** The whole story, in the order in which an organisation lives it. */
export async function tellStory(
  stage: Stage,
  telling: Telling,
  { register, folder }: Setting,
): Promise<void> {
  tellPeople(stage, telling)
  await importRegister(stage, telling, register)
  const plot = await choosePlot(as(stage, 'auditor'))
  const before = toInstant(new Date())
  await decide(stage, telling, plot)
  await deploy(stage, telling, plot)
  await change(stage, telling, plot.approved)
  await tellConditions(stage, telling)
  await tellControlled(stage, telling, folder)
  await look(stage, telling, plot.approved, { before, folder })
}

async function tellControlled(stage: Stage, telling: Telling, folder: string): Promise<void> {
  const approved = await tellControls(stage, telling)
  if (!approved) return
  await tellHold(stage, telling, approved)
  await tellRegister(stage, telling)
  await tellStale(stage, telling, approved)
  await tellTakingHome(stage, telling, approved, folder)
}

function tellPeople({ ids }: Stage, telling: Telling): void {
  telling.step('People')
  telling.say(`${ids.size} people invited by the administrator, and a service account for the pipeline`)
  telling.say(
    `the committee: ${committee.map(({ subject }) => subject.replace('committee-', '')).join(', ')}`,
  )
}

/** The use cases that the story follows, by key. */
interface Plot {
  approved: string
  blocked: string
  neverReviewed: string
}

interface Listed {
  items: Pick<UseCase, 'key' | 'title'>[]
  next: string | null
}

async function list(caller: Caller, query: string): Promise<Listed> {
  return await caller.get(`/v1/use-cases?sort=number&${query}`)
}

async function choosePlot(caller: Caller): Promise<Plot> {
  const unreviewed = async (tier: Tier) =>
    (await list(caller, `tier=${tier}&standing=unreviewed&limit=3`)).items.map(({ key }) => key)
  const [prohibited, high] = [await unreviewed('prohibited'), await unreviewed('high')]
  const [limited, minimal] = [await unreviewed('limited'), await unreviewed('minimal')]
  const [blocked] = [...prohibited, ...high, ...limited, ...minimal]
  const [approved, neverReviewed] = [...limited, ...high, ...minimal].filter((key) => key !== blocked)
  if (approved && blocked && neverReviewed) return { approved, blocked, neverReviewed }
  throw new RegistryError(
    'invalid',
    'the demo stops: it needs three uses of AI, two of them not prohibited; name a longer register, or none for the sample',
  )
}

async function decide(stage: Stage, telling: Telling, { approved, blocked }: Plot): Promise<void> {
  telling.step('Tiers are computed, and explained')
  await tellSpread(stage, telling)
  await tellTier(stage, telling, approved)
  const owners = await nameOwners(stage, approved)
  await answerOpenQuestions(stage, telling, approved, owners)
  await tellTier(stage, telling, blocked)

  telling.step('Evidence, review, decision')
  await giveGrounds(stage, telling, approved, owners)
  const review = await tellSubmission(stage, telling, approved, owners)
  await tellOwnVote(stage, telling, review, owners)
  await voteUntilDecided(stage, telling, review, {
    choice: 'approve',
    rationale: 'The test shows it does what it says.',
  })

  telling.step('Another is blocked')
  const doubtful = await tellSubmission(stage, telling, blocked, await nameOwners(stage, blocked))
  await voteUntilDecided(stage, telling, doubtful, {
    choice: 'block',
    rationale: 'Nobody has shown that its benefit outweighs the harm it may do.',
  })
}

async function tellSpread(stage: Stage, telling: Telling): Promise<void> {
  for (const tier of ['prohibited', 'high', 'limited', 'minimal']) {
    const { items, next } = await list(as(stage, 'auditor'), `tier=${tier}&limit=200`)
    const example = items[0] ? `such as “${items[0].title}”` : ''
    telling.say(`${tier.padEnd(10)} ${`${items.length}${next ? ' and more' : ''}`.padStart(12)}   ${example}`)
  }
}

async function deploy(
  stage: Stage,
  telling: Telling,
  { approved, blocked, neverReviewed }: Plot,
): Promise<void> {
  telling.step('The pipeline asks the gate')
  await bindPipeline(stage, [approved, blocked, neverReviewed])
  for (const key of [approved, blocked, neverReviewed]) await askGate(stage, telling, key)
}

/** What was approved starts to decide by itself: the approval lapses until somebody has looked again. */
async function change(stage: Stage, telling: Telling, key: string): Promise<void> {
  telling.step('A material fact changes')
  const owners: Owners = await nameOwners(stage, key)
  const { revision } = await read(as(stage, owners.business), key)
  const facts = { answers: { decision_role: 'decides', autonomy: 'human_on_loop' } }
  const reason = 'it now acts by itself and a person watches'
  await as(stage, owners.business).patch(`/v1/use-cases/${key}`, { facts, reason }, revision)
  const { standing, tier } = await read(as(stage, 'auditor'), key)
  telling.say(
    `${key}: ${reason}; it is ${standing.standing} (${standing.reasons.join(', ')}), its tier ${tier.effective}`,
  )
  await askGate(stage, telling, key)
  await giveGrounds(stage, telling, key, owners)
  const review = await tellSubmission(stage, telling, key, owners)
  await voteUntilDecided(stage, telling, review, {
    choice: 'approve',
    rationale: 'Watched by a person, this is fine.',
  })
  await askGate(stage, telling, key)
}

async function look(
  stage: Stage,
  telling: Telling,
  key: string,
  { before, folder }: { before: Instant; folder: string },
) {
  telling.step('The register goes out, as it is and as it was')
  const auditor = as(stage, 'auditor')
  for (const [name, query] of [
    ['now', ''],
    ['before-the-decisions', `&asOf=${before}`],
  ] as const) {
    const csv = await auditor.text(`/v1/registers/use-cases?format=csv${query}`)
    const path = join(folder, `register-${name}.csv`)
    writeFileSync(path, csv)
    const rows = parse(csv, { columns: true, bom: true }) as Record<string, string>[]
    const row = rows.find((fields) => fields.key === key)
    telling.say(`${path}: ${plural(rows.length, 'row')}, ${key} is ${row?.standing}`)
  }
  telling.step(`Everything that happened to ${key}`)
  const { items } = await auditor.get<{ items: EventView[] }>(`/v1/use-cases/${key}/events?limit=200`)
  const { items: everybody } = await stage.administrator.get<{ items: Person[] }>('/v1/people?limit=200')
  const names = new Map(everybody.map(({ id, name }) => [id, name]))
  for (const { aggregate, recordedAt, type, actorId } of items) {
    const who = names.get(actorId) ?? 'Assent'
    telling.say(`${String(aggregate.no).padStart(3)}  ${recordedAt}  ${type.padEnd(20)}  ${who}`)
  }
}
