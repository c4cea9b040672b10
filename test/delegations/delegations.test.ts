import t, { type Test } from 'tap'
import { v7 as newId } from 'uuid'
import { MOST_OPEN } from '../../src/delegations/delegation.js'
import { addDays, addSeconds } from '../../src/instant.js'
import type { Answer, Person } from '../app.js'
import { register, revise, START, startCommittee, submit } from '../committee.js'
import { openClient } from '../database-run.js'
import { accept, delegate, propose } from '../delegated.js'
import { refuses } from '../unchanged.js'
import { meeting } from '../waiting.js'

const committee = await startCommittee(t)
const { clock, inUnit, businessOwner, riskOwner, auditor, owner } = committee
const admin = await committee.person('Ann', { rights: ['administrator'] })
const wholeAuditor = await committee.person('Aud', { rights: ['auditor'] })

const end = async (by: Person, id: string): Promise<Answer> => await by.post(`/v1/delegations/${id}/ending`)
const voteAs = async (who: Person, reviewId: string, seat: string, onBehalfOf?: Person): Promise<Answer> =>
  await who.post(`/v1/reviews/${reviewId}/votes`, {
    ...{ seat, choice: 'approve', rationale: 'as discussed' },
    ...(onBehalfOf && { onBehalfOf: onBehalfOf.id }),
  })
const member = async (name: string, seat: string, ...rights: string[]) =>
  await inUnit(name, 'committee_member', `seat:${seat}`, ...rights)
/** A use case in review. */
async function inReview(facts: object = {}) {
  const { id, key } = await register(committee, facts)
  return { id, key, reviewId: await submit(committee, id) }
}
t.beforeEach(() => {
  clock.at = START
})

t.test('R-45: whoever holds a seat lets somebody vote for them, from a start to an end', async (t) => {
  const away = await member('Lia', 'legal')
  const standIn = await inUnit('Del')
  const { reviewId } = await inReview()
  t.match((await away.get('/v1/people?search=del')).body.items, [{ id: standIn.id }], 'they find them')
  t.equal((await standIn.get('/v1/delegations')).body.items.length, 0)
  await refuses(t, committee, () => voteAs(standIn, reviewId, 'legal', away), { status: 404 })

  const startsAt = addDays(START, 1)
  const made = await propose(away, standIn, { startsAt, endsAt: addDays(START, 8) })
  t.match(made, {
    status: 201,
    headers: { location: `/v1/delegations/${made.body.id}` },
    body: { fromId: away.id, toId: standIn.id, startsAt, state: 'proposed', acceptedAt: null, endedAt: null },
  })
  t.match(await accept(standIn, made.body.id), {
    status: 200,
    body: { id: made.body.id, state: 'planned', acceptedAt: START },
  })
  const grantsOf = async () => (await standIn.get('/v1/me')).body.grants
  t.same(await grantsOf(), [])

  await t.test('not before its start', async (t) => {
    clock.at = addSeconds(startsAt, -1)
    await refuses(t, committee, () => voteAs(standIn, reviewId, 'legal', away), { status: 404 })
  })
  await t.test('from its start on, through what the holder was granted, and for them', async (t) => {
    clock.at = startsAt
    t.match(await grantsOf(), [{ kind: 'seat', name: 'legal', for: away.id }])
    t.equal((await standIn.get(`/v1/delegations/${made.body.id}`)).body.state, 'in_force')
    await refuses(t, committee, () => voteAs(standIn, reviewId, 'legal'), {
      status: 403,
      detail: /^you do not hold the legal seat/,
    })
    await refuses(t, committee, () => voteAs(standIn, reviewId, 'risk', away), { status: 403 })
    t.equal((await voteAs(standIn, reviewId, 'legal', away)).status, 201)
    const { rows } = await owner.query('select person_id, on_behalf_of from vote where review_id = $1', [
      reviewId,
    ])
    t.same(rows, [{ person_id: standIn.id, on_behalf_of: away.id }])
  })
  await t.test('and not from its end on, although nobody signs in anew', async (t) => {
    const later = await inReview()
    clock.at = addSeconds(addDays(START, 8), -1)
    t.equal((await standIn.get(`/v1/reviews/${later.reviewId}`)).status, 200)
    clock.at = addDays(START, 8)
    t.equal((await standIn.get(`/v1/reviews/${later.reviewId}`)).status, 404)
    await refuses(t, committee, () => voteAs(standIn, later.reviewId, 'legal', away), { status: 404 })
    t.same(await grantsOf(), [])
    t.equal((await standIn.get(`/v1/delegations/${made.body.id}`)).body.state, 'over')
  })
  await t.test('and both people’s log says so', async (t) => {
    for (const { id } of [away, standIn]) {
      for (const [type, by] of [
        ['delegation.made', away],
        ['delegation.accepted', standIn],
      ] as const) {
        const { body } = await admin.get(`/v1/events?aggregate=${id}&type=${type}`)
        t.match(body.items, [{ type, actorId: by.id }])
        t.equal(body.items.length, 1)
      }
    }
  })
})

