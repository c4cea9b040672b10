// What policy asks of the controls of a use case, what is said of them, and what stays of it.
import t from 'tap'
import { register } from '../committee.js'
import { entryOf, look, profileOf, say, startProfiles } from './world.js'

const committee = await startProfiles(t)
const { riskOwner, auditor, owner, clock } = committee
const controls = (count: number) => Array.from({ length: count }, (_, at) => `GOVERN 1.${at + 1}`)

t.test(
  'R-100: policy asks for controls by tier and facts, and nobody has to assess one to see it',
  async (t) => {
    const { id, key, revision } = await register(committee)
    const profile = await look(riskOwner, id)
    t.match(profile, { useCaseId: id, key, tier: 'limited', revision, asOf: clock.at })
    t.same(
      profile.controls.map(({ control }: { control: string }) => control),
      [...controls(7), 'MEASURE 2.11'],
      'a category stands for its controls, in the order of the catalog',
    )
    t.match(entryOf(profile, 'GOVERN 1.1'), {
      ...{ applies: true, state: 'not_assessed', assessments: 0, function: 'GOVERN', category: 'GOVERN 1' },
      asked: [{ requirement: 'RQ-01', because: 'Whoever uses AI governs it.' }],
      missing: [/^RQ-01: GOVERN 1.1 is not assessed/],
    })
    t.match(profile.coverage, { applicable: 8, covered: 0, share: 0, unmet: 8, beyond: 0, withEvidence: 0 })
    t.match(profile.coverage.functions, [
      { function: 'GOVERN', applicable: 7 },
      { function: 'MEASURE', applicable: 1 },
    ])
  },
)

t.test('R-105: many controls are assessed at once, and what was said before stays', async (t) => {
  const { id } = await register(committee)
  const first = await say(
    riskOwner,
    id,
    { category: 'GOVERN 1', state: 'planned', note: 'by June' },
    { control: 'MAP 1.1', state: 'in_place' },
  )
  t.match(first, {
    status: 200,
    body: { assessed: 8, unchanged: 0, coverage: { applicable: 8, covered: 0 } },
  })
  clock.at = '2026-03-02T09:00:00.000Z'
  const then = { category: 'GOVERN 1', state: 'planned', note: 'by June' }
  const second = await say(
    riskOwner,
    id,
    { control: 'GOVERN 1.1', state: 'in_place' },
    {
      ...then,
      category: undefined,
      control: 'GOVERN 1.2',
    },
  )
  t.match(second.body, { assessed: 1, unchanged: 1, coverage: { covered: 1, share: 0.125, unmet: 7 } })
  const profile = await look(auditor, id)
  t.match(entryOf(profile, 'GOVERN 1.1'), {
    ...{ state: 'in_place', note: '', assessments: 2, missing: [], assessedBy: riskOwner.id },
    assessedAt: clock.at,
  })
  t.match(entryOf(profile, 'MAP 1.1'), { applies: false, asked: [], state: 'in_place' })
  t.match(profile.coverage, { beyond: 1 })
  const { items } = (await auditor.get(profileOf(id, `/history?control=${encodeURIComponent('GOVERN 1.1')}`)))
    .body
  t.match(items, [
    { ordinal: 2, state: 'in_place', note: '' },
    { ordinal: 1, state: 'planned', note: 'by June' },
  ])
  const page = (await auditor.get(profileOf(id, '/history?limit=5'))).body
  const rest = (await auditor.get(profileOf(id, `/history?limit=5&cursor=${page.next}`))).body
  const all = [...page.items, ...rest.items].map((one: { id: string }) => one.id)
  t.equal(new Set(all).size, 9, 'pages follow one another without a gap')
  t.match(await look(auditor, id, '?asOf=2026-03-01T12:00:00Z'), {
    coverage: { covered: 0, states: { planned: 7, not_assessed: 1 } },
  })
  await t.rejects(
    committee.owner.query(`set role assent_app; update control_assessment set state = 'in_place'`),
    /permission denied/,
  )
  await owner.query('reset role')
})
