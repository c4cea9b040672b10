// Votes that one person casts for another, and what they keep both from.
import t from 'tap'
import { addDays, addSeconds } from '../../src/instant.js'
import { ifMatch, type Person } from '../app.js'
import { giveSeat, register, revise, START, startCommittee, submit, vote } from '../committee.js'
import { delegate } from '../delegated.js'
import { refuses } from '../unchanged.js'
import { say, show } from './world.js'

const committee = await startCommittee(t)
const { clock, inUnit, member, seats } = committee
const administrator = await committee.person('Adi', { rights: ['administrator'] })
t.beforeEach(() => {
  clock.at = START
})

const inReview = async (facts: object = {}) => {
  const { id } = await register(committee, facts)
  return { id, reviewId: await submit(committee, id) }
}
/** A holder of a seat, and somebody without one who votes for them. */
async function pair(seat: string, endsAt?: string) {
  const holder = await member('Hal', seat)
  const standIn = await inUnit('Del')
  const { body, status } = await delegate(holder, standIn, endsAt ? { endsAt } : {})
  t.equal(status, 201)
  return { holder, standIn, delegationId: body.id as string }
}
const leave = async (person: Person) => {
  const place = `/v1/people/${person.id}`
  const seen = ifMatch(await administrator.get(place))
  return await administrator.post(`${place}/departure`, { reason: 'left' }, seen)
}
const loseSeat = async (person: Person) => {
  const { items } = (await administrator.get(`/v1/people/${person.id}/grants`)).body
  const { id } = items.find(({ kind }: { kind: string }) => kind === 'seat')
  return await administrator.post(`/v1/grants/${id}/revocation`, { reason: 'moved on' })
}

t.test('R-41: the vote of a delegate counts for the holder of the seat', async (t) => {
  const { holder, standIn } = await pair('risk')
  const { reviewId } = await inReview()
  await vote(committee, reviewId, 'legal', 'approve')
  const { body } = await say(standIn, reviewId, { seat: 'risk', onBehalfOf: holder.id })
  const cast = { seat: 'risk', personId: standIn.id, onBehalfOf: holder.id, choice: 'approve' }
  t.match(body, {
    decision: {
      outcome: 'approved',
      votes: [
        { seat: 'legal', onBehalfOf: null },
        { ...cast, decisionRight: 'DR-32' },
      ],
    },
  })
  const { rows } = await committee.owner.query(
    `select leaf from audit_event where type = 'vote.cast' and actor_id = $1`,
    [standIn.id],
  )
  t.match(
    rows.map(({ leaf }) => JSON.parse(String(leaf))),
    [{ seat: 'risk', onBehalfOf: holder.id }],
  )
})

t.test('R-30: a delegate may change the vote, and its last one counts', async (t) => {
  const { holder, standIn } = await pair('legal')
  const { reviewId } = await inReview()
  await say(standIn, reviewId, { seat: 'legal', choice: 'block', onBehalfOf: holder.id })
  await say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id })
  const { decision } = (await vote(committee, reviewId, 'risk', 'approve')).body
  t.match(decision, { outcome: 'approved', votes: [{ seat: 'legal', ordinal: 2 }, { seat: 'risk' }] })
})

