import fc from 'fast-check'
import t, { type Test } from 'tap'
import { addSeconds } from '../../src/instant.js'
import { raiseTier, retireUseCase } from '../../src/use-cases/service.js'
import type { Person } from '../app.js'
import {
  act,
  answersFor,
  approve,
  type Committee,
  register,
  revise,
  startCommittee,
  submit,
  vote,
} from '../committee.js'
import { csv, fetchRegister, linesOf, ndjson, pagesOf } from './exports.js'

t.setTimeout(240_000)

type World = Committee & { administrator: Person }
type Grant = { id: string; name: string; revokedAt: string | null }

/** What people do to use cases; each deed leaves alone what it cannot do. */
const deeds: Record<string, (world: World, id: string) => Promise<unknown>> = {
  register: async (committee) => await register(committee, { title: 'Another use of AI' }),
  revise: async (committee, id) =>
    await revise(committee, id, { benefits: committee.clock.at, tags: ['changed'] }),
  reviseMaterially: async (committee, id) => await revise(committee, id, { answers: answersFor.high }),
  submit,
  block: async (committee, id) => await vote(committee, await submit(committee, id), 'risk', 'block'),
  approve: async (committee, id) => await approve(committee, await submit(committee, id)),
  attach: async ({ riskOwner, seats }, id) => {
    const attestation = { kind: 'test_report', title: 'Tested', statement: 'It was tested on a sample' }
    const { body } = await riskOwner.post(`/v1/use-cases/${id}/evidence/attestations`, attestation)
    await seats.risk.post(`/v1/evidence/${body.id}/verdict`, { verdict: 'accepted', note: 'read it' })
  },
  raise: async (committee, id) => {
    const { body } = await committee.riskOwner.get(`/v1/use-cases/${id}`)
    await act(committee, committee.riskOwner, (tx) =>
      raiseTier(tx, id, body.revision, 'high', 'Touches payments'),
    )
  },
  retire: async (committee, id) => {
    const { body } = await committee.riskOwner.get(`/v1/use-cases/${id}`)
    await act(committee, committee.riskOwner, (tx) => retireUseCase(tx, id, body.revision, 'Out of use'))
  },
  grant: async ({ administrator, auditor, unitId }) =>
    await administrator.post(`/v1/people/${auditor.id}/grants`, {
      kind: 'role',
      name: 'risk_owner',
      orgUnitId: unitId,
    }),
  revoke: async ({ administrator, auditor }) => {
    const { body } = await administrator.get(`/v1/people/${auditor.id}/grants`)
    const granted = body.items.find((grant: Grant) => grant.name === 'risk_owner' && grant.revokedAt === null)
    await administrator.post(`/v1/grants/${granted.id}/revocation`, { reason: 'No longer' })
  },
  wait: async () => {},
}

const registers = ['use-cases', 'decisions', 'votes', 'grants']

t.test('the register as of a past instant is, byte by byte, what it was then', async (t) => {
  const committee = await startCommittee(t)
  const administrator = await committee.person('Root', { rights: ['administrator'] })
  const world = { ...committee, administrator }
  const seed = Date.now()
  t.comment(`seed ${seed}`)
  const names = [
    'approve',
    'attach',
    ...fc.sample(fc.constantFrom(...Object.keys(deeds)), { numRuns: 40, seed }),
  ]
  const ids = [(await register(committee)).id, (await register(committee)).id]
  const snapshots = [await snapshot(t, committee)]
  for (const [index, name] of names.entries()) {
    committee.clock.at = addSeconds(committee.clock.at, name === 'wait' ? 200 * 86_400 : 3600)
    await deeds[name]?.(world, ids[index % ids.length] ?? '').catch(() => {}) // refused: nothing happened
    snapshots.push(await snapshot(t, committee))
  }
  committee.clock.at = addSeconds(committee.clock.at, 61)
  for (const [index, then] of snapshots.entries()) {
    const now = await snapshot(t, committee, then.at)
    t.same(now, then, `as of ${then.at}, after ${names[index - 1] ?? 'the registration'}`)
  }
  const standings = new Set(snapshots.flatMap(({ standings }) => standings))
  t.ok(standings.has('cleared'), 'something happened')
})