t.test('R-45: a delegation that says too much, or too little, is refused', async (t) => {
  const holder = await member('Hal', 'legal')
  const other = await inUnit('Ola')
  const machine = await committee.person('deploy', { rights: ['pipeline'], kind: 'service' })
  const gone = await inUnit('Gus')
  await admin.post(`/v1/people/${gone.id}/departure`, { reason: 'left' }, { 'if-match': '"1"' })
  const nobody = { id: newId() }

  await t.test('by whom it is for', async (t) => {
    const detail = 'a delegate must be a person who has joined and not left; choose another'
    for (const to of [nobody, machine, gone]) {
      await refuses(t, committee, () => propose(holder, to), { status: 422, detail })
    }
    await refuses(t, committee, () => propose(holder, holder), {
      status: 422,
      detail: 'you vote for yourself already; choose somebody else',
    })
    for (const to of [admin, auditor]) {
      await refuses(t, committee, () => propose(holder, to), {
        status: 409,
        detail: /^an (administrator|auditor) fills no seat on the committee; choose another$/,
      })
    }
  })
  await t.test('by when it is', async (t) => {
    const late = { startsAt: addDays(START, 2), endsAt: addDays(START, 1) }
    const times: [object, RegExp][] = [
      [{ startsAt: addSeconds(START, -1) }, /starts now or later/],
      [{ startsAt: addDays(START, 367), endsAt: addDays(START, 368) }, /starts within 366 days/],
      [{ endsAt: START }, /ends after it starts/],
      [late, /ends after it starts/],
      [{ endsAt: addSeconds(addDays(START, 366), 1) }, /lasts at most 366 days/],
    ]
    for (const [when, detail] of times) {
      await refuses(t, committee, () => propose(holder, other, when), { status: 422, detail })
    }
    await refuses(t, committee, () => propose(holder, other, { endsAt: undefined }), { status: 422 })
    await refuses(t, committee, () => propose(holder, other, { reason: ' ' }), { status: 422 })
  })
  await t.test('by who would delegate', async (t) => {
    for (const unseated of [other, businessOwner, admin, wholeAuditor]) {
      await refuses(t, committee, () => propose(unseated, other.id === unseated.id ? holder : other), {
        status: 409,
        detail: 'you hold no seat; only who was granted a seat can say who votes for them',
      })
    }
    await refuses(t, committee, () => propose(machine, other), { status: 403, rule: 'DR-80' })
  })
})