t.test('R-42: whoever votes for another, and whom they vote for, fill no second seat', async (t) => {
  const standIn = await member('Two', 'compliance')
  const holder = await inUnit('Hol', 'seat:legal', 'seat:business')
  t.equal((await delegate(holder, standIn)).status, 201)
  const { reviewId } = await inReview()
  t.equal((await say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id })).status, 201)

  await refuses(t, committee, () => say(standIn, reviewId, { seat: 'compliance' }), {
    status: 409,
    detail: 'you vote for the legal seat in this round; one person fills one seat',
  })
  await refuses(t, committee, () => say(standIn, reviewId, { seat: 'business', onBehalfOf: holder.id }), {
    status: 409,
    detail: 'you vote for the legal seat in this round; one person fills one seat',
  })
  await refuses(t, committee, () => say(holder, reviewId, { seat: 'legal' }), {
    status: 409,
    detail: 'somebody votes for you in this round; end your delegation to them to vote yourself',
  })
  await refuses(t, committee, () => say(holder, reviewId, { seat: 'business' }), {
    status: 409,
    detail: 'somebody has voted for you in this round; one person fills one seat',
  })

  await t.test('in whichever order they vote', async (t) => {
    const { reviewId } = await inReview()
    t.equal((await say(standIn, reviewId, { seat: 'compliance' })).status, 201)
    await refuses(t, committee, () => say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id }), {
      status: 409,
      detail: 'you vote for the compliance seat in this round; one person fills one seat',
    })
    t.equal((await say(holder, reviewId, { seat: 'business' })).status, 201, 'the holder is free')
  })

  await t.test('nor when the holder has voted', async (t) => {
    const { reviewId } = await inReview()
    t.equal((await say(holder, reviewId, { seat: 'business' })).status, 201)
    await refuses(t, committee, () => say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id }), {
      status: 409,
      detail: 'whoever you vote for has a seat in this round already; one person fills one seat',
    })
    await refuses(t, committee, () => say(standIn, reviewId, { seat: 'business', onBehalfOf: holder.id }), {
      status: 409,
      detail: 'somebody else votes for the business seat in this round; nothing to do',
    })
  })

  await t.test('nor by two delegations', async (t) => {
    const other = await member('Oth', 'risk')
    t.equal((await delegate(other, standIn)).status, 201)
    const { reviewId } = await inReview()
    t.equal((await say(standIn, reviewId, { seat: 'risk', onBehalfOf: other.id })).status, 201)
    await refuses(t, committee, () => say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id }), {
      status: 409,
      detail: 'you vote for the risk seat in this round; one person fills one seat',
    })
  })

  await t.test('and of one seat that both hold, there is one vote', async (t) => {
    const [first, second] = [await member('Fir', 'risk'), await member('Sec', 'risk')]
    t.equal((await delegate(first, second)).status, 201)
    const { reviewId } = await inReview()
    t.equal((await say(second, reviewId, { seat: 'risk' })).status, 201)
    await refuses(t, committee, () => say(second, reviewId, { seat: 'risk', onBehalfOf: first.id }), {
      status: 409,
      detail: 'you vote in this round already, for yourself or for another; change that vote instead',
    })
    await refuses(t, committee, () => say(first, reviewId, { seat: 'risk' }), { status: 409 })
  })
})

t.test('a seat that somebody else fills is not taken by a delegate', async (t) => {
  const { holder, standIn } = await pair('legal')
  const { reviewId } = await inReview()
  await vote(committee, reviewId, 'legal', 'approve')
  await refuses(t, committee, () => say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id }), {
    status: 409,
    detail: 'somebody else votes for the legal seat in this round; nothing to do',
  })
})

t.test('R-41: nobody votes for the owner, the submitter or an author', async (t) => {
  const risk = await inUnit('Rob', 'risk_owner', 'committee_member')
  const business = await inUnit('Ben', 'business_owner', 'committee_member')
  const author = await inUnit('Amy', 'business_owner', 'committee_member')
  const others = [await inUnit('One'), await inUnit('Two'), await member('Thr', 'compliance')]
  const parties = [risk, business, author]
  const { id } = await register(committee, { riskOwnerId: risk.id, businessOwnerId: business.id })
  for (const person of parties) await giveSeat(committee, person, 'legal')
  for (const [index, person] of parties.entries()) {
    t.equal((await delegate(person, others[index] as Person)).status, 201)
  }
  t.equal((await revise(committee, id, { benefits: 'Saves time' }, author)).status, 200)
  const reviewId = await submit(committee, id)
  for (const [index, person] of parties.entries()) {
    const standIn = others[index] as Person
    await refuses(t, committee, () => say(standIn, reviewId, { seat: 'legal', onBehalfOf: person.id }), {
      status: 403,
    })
  }
  await refuses(t, committee, () => say(others[2] as Person, reviewId, { seat: 'compliance' }), {
    status: 403,
    rule: 'DR-73',
  })
  t.match(
    (await show(committee, reviewId)).excluded.filter(({ personId }: { personId: string }) =>
      others.some((other) => other.id === personId),
    ),
    others.map(() => ({ because: 'votes for somebody who wrote, owns or submitted it' })),
  )
})

t.test('R-41: a delegate who wrote it does not vote for a holder who did not', async (t) => {
  const holder = await member('Hol', 'legal')
  const writer = await inUnit('Wri', 'business_owner')
  t.equal((await delegate(holder, writer)).status, 201)
  const { id } = await register(committee)
  t.equal((await revise(committee, id, { benefits: 'Saves time' }, writer)).status, 200)
  const reviewId = await submit(committee, id)
  await refuses(t, committee, () => say(writer, reviewId, { seat: 'legal', onBehalfOf: holder.id }), {
    status: 403,
    rule: 'DR-73',
  })
  t.equal((await say(holder, reviewId, { seat: 'legal' })).status, 201, 'who votes for themselves')
})

