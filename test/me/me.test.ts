import t from 'tap'
import { ROOT_UNIT_ID } from '../../src/ids.js'
import { register, startCommittee, submit } from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { riskOwner, seats, unitId } = committee

t.test('everybody learns who they are, what they hold and what that lets them do', async (t) => {
  const nobody = await committee.person('Nia', { rights: [] })
  t.match((await nobody.get('/v1/me')).body, {
    person: { id: nobody.id, name: 'Nia', kind: 'human', status: 'active' },
    grants: [],
    may: { OrgUnit: ['read'], System: ['read'], Policy: ['read'], Token: ['read', 'revoke'] },
    useCase: null,
    review: null,
  })
  const { body } = await seats.legal.get('/v1/me')
  t.same(body.grants, [
    { kind: 'role', name: 'committee_member', orgUnitId: unitId, for: null },
    { kind: 'seat', name: 'legal', orgUnitId: unitId, for: null },
  ])
  t.same(body.may.Review, ['read', 'withdraw', 'vote'])
  t.notOk('Import' in body.may)
  const { body: machine } = await (
    await committee.person('deploy', { rights: ['pipeline'], kind: 'service', unitId: ROOT_UNIT_ID })
  ).get('/v1/me')
  t.same(machine.may.UseCase, ['read', 'ask'])
})

t.test('for one use case each deed is allowed or not, in the words of the right that says so', async (t) => {
  const { id, key } = await register(committee)
  const verdictsOf = async (person: typeof riskOwner) => (await person.get(`/v1/me?useCase=${key}`)).body
  t.match(await verdictsOf(riskOwner), { useCase: { id, key }, review: null })
  const reviewId = await submit(committee, id)

  const own = await verdictsOf(riskOwner)
  t.match(own.useCase.verdicts.slice(0, 2), [
    { action: 'read', allowed: true, right: 'DR-05' },
    { action: 'revise', allowed: true, right: 'DR-21' },
  ])
  t.same(own.review, {
    id: reviewId,
    verdicts: [
      {
        action: 'read',
        allowed: true,
        right: 'DR-05',
        because:
          'Whoever holds a role or a seat in a unit sees its use cases and what was decided about them',
      },
      {
        action: 'withdraw',
        allowed: true,
        right: 'DR-33',
        because: 'Whoever submitted a use case may withdraw it',
      },
      {
        action: 'vote',
        allowed: false,
        right: 'DR-70',
        because: 'Whoever submitted a use case does not vote on it',
      },
    ],
  })
  for (const { action, allowed } of (await verdictsOf(committee.auditor)).useCase.verdicts) {
    t.equal(allowed, action === 'read', `an auditor and ${action}`)
  }

  await t.test('a verdict is what the deed itself comes to', async (t) => {
    const ballot = { seat: 'legal', choice: 'approve', rationale: 'as discussed' }
    for (const person of [riskOwner, committee.businessOwner, committee.auditor, seats.legal]) {
      const { review } = await verdictsOf(person)
      const verdict = review.verdicts.find(({ action }: { action: string }) => action === 'vote')
      const ask = () => person.post(`/v1/reviews/${reviewId}/votes`, ballot)
      if (verdict.allowed) t.equal((await ask()).status, 201)
      else {
        const { right: rule, because: detail } = verdict
        await refuses(t, committee, ask, { status: 403, rule, detail })
      }
    }
  })

  await t.test('a pipeline sees the use case and not its review', async (t) => {
    const machine = await committee.inUnit('not human')
    t.equal((await machine.get(`/v1/me?useCase=${key}`)).status, 404)
    const pipeline = await committee.person('deploy', { rights: ['pipeline'], kind: 'service', unitId })
    t.match((await pipeline.get(`/v1/me?useCase=${key}`)).body, { useCase: { key }, review: null })
    t.same((await pipeline.get(`/v1/use-cases/${key}/reviews`)).body.items, [])
    t.same((await pipeline.get(`/v1/use-cases/${key}/decisions`)).body.items, [])
    await refuses(t, committee, () => pipeline.get(`/v1/reviews/${reviewId}`), { status: 404 })
  })
})
