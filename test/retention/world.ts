// Evidence under short periods, on a clock of the past: the database lets nothing go before its own clock says so.
import type { Test } from 'tap'
import { assentItself } from '../../src/auth/assent.js'
import { buildAbility, readRights } from '../../src/auth/decision-rights.js'
import { Keeper } from '../../src/custody/keeper.js'
import type { Counts } from '../../src/custody/store.js'
import type { BlobStore } from '../../src/evidence/blobs.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { newId } from '../../src/ids.js'
import { addDays } from '../../src/instant.js'
import { RetentionFile } from '../../src/policy/retention-file.js'
import { type Answer, ifMatch, type Person, policyAsking } from '../app.js'
import { type Committee, register, startCommittee } from '../committee.js'
import { type FormFile, formAround, formType } from '../evidence/world.js'

const because = 'as the test has it'
const scheduled = { when: {}, basis: 'schedule', because } as const

/** Ten days after retirement, twenty after a decision; in the EU thirty after retirement, by regulation. */
export const shortRetention = RetentionFile.parse({
  version: 1,
  classes: [
    { id: 'ordinary', title: 'All', ...scheduled, period: { days: 10 }, trigger: 'retired' },
    { id: 'decided', title: 'Decided on', ...scheduled, period: { days: 20 }, trigger: 'decided' },
    {
      ...{ id: 'eu', title: 'In the EU', when: { jurisdictions: ['EU'] }, because },
      ...{ period: { days: 30 }, trigger: 'retired', basis: 'regulatory' },
    },
  ],
  reconciliation: { withinDays: 4, atLeast: 2, gigabytesPerDay: 1 },
})

export const BEGIN = '2021-03-01T09:00:00.000Z'

export type World = Awaited<ReturnType<typeof startWorld>>

export async function startWorld(t: Test, blobsOf = (folder: string): BlobStore => new FolderStore(folder)) {
  const folder = t.testdir()
  const policies = { ...policyAsking(), retention: shortRetention }
  const committee = await startCommittee(t, { ASSENT_EVIDENCE_DIR: folder }, policies)
  committee.clock.at = BEGIN
  const administrator = await committee.person('Ann', { rights: ['administrator'] })
  const counted: Counts[] = []
  const keeper = keeperOf({ ...committee, blobs: blobsOf(folder), counted })
  return { ...committee, folder, administrator, keeper, counted, keeperWith }

  function keeperWith(blobs: BlobStore): Keeper {
    return keeperOf({ ...committee, blobs, counted })
  }
}

function keeperOf({
  database,
  policies,
  blobs,
  counted,
}: Pick<Committee, 'database' | 'policies'> & { blobs: BlobStore; counted: Counts[] }): Keeper {
  const ability = buildAbility(readRights(policies.decisionRights), assentItself)
  return new Keeper({
    ...{ database, policies, blobs },
    assent: () => ({ principal: assentItself, ability, requestId: newId() }),
    metrics: { keep: (counts) => void counted.push(counts) },
    log: { warn: () => {}, info: () => {} },
  })
}

export function pass({ clock }: Pick<World, 'clock'>, days: number): void {
  clock.at = addDays(clock.at, days)
}

/** The id of a use case in Switzerland, for which neither a regulation of this test nor an overlay is. */
export async function useCaseOf(world: World, facts: object = {}): Promise<string> {
  return (await register(world, { jurisdictions: ['CH'], ...facts })).id
}

/** The id of a file that its risk owner attached; `verdict` is that of a committee member. */
export async function attach(
  { riskOwner, seats }: World,
  useCaseId: string,
  { bytes, name = 'report.txt', type = 'text/plain' }: FormFile,
  { verdict = 'accepted', ...fields }: Record<string, string> = {},
): Promise<string> {
  const given = { kind: 'test_report', title: 'Test of triage', ...fields }
  const { head, tail } = formAround(given, { name, type })
  const body = Buffer.concat([head, Buffer.from(bytes), tail])
  const place = `/v1/use-cases/${useCaseId}/evidence/files`
  const attached = await riskOwner.post(place, body, { 'content-type': formType })
  if (attached.status !== 201) throw new Error(JSON.stringify(attached.body))
  if (verdict !== 'none') {
    await seats.risk.post(`/v1/evidence/${attached.body.id}/verdict`, { verdict, note: 'I read it' })
  }
  return attached.body.id
}

export async function retire({ riskOwner }: World, useCaseId: string): Promise<void> {
  const place = `/v1/use-cases/${useCaseId}`
  await riskOwner.post(`${place}/retirement`, { reason: 'out of use' }, ifMatch(await riskOwner.get(place)))
}

export const yes = { verdict: 'confirmed', reason: 'looked at it' }
export const no = { verdict: 'rejected', reason: 'it is still needed' }

export async function propose(
  by: Person,
  useCaseId: string,
  evidenceIds: string[],
  reason = 'its time is over',
): Promise<Answer> {
  return await by.post(`/v1/use-cases/${useCaseId}/disposals`, { evidenceIds, reason })
}

export async function judge(by: Person, disposalId: string, verdict: object = yes): Promise<Answer> {
  return await by.post(`/v1/disposals/${disposalId}/verdict`, verdict)
}

/** A retired use case whose pieces may all go now. */
export async function overdue(world: World, files: string[]) {
  const useCaseId = await useCaseOf(world)
  const ids: string[] = []
  for (const bytes of files) ids.push(await attach(world, useCaseId, { bytes }))
  await retire(world, useCaseId)
  pass(world, 21)
  return { useCaseId, ids }
}

/** Proposed by the risk owner, confirmed by the committee. Answers the id of the disposal. */
export async function dispose(world: World, useCaseId: string, ids: string[]): Promise<string> {
  const proposed = await propose(world.riskOwner, useCaseId, ids)
  const confirmed = await judge(world.seats.legal, proposed.body.id)
  if (confirmed.status !== 201) throw new Error(JSON.stringify(confirmed.body))
  return proposed.body.id
}

export function typesOf(items: { type: string }[]): string[] {
  return items.map(({ type }) => type)
}

/** Types of the events of a use case, in order. */
export async function eventsOf({ owner }: World, useCaseId: string): Promise<string[]> {
  const { rows } = await owner.query(
    'select type from audit_event where aggregate_id = $1 order by event_no',
    [useCaseId],
  )
  return typesOf(rows)
}
