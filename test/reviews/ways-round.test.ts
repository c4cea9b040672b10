import t from 'tap'
import { ifMatch } from '../app.js'
import { giveSeat, register, revise, startCommittee, submit, vote } from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { owner, inUnit, unit, unitId, seats, businessOwner } = committee
const administrator = await committee.person('Administrator', { rights: ['administrator'] })

const ballot = (seat: string, choice = 'approve') => ({ seat, choice, rationale: 'as discussed' })
const read = async (id: string) => await businessOwner.get(`/v1/use-cases/${id}`)

t.test(
  'R-40: an owner who steps aside before the submission does not vote on what they answered for',
  async (t) => {
    const bob = await inUnit('Bob', 'risk_owner', 'committee_member')
    const { id } = await register(committee, { riskOwnerId: bob.id })
    await giveSeat(committee, bob, 'risk')
    t.equal((await revise(committee, id, { riskOwnerId: committee.riskOwner.id })).status, 200)
    const reviewId = await submit(committee, id)
    const cast = () => bob.post(`/v1/reviews/${reviewId}/votes`, ballot('risk'))
    await refuses(t, committee, cast, { status: 403, rule: 'DR-73' })
  },
)

t.test('R-40: whoever submitted a round that was withdrawn does not vote in the next', async (t) => {
  const sue = await inUnit('Sue', 'risk_owner', 'committee_member', 'seat:legal')
  const { id } = await register(committee)
  const first = await sue.post(`/v1/use-cases/${id}/reviews`, {}, ifMatch(await read(id)))
  t.equal((await sue.post(`/v1/reviews/${first.body.id}/withdrawal`, { reason: 'too early' })).status, 200)
  const reviewId = await submit(committee, id)
  const cast = () => sue.post(`/v1/reviews/${reviewId}/votes`, ballot('legal'))
  await refuses(t, committee, cast, { status: 403, rule: 'DR-73' })
})

t.test('a use case does not move to another committee while a round is open', async (t) => {
  const other = await unit('sales')
  const mover = await committee.person('Mover', { rights: ['business_owner'] })
  const { id } = await register(committee)
  await submit(committee, id)
  const seen = ifMatch(await read(id))
  const change = { facts: { orgUnitId: other }, reason: 'friendlier people' }
  await refuses(t, committee, () => mover.patch(`/v1/use-cases/${id}`, change, seen), {
    status: 409,
    detail: /orgUnitId/,
  })
})

t.test('an approval by one unit ends when the use case moves to another', async (t) => {
  const other = await unit('marketing')
  const mover = await committee.person('Mover', { rights: ['business_owner'] })
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  await vote(committee, reviewId, 'risk', 'approve')
  await vote(committee, reviewId, 'business', 'approve')
  t.equal((await read(id)).body.standing.standing, 'cleared')
  for (const orgUnitId of [other, unitId]) {
    const seen = ifMatch(await mover.get(`/v1/use-cases/${id}`))
    const change = { facts: { orgUnitId }, reason: 'reorganised' }
    t.equal((await mover.patch(`/v1/use-cases/${id}`, change, seen)).status, 200)
  }
  t.match((await read(id)).body.standing, { standing: 'lapsed', reasons: ['material_change'] })
})

t.test(
  'R-32, R-46: the vote of somebody who left counts no more, and another holder fills the seat',
  async (t) => {
    const dave = await inUnit('Dave', 'committee_member', 'seat:legal')
    const heir = await inUnit('Heir', 'committee_member', 'seat:legal')
    const { id } = await register(committee)
    const reviewId = await submit(committee, id)
    t.equal((await dave.post(`/v1/reviews/${reviewId}/votes`, ballot('legal'))).status, 201)
    const known = await administrator.get(`/v1/people/${dave.id}`)
    const left = await administrator.post(
      `/v1/people/${dave.id}/departure`,
      { reason: 'fraud' },
      ifMatch(known),
    )
    t.equal(left.status, 200)

    const { body } = await seats.risk.post(`/v1/reviews/${reviewId}/votes`, ballot('risk'))
    t.equal(body.decision, null, 'risk alone is not the quorum of two')
    const filled = await heir.post(`/v1/reviews/${reviewId}/votes`, ballot('legal'))
    t.match(filled, { status: 201, body: { decision: { outcome: 'approved' } } })
    t.same(
      filled.body.decision.votes.map(({ personId }: { personId: string }) => personId).sort(),
      [seats.risk.id, heir.id].sort(),
    )
    const { rows } = await owner.query('select count(*)::int as n from vote where review_id = $1', [reviewId])
    t.equal(rows[0].n, 3, 'what was voted stays on record')
  },
)

t.test('nothing is submitted for an owner who has left', async (t) => {
  const gone = await inUnit('Gone', 'risk_owner')
  const { id } = await register(committee, { riskOwnerId: gone.id })
  await owner.query(`update person set status = 'left' where id = $1`, [gone.id])
  const seen = ifMatch(await read(id))
  const submission = () => businessOwner.post(`/v1/use-cases/${id}/reviews`, {}, seen)
  await refuses(t, committee, submission, { status: 422, detail: /owner/ })
})