t.test(
  'R-45: nobody votes for somebody without their delegation, nor for a seat that is not theirs',
  async (t) => {
    const { holder, standIn } = await pair('legal')
    const { reviewId } = await inReview()
    const noDelegation =
      'no delegation from this person to you is in force; ask them for one, or vote for yourself'
    const stranger = await member('Str', 'compliance')
    await refuses(t, committee, () => say(stranger, reviewId, { seat: 'legal', onBehalfOf: holder.id }), {
      status: 403,
      rule: 'DR-32',
      detail: noDelegation,
    })
    await refuses(
      t,
      committee,
      () => say(seats.risk, reviewId, { seat: 'risk', onBehalfOf: seats.risk.id }),
      {
        status: 403,
        detail: noDelegation,
      },
    )
    await refuses(t, committee, () => say(standIn, reviewId, { seat: 'business', onBehalfOf: holder.id }), {
      status: 403,
      detail: /^whoever you vote for does not hold the business seat/,
    })
    const machine = await committee.person('robot', {
      rights: ['committee_member', 'seat:legal'],
      unitId: committee.unitId,
      kind: 'service',
    })
    await refuses(t, committee, () => say(machine, reviewId, { seat: 'legal', onBehalfOf: holder.id }), {
      status: 403,
      rule: 'DR-80',
    })
  },
)

t.test(
  'R-45: a delegate votes until the delegation ends, and what was voted until then stands',
  async (t) => {
    const endsAt = addDays(START, 2)
    const { holder, standIn } = await pair('legal', endsAt)
    const { reviewId } = await inReview()
    clock.at = addSeconds(endsAt, -1)
    t.equal((await say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id })).status, 201)
    clock.at = endsAt
    await refuses(
      t,
      committee,
      () => say(standIn, reviewId, { seat: 'legal', choice: 'block', onBehalfOf: holder.id }),
      { status: 404 },
    )
    const { decision } = (await vote(committee, reviewId, 'risk', 'approve')).body
    t.match(decision, { outcome: 'approved', votes: [{ personId: standIn.id }, { seat: 'risk' }] })

    await t.test('also when it was ended before its time', async (t) => {
      clock.at = START
      const { holder, standIn, delegationId } = await pair('legal')
      const { reviewId } = await inReview()
      t.equal((await say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id })).status, 201)
      t.equal((await holder.post(`/v1/delegations/${delegationId}/ending`)).status, 200)
      await refuses(t, committee, () => say(standIn, reviewId, { seat: 'legal', onBehalfOf: holder.id }), {
        status: 404,
      })
      t.equal((await vote(committee, reviewId, 'risk', 'approve')).body.decision?.outcome, 'approved')
    })
  },
)

t.test(
  'R-46: when either of the two leaves, or the holder loses the seat, the vote counts no more',
  async (t) => {
    for (const [what, goes] of [
      ['the holder leaves', async ({ holder }) => await leave(holder)],
      ['the delegate leaves', async ({ standIn }) => await leave(standIn)],
      ['the holder loses the seat', async ({ holder }) => await loseSeat(holder)],
    ] satisfies [string, (two: { holder: Person; standIn: Person }) => Promise<{ status: number }>][]) {
      await t.test(what, async (t) => {
        const two = await pair('legal')
        const { reviewId } = await inReview()
        await say(two.standIn, reviewId, { seat: 'legal', onBehalfOf: two.holder.id })
        t.match(await show(committee, reviewId), {
          approvals: 1,
          openSeats: ['risk', 'business', 'compliance'],
        })
        t.equal((await goes(two)).status, 200)
        t.match(await show(committee, reviewId), {
          approvals: 0,
          openSeats: ['risk', 'business', 'legal', 'compliance'],
        })
        t.match((await committee.auditor.get(`/v1/reviews/${reviewId}/brief`)).body.votes, [
          { counts: false },
        ])
        const { decision } = (await vote(committee, reviewId, 'risk', 'approve')).body
        t.equal(decision, null, 'risk alone is not the quorum of two')
        const filled = await vote(committee, reviewId, 'legal', 'approve')
        t.match(filled, { status: 201, body: { decision: { outcome: 'approved' } } })
        t.same(
          filled.body.decision.votes.map(({ personId }: { personId: string }) => personId).sort(),
          [seats.risk.id, seats.legal.id].sort(),
        )
        t.same(await show(committee, reviewId), filled.body.review, 'and so it is shown afterwards')
      })
    }
  },
)

t.test('R-32: when a delegate recuses, another holder may vote, and neither of the two', async (t) => {
  const { holder, standIn } = await pair('risk')
  const { reviewId } = await inReview()
  await vote(committee, reviewId, 'legal', 'approve')
  const recusal = await say(standIn, reviewId, { seat: 'risk', choice: 'recuse', onBehalfOf: holder.id })
  t.match(recusal, { status: 201, body: { decision: null, review: { needed: 2, approvals: 1 } } })
  const back = 'you gave up your seat in this round; another holder of it votes now'
  await refuses(t, committee, () => say(standIn, reviewId, { seat: 'risk', onBehalfOf: holder.id }), {
    status: 409,
    detail: back,
  })
  await refuses(t, committee, () => say(holder, reviewId, { seat: 'risk' }), { status: 409, detail: back })
  t.equal((await vote(committee, reviewId, 'risk', 'approve')).body.decision.outcome, 'approved')
})