t.test('R-45: it is never passed on', async (t) => {
  const [first, second, third] = [await member('Una', 'legal'), await inUnit('Duo'), await inUnit('Tre')]
  t.equal((await delegate(first, second)).status, 201)
  await refuses(t, committee, () => propose(second, third), {
    status: 409,
    detail: 'the seats you fill are delegated to you; only who was granted a seat can say who votes for them',
  })

  await t.test('also by who holds a seat as well: only that one goes along', async (t) => {
    const [holder, last] = [await member('Bob', 'business'), await inUnit('Len')]
    const away = await member('Lou', 'legal')
    t.equal((await delegate(away, holder)).status, 201)
    t.equal((await delegate(holder, last)).status, 201)
    t.match((await last.get('/v1/me')).body.grants, [{ name: 'business', for: holder.id }])
    t.equal((await last.get('/v1/me')).body.grants.length, 1)
    const { reviewId } = await inReview()
    await refuses(t, committee, () => voteAs(last, reviewId, 'legal', away), {
      status: 403,
      detail: /^no delegation from this person to you is in force/,
    })
    await refuses(t, committee, () => voteAs(last, reviewId, 'legal', holder), { status: 403 })
  })
})

t.test('one person at a time votes for another', async (t) => {
  const [holder, one, two] = [await member('Ida', 'legal'), await inUnit('One'), await inUnit('Two')]
  const days = (from: number, to: number) => ({ startsAt: addDays(START, from), endsAt: addDays(START, to) })
  const made = await delegate(holder, one, days(2, 4))
  t.equal(made.status, 201)
  for (const [to, when] of [
    [two, days(3, 5)],
    [two, days(1, 3)],
    [two, days(1, 5)],
    [one, days(2, 4)],
  ] as const) {
    await refuses(t, committee, () => propose(holder, to, when), {
      status: 409,
      detail: `you have delegated from ${addDays(START, 2)} to ${addDays(START, 4)} already; end that first, or name other days`,
    })
  }
  t.equal((await delegate(holder, two, days(4, 5))).status, 201, 'what ends when the other starts')
  t.equal((await delegate(holder, two, days(1, 2))).status, 201)
  await end(holder, made.body.id)
  t.equal((await delegate(holder, two, days(2, 3))).status, 201, 'and what was ended is out of the way')

  await t.test('of several who are asked, who accepts first', async (t) => {
    const away = await member('Ina', 'legal')
    const asked = [await propose(away, one, days(1, 3)), await propose(away, two, days(2, 4))] as const
    t.same([asked[0].status, asked[1].status], [201, 201])
    const answers = await meeting(committee, { table: 'person', id: away.id }, [
      () => accept(one, asked[0].body.id),
      () => accept(two, asked[1].body.id),
    ])
    t.same(
      answers.map(({ status }) => status),
      [200, 409],
    )
    await refuses(t, committee, () => accept(two, asked[1].body.id), {
      status: 409,
      detail: `somebody else votes for them from ${addDays(START, 1)} to ${addDays(START, 3)} already; decline this one`,
    })
    await end(one, asked[0].body.id)
    t.equal((await accept(two, asked[1].body.id)).status, 200, 'once that has ended')
  })
})

