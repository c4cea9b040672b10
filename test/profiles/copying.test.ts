// Copies of other profiles, which never count by themselves, and deeds that meet on one profile.
import t from 'tap'
import type { Answer } from '../app.js'
import { approved, register } from '../committee.js'
import { give } from '../conditions/world.js'
import { refuses } from '../unchanged.js'
import { meeting } from '../waiting.js'
import { entryOf, look, profileOf, rmf, say, startProfiles } from './world.js'

const committee = await startProfiles(t)
const { riskOwner, businessOwner, auditor, owner, clock } = committee

async function copy(to: string, asked: object): Promise<Answer> {
  const { revision } = await look(riskOwner, to)
  return await riskOwner.post(`${profileOf(to)}/copies`, asked, { 'if-match': `"${revision}"` })
}

t.test('a copy never counts: what would count arrives as a proposal, and no evidence with it', async (t) => {
  const [from, to] = [await register(committee), await register(committee)]
  const piece = await give(committee, from.id)
  await say(
    riskOwner,
    from.id,
    { control: 'GOVERN 1.1', state: 'in_place', note: 'Read by counsel.', evidenceIds: [piece] },
    { control: 'GOVERN 1.2', state: 'not_applicable', note: 'x'.repeat(4000) },
    { control: 'GOVERN 1.3', state: 'not_effective', note: 'nobody reads it' },
    { control: 'GOVERN 1.4', state: 'planned' },
    { control: 'GOVERN 1.5', note: 'not looked at' },
    { control: 'MAP 1.1', state: 'in_place' },
    { control: 'MAP 1.2', state: 'in_place' },
  )
  await say(businessOwner, to.id, { control: 'MAP 1.2', state: 'planned', note: 'ours' })
  const { status, body } = await copy(to.id, { fromUseCaseId: from.key })
  t.equal(status, 200)
  t.same(body.copied.map((one: { control: string; state: string }) => [one.control, one.state]).sort(), [
    ['GOVERN 1.1', 'planned'],
    ['GOVERN 1.2', 'not_assessed'],
    ['GOVERN 1.3', 'not_effective'],
    ['GOVERN 1.4', 'planned'],
    ['MAP 1.1', 'planned'],
  ])
  t.match(body.kept, [{ control: 'MAP 1.2', state: 'planned' }])
  t.match(body.skipped, [{ control: 'GOVERN 1.5', because: 'not_assessed_there' }])
  const profile = await look(auditor, to.id)
  t.match(profile, { revision: body.revision, coverage: { covered: 0 } })
  t.match(entryOf(profile, 'GOVERN 1.1'), {
    ...{ state: 'planned', evidence: [], assessedBy: riskOwner.id, copiedFrom: String },
    note: `Copied from ${from.key}, where it was assessed as in place on 2026-03-01: Read by counsel.`,
  })
  t.equal(entryOf(profile, 'GOVERN 1.2').note.length, 4000)
  t.match(entryOf(profile, 'MAP 1.2'), { note: 'ours', copiedFrom: null })
  await say(riskOwner, to.id, { control: 'GOVERN 1.1', state: 'in_place', note: 'Read here, too.' })
  t.match(entryOf(await look(auditor, to.id), 'GOVERN 1.1'), {
    state: 'in_place',
    copiedFrom: null,
    assessments: 2,
  })

  await refuses(t, committee, () => copy(to.id, { fromUseCaseId: from.id }), {
    status: 409,
    detail: /can be copied/,
  })
  const over = await copy(to.id, { fromUseCaseId: from.id, overwrite: true })
  t.match(over.body.copied, [{ control: 'GOVERN 1.1', state: 'planned' }, { control: 'MAP 1.2' }])
  t.equal(over.body.copied.length, 2, 'what is that very copy is left alone')
  t.match(over.body.skipped.at(-1), { because: /copied_before|not_assessed_there/ })
})

t.test(
  'only what the caller may read is copied, of the catalogs they name, and into something else',
  async (t) => {
    const sales = await committee.unit('sales')
    const other = await committee.person('Oz', { rights: ['risk_owner', 'business_owner'], unitId: sales })
    const far = { orgUnitId: sales, riskOwnerId: other.id, businessOwnerId: null }
    const { body: hidden } = await other.post('/v1/use-cases', {
      title: 'Leads',
      purpose: 'Ranks leads',
      ...far,
    })
    await say(other, hidden.id, { control: 'MAP 1.1', state: 'in_place' })
    const [from, to] = [await register(committee), await register(committee)]
    await say(riskOwner, from.id, { control: 'MAP 1.1', state: 'in_place' })
    await refuses(t, committee, () => copy(to.id, { fromUseCaseId: hidden.id }), { status: 404 })
    await refuses(t, committee, () => copy(to.id, { fromUseCaseId: to.id }), {
      status: 422,
      detail: /another one/,
    })
    const none = { fromUseCaseId: from.id, catalogs: ['nist-ai-600-1'] }
    await refuses(t, committee, () => copy(to.id, none), { status: 409 })
    t.match(await copy(to.id, { fromUseCaseId: from.id, catalogs: [rmf.catalog] }), { status: 200 })
  },
)