t.test('pages of one listing are all of the instant of the first one', async (t) => {
  const committee = await startCommittee(t)
  for (const title of ['One', 'Two', 'Three']) await register(committee, { title: `Use ${title}` })
  const first = await committee.auditor.get('/v1/registers/use-cases?limit=1')
  const [oldest] = first.body.items
  committee.clock.at = addSeconds(committee.clock.at, 5)
  await register(committee, { title: 'Use Four' })
  const { body: useCases } = await committee.auditor.get('/v1/use-cases?sort=-number&q=two')
  await revise(committee, useCases.items[0].id, { title: 'Renamed' })
  const rest = await committee.auditor.get(`/v1/registers/use-cases?limit=10&cursor=${first.body.next}`)
  t.same(
    [oldest, ...rest.body.items].map(({ title }) => title),
    ['Use One', 'Use Two', 'Use Three'],
  )
  t.equal(rest.body.asOf, first.body.asOf)
})

t.test('an instant is settled a minute later, and the future is refused', async (t) => {
  const committee = await startCommittee(t)
  const { clock, auditor } = committee
  const then = clock.at
  const settledAt = async (asOf: string) => {
    const { body, headers } = await auditor.get(`/v1/registers/use-cases?asOf=${asOf}`)
    t.equal(headers['assent-settled'], String(body.settled))
    t.equal(headers['assent-as-of'], body.asOf)
    return body.settled
  }
  t.equal(await settledAt(then), false)
  clock.at = addSeconds(then, 59)
  t.equal(await settledAt(then), false)
  clock.at = addSeconds(then, 60)
  t.equal(await settledAt(then), true)
  t.equal(await settledAt('2026-03-01T10:00:00.000%2B01:00'), true, 'with an offset, too')
  const outOfTime = [
    '1066-10-14T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '1970-01-01T00:00:00%2B00:01',
    '9999-12-31T23:59:59-23:59',
    `2026-01-01T00:00:00.${'0'.repeat(300)}Z`,
  ]
  for (const asOf of [addSeconds(clock.at, 1), '2026-03-01', 'yesterday', ...outOfTime]) {
    for (const accept of ['application/json', csv, ndjson]) {
      const { status } = await fetchRegister(committee, auditor, `use-cases?asOf=${asOf}`, accept)
      t.equal(status, 422, `${asOf} as ${accept}`)
    }
  }
})

t.test('who may see a use case is decided by where it is today', async (t) => {
  const committee = await startCommittee(t)
  const { clock, unitId, riskOwner, owner } = committee
  const { id } = await register(committee)
  const before = clock.at
  const elsewhere = await committee.unit('elsewhere')
  const outsider = await committee.person('Otto', { rights: ['risk_owner'], unitId: elsewhere })
  await owner.query('update use_case set org_unit_id = $1, risk_owner_id = null, business_owner_id = null', [
    elsewhere,
  ])
  clock.at = addSeconds(clock.at, 120)
  t.same(await pagesOf(riskOwner, `use-cases?asOf=${before}`), [], 'not of those who lost it')
  const [record] = await pagesOf(outsider, `use-cases?asOf=${before}`)
  t.match(record, { id, orgUnitId: unitId }, 'and what it was then is shown as it was')
})

/** Every register in every format at one instant; of the present when none is given. */
async function snapshot(t: Test, committee: Committee, at?: string) {
  const { auditor, clock } = committee
  const texts: Record<string, string> = {}
  for (const name of registers) {
    const path = at === undefined ? name : `${name}?asOf=${at}`
    const lines = await fetchRegister(committee, auditor, path, ndjson)
    texts[`${name} ndjson`] = lines.text
    texts[`${name} csv`] = (await fetchRegister(committee, auditor, path, csv)).text
    const records = await pagesOf(auditor, path, 200)
    t.same(
      records,
      linesOf(lines).map((line) => JSON.parse(line)),
    )
  }
  const records = linesOf({ text: texts['use-cases ndjson'] ?? '', status: 200, headers: {} })
  return { at: at ?? clock.at, ...texts, standings: records.map((line) => JSON.parse(line).standing) }
}