t.test('R-45: nothing comes of a delegation that nobody accepted', async (t) => {
  const owner = await member('Own', 'legal', 'business_owner', 'risk_owner')
  const dissenter = await member('Dis', 'compliance')
  const open = await inReview({ riskOwnerId: owner.id })
  const made = await propose(owner, dissenter)
  t.equal(made.status, 201)

  await t.test('whoever was asked votes, whoever asks them', async (t) => {
    t.same(await excludedFrom(open.reviewId, dissenter), [])
    t.equal((await voteAs(dissenter, open.reviewId, 'compliance')).status, 201)
    const later = await inReview({ riskOwnerId: owner.id })
    t.same(await excludedFrom(later.reviewId, dissenter), [])
    t.equal((await voteAs(dissenter, later.reviewId, 'compliance')).status, 201)
  })
  await t.test('nor do those who vote for them count as anybody else', async (t) => {
    const standIn = await inUnit('Sti')
    t.equal((await delegate(dissenter, standIn)).status, 201)
    const later = await inReview({ riskOwnerId: owner.id })
    t.equal((await voteAs(standIn, later.reviewId, 'compliance', dissenter)).status, 201)
  })
  await t.test('nobody votes by it, sees by it or is counted for it', async (t) => {
    const [holder, asked] = [await member('Hob', 'legal'), await inUnit('Ask')]
    t.equal((await propose(holder, asked)).status, 201)
    t.same((await asked.get('/v1/me')).body.grants, [])
    const { reviewId } = await inReview()
    await refuses(t, committee, () => voteAs(asked, reviewId, 'legal', holder), { status: 404 })
    const { holders } = (await holder.get(`/v1/reviews/${reviewId}/brief`)).body
    t.notOk(JSON.stringify(holders ?? []).includes(asked.id))
    const role = { kind: 'role', name: 'auditor', orgUnitId: committee.unitId }
    t.equal((await admin.post(`/v1/people/${asked.id}/grants`, role)).status, 201, 'nor kept from a role')
  })
  await t.test('who has voted where the other is excluded cannot accept', async (t) => {
    const { key } = open
    await refuses(t, committee, () => accept(dissenter, made.body.id), {
      status: 409,
      detail:
        /^you, or who votes for you, voted on UC-\d+, which they may not decide; wait until its review is closed, or decline$/,
    })
    t.match(key, /^UC-/)
  })
  await t.test('and it is over when its time is up', async (t) => {
    clock.at = made.body.endsAt
    t.equal((await dissenter.get(`/v1/delegations/${made.body.id}`)).body.state, 'over')
    await refuses(t, committee, () => accept(dissenter, made.body.id), {
      status: 409,
      detail: 'this delegation is over already; nothing to do',
    })
  })
})

t.test('R-45: it is accepted by the delegate alone, and once', async (t) => {
  const [holder, standIn, stranger] = [await member('Hol', 'legal'), await inUnit('Sta'), await inUnit('Str')]
  const { body } = await propose(holder, standIn)
  for (const by of [holder, admin, wholeAuditor]) {
    await refuses(t, committee, () => accept(by, body.id), { status: 403, rule: 'DR-37' })
  }
  await refuses(t, committee, () => accept(stranger, body.id), { status: 404 })
  const proposed = await standIn.get('/v1/delegations?state=proposed')
  t.match(proposed.body.items, [{ id: body.id, state: 'proposed', acceptedAt: null }])
  t.equal((await accept(standIn, body.id)).status, 200)
  t.same((await standIn.get('/v1/delegations?state=proposed')).body.items, [])
  await refuses(t, committee, () => accept(standIn, body.id), {
    status: 409,
    detail: 'you have accepted this already; nothing to do',
  })

  await t.test('not after it was declined', async (t) => {
    const other = await propose(await member('Oth', 'legal'), standIn)
    t.match(await end(standIn, other.body.id), { status: 200, body: { state: 'ended', acceptedAt: null } })
    await refuses(t, committee, () => accept(standIn, other.body.id), { status: 409 })
  })
  await t.test('R-44: nor by who became an auditor since', async (t) => {
    const asked = await inUnit('Aut')
    const other = await propose(await member('Oda', 'legal'), asked)
    const role = { kind: 'role', name: 'auditor', orgUnitId: committee.unitId }
    t.equal((await admin.post(`/v1/people/${asked.id}/grants`, role)).status, 201)
    await refuses(t, committee, () => accept(asked, other.body.id), {
      status: 409,
      detail: 'an auditor fills no seat on the committee; decline',
    })
  })
})