t.test('approved use cases of the same tier are suggested, those first that help most', async (t) => {
  const facts = { channels: ['e-mail'], technique: 'generative' }
  const [few, many] = [await approved(committee, facts), await approved(committee, facts)]
  const draft = await register(committee, facts)
  await say(
    riskOwner,
    few.id,
    { control: 'GOVERN 1.1', state: 'planned' },
    { control: 'MAP 1.1', state: 'planned' },
  )
  await say(riskOwner, many.id, { category: 'GOVERN 1', state: 'planned' })
  await say(riskOwner, draft.id, { category: 'GOVERN 1', state: 'planned' })
  const to = await register(committee, facts)
  const suggested = async () => (await auditor.get(`${profileOf(to.id)}/precedents`)).body.items
  t.match(await suggested(), [
    { key: many.key, assessed: 7, helps: 7, tier: 'limited', standing: /^cleared/ },
    { key: few.key, assessed: 2, helps: 1 },
  ])
  await copy(to.id, { fromUseCaseId: many.id })
  t.same(await suggested(), [], 'what was assessed here needs no help')
})

t.test('R-105: of two who assess at once, one is first and the other reads again', async (t) => {
  const { id } = await register(committee)
  const { revision } = await look(riskOwner, id)
  const send = (state: string) => () =>
    riskOwner.patch(
      profileOf(id),
      { assessments: [{ ...rmf, category: 'GOVERN 1', state }] },
      { 'if-match': `"${revision}"` },
    )
  const answers = await meeting(committee, { table: 'use_case', id }, [send('planned'), send('in_place')])
  t.same(
    answers.map(({ status }) => status),
    [200, 412],
  )
  const { rows } = await owner.query(
    `select state, ordinal, count(*)::int from control_assessment where use_case_id = $1 group by 1, 2`,
    [id],
  )
  t.same(rows, [{ state: 'planned', ordinal: 1, count: 7 }])
})

t.test('evidence that is refused at the same moment is not named any more', async (t) => {
  const { id } = await register(committee)
  const piece = await give(committee, id, {}, 'none')
  const { revision } = await look(riskOwner, id)
  const name = () =>
    riskOwner.patch(
      profileOf(id),
      { assessments: [{ ...rmf, control: 'MAP 1.1', evidenceIds: [piece] }] },
      { 'if-match': `"${revision + 1}"` },
    )
  const refuse = () =>
    committee.seats.risk.post(`/v1/evidence/${piece}/verdict`, {
      verdict: 'refused',
      note: 'of another system',
    })
  const [first, second] = await meeting(committee, { table: 'use_case', id }, [refuse, name])
  t.match(first, { status: 201 })
  t.match(second, { status: 422, body: { issues: [{ message: /was refused/ }] } })
})

t.test('a copy and an assessment that meet leave nothing half there', async (t) => {
  const [from, { id }] = [await register(committee), await register(committee)]
  await say(riskOwner, from.id, { function: 'GOVERN', state: 'in_place' })
  const { revision } = await look(riskOwner, id)
  const seen = { 'if-match': `"${revision}"` }
  clock.at = '2026-03-02T09:00:00.000Z'
  const answers = await meeting(committee, { table: 'use_case', id }, [
    () => riskOwner.post(`${profileOf(id)}/copies`, { fromUseCaseId: from.id }, seen),
    () =>
      riskOwner.patch(
        profileOf(id),
        { assessments: [{ ...rmf, function: 'GOVERN', state: 'in_place' }] },
        seen,
      ),
  ])
  t.same(
    answers.map(({ status }) => status),
    [200, 412],
  )
  const { rows } = await owner.query(
    `select jsonb_object_agg(c.control_id, c.state) = p.states -> 'nist-ai-rmf@1.0' as same, count(*)::int
      from control_profile p join control_assessment c using (use_case_id) where use_case_id = $1 group by p.states`,
    [id],
  )
  t.same(rows, [{ same: true, count: 19 }], 'the states beside are those of the assessments')
})