t.test('R-45: nobody has more than ten that are not over', async (t) => {
  const [holder, standIn] = [await member('Hun', 'legal'), await inUnit('Sto')]
  const made: string[] = []
  for (let day = 1; day <= MOST_OPEN; day += 1) {
    const when = { startsAt: addDays(START, day), endsAt: addDays(START, day + 1) }
    const ask = day % 2 === 0 ? delegate : propose
    const { status, body } = await ask(holder, standIn, when)
    t.equal(status, 201)
    made.push(body.id)
  }
  const another = { startsAt: addDays(START, 30), endsAt: addDays(START, 31) }
  await refuses(t, committee, () => propose(holder, standIn, another), {
    status: 409,
    detail: 'you have 10 delegations that are not over; end one of them first',
  })
  await end(holder, made[0] ?? '')
  t.equal((await propose(holder, standIn, another)).status, 201)
  clock.at = addDays(START, 5)
  const when = { startsAt: addDays(START, 40), endsAt: addDays(START, 41) }
  t.equal((await propose(holder, standIn, when)).status, 201, 'what is over does not count')
})

t.test('a delegation is seen and ended by both people and by who administers', async (t) => {
  const [holder, standIn, stranger] = [
    await member('Ike', 'legal'),
    await inUnit('Stan'),
    await member('Sy', 'risk'),
  ]
  const ids: string[] = []
  for (const by of [holder, standIn, admin]) {
    const { body } = await delegate(holder, standIn)
    const place = `/v1/delegations/${body.id}`
    for (const reader of [holder, standIn, admin, wholeAuditor]) {
      t.equal((await reader.get(place)).status, 200)
      const list = await reader.get(`/v1/delegations?personId=${holder.id}&state=in_force`)
      t.match(list.body.items, [{ id: body.id, state: 'in_force' }])
    }
    t.same((await stranger.get('/v1/delegations')).body.items, [])
    t.equal((await stranger.get(place)).status, 404)
    await refuses(t, committee, () => end(stranger, body.id), { status: 404 })
    await refuses(t, committee, () => end(wholeAuditor, body.id), { status: 403, rule: 'DR-87' })
    clock.at = addSeconds(clock.at, 60)
    t.match(await end(by, body.id), {
      status: 200,
      body: { state: 'ended', endedBy: by.id, endedAt: clock.at },
    })
    await refuses(t, committee, () => end(by, body.id), {
      status: 409,
      detail: 'this delegation is over already; nothing to do',
    })
    ids.unshift(body.id)
  }
  const { body } = await delegate(holder, standIn)
  clock.at = body.endsAt
  await refuses(t, committee, () => end(holder, body.id), { status: 409 })
  const over = await holder.get(`/v1/delegations?personId=${standIn.id}&state=over`)
  t.match(over.body.items, [{ id: body.id, state: 'over' }])
  t.equal(over.body.items.length, 1)

  const paged: string[] = []
  for (let next = `/v1/delegations?personId=${standIn.id}&state=ended&limit=2`; next; ) {
    const page: Answer = await holder.get(next)
    paged.push(...page.body.items.map(({ id }: { id: string }) => id))
    next =
      page.body.next && `/v1/delegations?personId=${standIn.id}&state=ended&limit=2&cursor=${page.body.next}`
  }
  t.same(paged, ids, 'the last made first, page by page')
})

t.test('R-41: whoever votes for somebody counts as both', async (t) => {
  await t.test('when evidence is judged', async (t) => {
    const giver = await member('Gia', 'security', 'risk_owner')
    const judge = await member('Jo', 'risk')
    const { id } = await register(committee)
    const attach = async () => {
      const attestation = { kind: 'test_report', title: 'Tests', statement: 'All passed' }
      return (await giver.post(`/v1/use-cases/${id}/evidence`, attestation)).body.id
    }
    const accept = async (evidenceId: string) =>
      await judge.post(`/v1/evidence/${evidenceId}/verdict`, { verdict: 'accepted', note: 'looks right' })
    const first = await attach()
    const { body } = await delegate(giver, judge)
    await refuses(t, committee, () => accept(first), {
      status: 403,
      rule: 'DR-75',
      detail: /^Nobody accepts or refuses what they attached themselves; while somebody has delegated to you/,
    })
    await end(judge, body.id)
    t.equal((await accept(first)).status, 201)
  })

  await t.test('in a round that is opened later', async (t) => {
    const writer = await member('Wes', 'legal', 'business_owner')
    const standIn = await member('Ria', 'compliance')
    const further = await member('Fay', 'security')
    t.equal((await delegate(writer, standIn, { startsAt: addDays(START, 3) })).status, 201)
    t.equal((await delegate(standIn, further)).status, 201)
    const { id } = await register(committee)
    await revise(committee, id, { benefits: 'Saves time' }, writer)
    const reviewId = await submit(committee, id)
    for (const [who, seat] of [
      [standIn, 'compliance'],
      [further, 'security'],
    ] as const) {
      await refuses(t, committee, () => voteAs(who, reviewId, seat), { status: 403, rule: 'DR-73' })
    }
    await refuses(t, committee, () => voteAs(further, reviewId, 'compliance', standIn), { status: 403 })
  })

  await t.test('in a round that is open when they are named', async (t) => {
    const writer = await member('Wim', 'legal', 'business_owner')
    const standIn = await member('Rob', 'compliance')
    const voter = await member('Vic', 'compliance')
    const { id } = await register(committee)
    await revise(committee, id, { benefits: 'Saves time' }, writer)
    const reviewId = await submit(committee, id)
    const { key } = (await riskOwner.get(`/v1/use-cases/${id}`)).body

    t.equal((await delegate(writer, standIn)).status, 201)
    await refuses(t, committee, () => voteAs(standIn, reviewId, 'compliance'), {
      status: 403,
      rule: 'DR-73',
    })
    const { body } = await writer.get(`/v1/delegations?state=in_force`)
    await end(writer, body.items[0].id)
    await refuses(t, committee, () => voteAs(standIn, reviewId, 'compliance'), { status: 403 })

    const later = await inReview()
    t.equal((await voteAs(standIn, later.reviewId, 'compliance')).status, 201, 'later rounds are free of it')

    t.equal((await voteAs(voter, reviewId, 'compliance')).status, 201)
    const asked = await propose(writer, voter)
    t.equal(asked.status, 201)
    const detail = `you, or who votes for you, voted on ${key}, which they may not decide; wait until its review is closed, or decline`
    await refuses(t, committee, () => accept(voter, asked.body.id), { status: 409, detail })
    await t.test('and so does who votes for them in turn', async (t) => {
      const between = await member('Ben', 'security')
      t.equal((await delegate(between, voter)).status, 201)
      const again = await propose(writer, between)
      await refuses(t, committee, () => accept(between, again.body.id), { status: 409, detail })
    })
  })

  await t.test('when somebody becomes a party while the round is open', async (t) => {
    const writer = await member('Win', 'legal', 'business_owner')
    const standIn = await member('Rex', 'compliance')
    await delegate(writer, standIn)
    const { id, reviewId } = await inReview()
    t.equal((await revise(committee, id, { benefits: 'Saves time' }, writer)).status, 200)
    await refuses(t, committee, () => voteAs(standIn, reviewId, 'compliance'), {
      status: 403,
      rule: 'DR-73',
    })
    const other = await inReview()
    t.equal((await voteAs(standIn, other.reviewId, 'compliance')).status, 201)
    await refuses(t, committee, () => revise(committee, other.id, { benefits: 'Saves time' }, writer), {
      status: 409,
      detail:
        'somebody who would write or own this, or their delegate, has voted in the open review; withdraw it first',
    })
  })
})

t.test('R-44: whoever votes for somebody becomes no administrator and no auditor meanwhile', async (t) => {
  const [holder, standIn] = [await member('Lee', 'legal'), await inUnit('Sam')]
  const { body } = await delegate(holder, standIn)
  const grant = (name: string) =>
    admin.post(`/v1/people/${standIn.id}/grants`, { kind: 'role', name, orgUnitId: committee.unitId })
  for (const name of ['administrator', 'auditor']) {
    await refuses(t, committee, () => grant(name), {
      status: 409,
      detail: `somebody has delegated their seat to this person, and an ${name} fills none; end that delegation first`,
    })
  }
  await end(standIn, body.id)
  t.equal((await grant('administrator')).status, 201)
})

t.test('R-46: whoever loses the seat or leaves, their delegate loses it as well', async (t) => {
  const holder = await member('Luc', 'legal')
  const standIn = await inUnit('Sue')
  const { body } = await delegate(holder, standIn)
  const { reviewId } = await inReview()
  t.equal((await standIn.get(`/v1/reviews/${reviewId}`)).status, 200)
  const { items } = (await admin.get(`/v1/people/${holder.id}/grants`)).body
  const seat = items.find(({ kind }: { kind: string }) => kind === 'seat')
  await admin.post(`/v1/grants/${seat.id}/revocation`, { reason: 'moved on' })
  t.equal((await standIn.get(`/v1/reviews/${reviewId}`)).status, 404)
  await refuses(t, committee, () => voteAs(standIn, reviewId, 'legal', holder), { status: 404 })

  const place = `/v1/people/${holder.id}`
  const { revision } = (await admin.get(place)).body
  await admin.post(`${place}/departure`, { reason: 'left' }, { 'if-match': `"${revision}"` })
  t.match((await standIn.get(`/v1/delegations/${body.id}`)).body, { state: 'ended', endedBy: admin.id })
  const { body: log } = await admin.get(`/v1/events?aggregate=${standIn.id}&type=delegation.ended`)
  t.equal(log.items.length, 1)

  await t.test('and who leaves votes for nobody any more', async (t) => {
    const [away, leaver] = [await member('Ari', 'legal'), await inUnit('Lev')]
    const made = await delegate(away, leaver)
    const leaverPlace = `/v1/people/${leaver.id}`
    await admin.post(`${leaverPlace}/departure`, { reason: 'left' }, { 'if-match': '"1"' })
    t.match((await away.get(`/v1/delegations/${made.body.id}`)).body, { state: 'ended', endedBy: admin.id })
    t.equal((await delegate(away, standIn)).status, 201)
  })
})

t.test('of two deeds at once, one comes first and the other follows it', async (t) => {
  await t.test('a delegation ends while its delegate votes', async (t) => {
    const [holder, standIn] = [await member('Pam', 'legal'), await inUnit('Pip')]
    const { body } = await delegate(holder, standIn)
    const { id, reviewId } = await inReview()
    await standIn.get('/v1/me')
    const answer = await whileWaiting(
      t,
      { table: 'use_case', id },
      {
        waits: () => voteAs(standIn, reviewId, 'legal', holder),
        meanwhile: () => end(holder, body.id),
      },
    )
    t.match(answer, { status: 403, body: { detail: /^no delegation from this person to you is in force/ } })
    const { rows } = await owner.query('select 1 from vote where review_id = $1', [reviewId])
    t.equal(rows.length, 0)
  })

  await t.test('somebody accepts while they vote', async (t) => {
    for (const isVoteFirst of [true, false]) {
      const writer = await member('Wan', 'legal', 'business_owner')
      const standIn = await member('Nat', 'compliance')
      const { id } = await register(committee)
      await revise(committee, id, { benefits: 'Saves time' }, writer)
      const reviewId = await submit(committee, id)
      const { body } = await propose(writer, standIn)
      const deeds = [() => voteAs(standIn, reviewId, 'compliance'), () => accept(standIn, body.id)]
      const answers = await meeting(
        committee,
        { table: 'use_case', id },
        isVoteFirst ? deeds : deeds.toReversed(),
      )
      t.same(
        answers.map(({ status }) => status),
        isVoteFirst ? [201, 409] : [200, 403],
      )
    }
  })

  await t.test('somebody accepts while a round is opened', async (t) => {
    for (const isSubmissionFirst of [true, false]) {
      const writer = await member('Wyn', 'legal', 'risk_owner')
      const standIn = await member('Neo', 'compliance')
      const { id } = await register(committee, { riskOwnerId: writer.id })
      const { revision } = (await writer.get(`/v1/use-cases/${id}`)).body
      const open = () => writer.post(`/v1/use-cases/${id}/reviews`, {}, { 'if-match': `"${revision}"` })
      const { body } = await propose(writer, standIn)
      const deeds = [open, () => accept(standIn, body.id)]
      const answers = await meeting(
        committee,
        { table: 'person', id: writer.id },
        isSubmissionFirst ? deeds : deeds.toReversed(),
      )
      t.same(
        answers.map(({ status }) => status),
        isSubmissionFirst ? [201, 200] : [200, 201],
      )
      const { openReviewId } = (await writer.get(`/v1/use-cases/${id}`)).body.standing
      await refuses(t, committee, () => voteAs(standIn, openReviewId, 'compliance'), {
        status: 403,
        rule: 'DR-70',
      })
      t.equal((await excludedFrom(openReviewId, standIn)).length, 1)
    }
  })
})

t.test('R-45: the database holds it as well, against the service itself', async (t) => {
  const app = await openClient(committee.connections.appConnection)
  t.teardown(() => app.end())
  const [holder, standIn, other] = [await member('Sol', 'legal'), await inUnit('Sia'), await inUnit('Oz')]
  const { body } = await delegate(holder, standIn)
  const insert = `insert into delegation (id, from_id, to_id, starts_at, ends_at, reason, created_by, created_at)
    values ($1, $2, $3, now(), now() + $4::interval, 'x', $2, now())`
  await t.rejects(app.query(insert, [newId(), holder.id, holder.id, '1 day']), { code: '23514' })
  await t.rejects(app.query(insert, [newId(), holder.id, other.id, '0 days']), { code: '23514' })
  for (const attack of [
    `update delegation set ends_at = ends_at + interval '1 year' where id = $1`,
    'update delegation set starts_at = now() where id = $1',
    `update delegation set from_id = '${other.id}' where id = $1`,
    `update delegation set to_id = '${other.id}' where id = $1`,
    'update delegation set created_at = starts_at where id = $1',
    'delete from delegation where id = $1',
  ]) {
    await t.rejects(app.query(attack, [body.id]), { code: '42501' }, attack)
  }
  await t.test('an acceptance before it was made, or after its end, is none', async (t) => {
    const { body: declined } = await propose(await member('Sid', 'legal'), standIn)
    await end(standIn, declined.id)
    const { body: proposed } = await propose(await member('Sal', 'legal'), standIn)
    for (const [attack, id] of [
      [`update delegation set accepted_at = created_at - interval '1 ms' where id = $1`, proposed.id],
      ['update delegation set accepted_at = ends_at where id = $1', proposed.id],
      [`update delegation set accepted_at = ended_at + interval '1 ms' where id = $1`, declined.id],
    ]) {
      await t.rejects(app.query(attack, [id]), { code: '23514' }, attack)
    }
  })
})

async function excludedFrom(reviewId: string, { id }: Person): Promise<unknown[]> {
  const { rows } = await owner.query(
    `select because from review_party where review_id = $1 and person_id = $2 and part = 'excluded'`,
    [reviewId, id],
  )
  return rows
}

/** What a deed comes to that waits for a row while another is done. */
async function whileWaiting(
  t: Test,
  row: { table: string; id: string },
  { waits, meanwhile }: { waits: () => Promise<Answer>; meanwhile: () => Promise<Answer> },
): Promise<Answer> {
  let done: Answer | undefined
  const [answer] = await meeting(committee, row, [waits], async () => {
    done = await meanwhile()
  })
  t.equal(done?.status, 200)
  if (!answer) throw new Error('nobody asked')
  return answer
}
