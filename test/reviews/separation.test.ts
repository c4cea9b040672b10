import t from 'tap'
import { v7 as newId } from 'uuid'
import type { Answer, Person } from '../app.js'
import { approve, giveSeat, register, revise, startCommittee, submit, vote } from '../committee.js'
import { openClient } from '../database-run.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { connections, owner, inUnit, unitId, riskOwner, businessOwner, seats, auditor } = committee

const ballotOf = (seat: string) => ({ seat, choice: 'approve', rationale: 'as discussed' })
const voteAs = async (person: Person, reviewId: string, seat = 'legal'): Promise<Answer> =>
  await person.post(`/v1/reviews/${reviewId}/votes`, ballotOf(seat))

/** What `GET /v1/me` says about voting in the open round of a use case. */
const verdictOn = async (person: Person, useCase: string) => {
  const { verdicts } = (await person.get(`/v1/me?useCase=${useCase}`)).body.review
  return verdicts.find(({ action }: { action: string }) => action === 'vote')
}

const denialsOf = async (person: Person) => {
  const { rows } = await owner.query(
    `select leaf from audit_event where type = 'access.denied' and actor_id = $1`,
    [person.id],
  )
  return rows.map(({ leaf }) => JSON.parse(String(leaf)))
}

t.test('R-40: whoever has a part in a use case does not vote on it', async (t) => {
  const both = async (name: string, role: string) => await inUnit(name, role, 'committee_member')
  const [business, risk, author, submitter] = await Promise.all([
    both('Ben', 'business_owner'),
    both('Rob', 'risk_owner'),
    both('Amy', 'business_owner'),
    both('Sue', 'risk_owner'),
  ])
  const owners = { businessOwnerId: business.id, riskOwnerId: risk.id }
  const { id, key } = await register(committee, owners)
  for (const person of [business, risk, author, submitter]) await giveSeat(committee, person, 'legal')
  t.equal((await revise(committee, id, { benefits: 'Saves time' }, author)).status, 200)
  const place = `/v1/use-cases/${id}`
  const submission = await submitter.post(`${place}/reviews`, {}, { 'if-match': '"2"' })
  t.equal(submission.status, 201)
  const reviewId = submission.body.id

  for (const [person, rule, because] of [
    [submitter, 'DR-70', 'Whoever submitted a use case does not vote on it'],
    [business, 'DR-71', 'The business owner of a use case does not vote on it'],
    [risk, 'DR-72', 'The risk owner of a use case does not vote on it'],
    [author, 'DR-73', 'Whoever submitted, wrote or owns a use case does not vote on it'],
  ] as const) {
    await t.test(because, async (t) => {
      await refuses(t, committee, () => voteAs(person, reviewId), { status: 403, detail: because, rule })
      t.match(await verdictOn(person, key), { allowed: false, right: rule, because })
      t.match((await denialsOf(person))[0], { rule, action: 'vote', kind: 'Review', subjectId: reviewId })
    })
  }

  await t.test('nor an administrator, an auditor, or a committee member of another unit', async (t) => {
    const admin = await inUnit('Ann', 'administrator', 'committee_member', 'seat:legal')
    await refuses(t, committee, () => voteAs(admin, reviewId), { status: 403, rule: 'DR-74' })
    await refuses(t, committee, () => voteAs(auditor, reviewId), { status: 403, rule: 'DR-85' })
    const elsewhere = await committee.unit('elsewhere')
    const rights = ['committee_member', 'seat:legal']
    const stranger = await committee.person('Stan', { rights, unitId: elsewhere })
    await refuses(t, committee, () => voteAs(stranger, reviewId), { status: 404 })
  })

  await t.test('R-43: nor a service account, whatever it was granted', async (t) => {
    const rights = ['committee_member', 'seat:legal']
    const machine = await committee.person('robot', { rights, unitId, kind: 'service' })
    await refuses(t, committee, () => voteAs(machine, reviewId), { status: 403, rule: 'DR-80' })
  })

  await t.test('the others do', async (t) => {
    t.match(await verdictOn(seats.legal, key), { allowed: true, right: 'DR-32' })
    t.equal((await voteAs(seats.legal, reviewId)).status, 201)
  })
})

t.test('a vote is cast through a seat', async (t) => {
  const reviewId = await submit(committee, (await register(committee)).id)
  await t.test('which is all it takes to see and to vote, and no role stands in for it', async (t) => {
    const seated = await inUnit('Tom', 'seat:compliance')
    const another = await submit(committee, (await register(committee)).id)
    t.equal((await seated.get(`/v1/reviews/${another}`)).status, 200)
    t.equal((await voteAs(seated, another, 'compliance')).status, 201)
    const unseated = await inUnit('Una', 'committee_member')
    await refuses(t, committee, () => voteAs(unseated, reviewId), {
      status: 403,
      rule: 'DR-32',
      detail: /^Whoever holds a seat votes through it, on the use cases of its units/,
    })
    const { useCaseId } = (await unseated.get(`/v1/reviews/${reviewId}`)).body
    t.match(await verdictOn(unseated, useCaseId), { allowed: false, right: 'DR-32' })
  })
  await t.test('that one holds', async (t) => {
    await refuses(t, committee, () => voteAs(seats.compliance, reviewId), {
      status: 403,
      rule: 'DR-32',
      detail: 'you do not hold the legal seat for this unit; an administrator grants seats',
    })
    const denial = { rule: 'DR-32', action: 'vote', kind: 'Review', subjectId: reviewId }
    t.match(await denialsOf(seats.compliance), [denial])
  })
  await t.test('that the lane has', async (t) => {
    await refuses(t, committee, () => voteAs(seats.security, reviewId, 'security'), {
      status: 422,
      detail: 'this review has no seat security; vote for one of risk, business, legal, compliance',
    })
  })
  await t.test('that nobody else votes for', async (t) => {
    const second = await committee.member('Leo', 'legal')
    t.equal((await vote(committee, reviewId, 'legal', 'approve')).status, 201)
    await refuses(t, committee, () => voteAs(second, reviewId), {
      status: 409,
      detail: 'somebody else votes for the legal seat in this round; nothing to do',
    })
  })
  await t.test('R-42: and never through two', async (t) => {
    const twice = await inUnit('Tia', 'committee_member', 'seat:business', 'seat:compliance')
    t.equal((await voteAs(twice, reviewId, 'business')).status, 201)
    await refuses(t, committee, () => voteAs(twice, reviewId, 'compliance'), {
      status: 409,
      detail: 'you vote for the business seat in this round; one person fills one seat',
    })
  })
})

t.test('R-40: a part that is taken up during the round counts, too', async (t) => {
  const writer = await inUnit('Wes', 'business_owner', 'committee_member', 'seat:legal')
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)

  await t.test('whoever writes no longer votes', async (t) => {
    t.equal((await revise(committee, id, { benefits: 'Saves time' }, writer)).status, 200)
    await refuses(t, committee, () => voteAs(writer, reviewId), { status: 403, rule: 'DR-73' })
  })

  await t.test('whoever voted no longer writes, nor becomes an owner', async (t) => {
    const voter = await inUnit('Vic', 'business_owner', 'committee_member', 'seat:compliance')
    t.equal((await voteAs(voter, reviewId, 'compliance')).status, 201)
    const detail =
      'somebody who would write or own this, or their delegate, has voted in the open review; withdraw it first'
    const edits = [
      () => revise(committee, id, { benefits: 'Saves money' }, voter),
      () => revise(committee, id, { businessOwnerId: voter.id }),
      () => revise(committee, id, { riskOwnerId: voter.id }),
    ]
    for (const edit of edits) await refuses(t, committee, edit, { status: 409, detail })
  })
})

t.test(
  'R-40: who wrote a use case is excluded until it is approved, then only who writes it anew',
  async (t) => {
    const writer = await inUnit('Wim', 'business_owner', 'committee_member', 'seat:compliance')
    const { id } = await register(committee)
    await revise(committee, id, { benefits: 'Saves time' }, writer)
    await vote(committee, await submit(committee, id), 'risk', 'request_changes')
    const again = await submit(committee, id)
    await refuses(t, committee, () => voteAs(writer, again, 'compliance'), { status: 403, rule: 'DR-73' })
    await approve(committee, again)
    await revise(committee, id, { purpose: 'Pays claims' })
    t.equal((await voteAs(writer, await submit(committee, id), 'compliance')).status, 201)
  },
)

t.test('R-40, R-42: the database holds it as well, against the service itself', async (t) => {
  const app = await openClient(connections.appConnection)
  t.teardown(() => app.end())
  const { id } = await register(committee)
  const reviewId = await submit(committee, id)
  await vote(committee, reviewId, 'legal', 'approve')
  const outsider = (await inUnit('Out', 'committee_member')).id

  const party = (personId: string, part: string) => [
    `insert into review_party (review_id, person_id, part, because) values ($1, $2, $3, 'x')`,
    [reviewId, personId, part],
  ]
  const seat = (name: string, personId: string, part = 'elector') => [
    'insert into review_seat (review_id, seat, person_id, part) values ($1, $2, $3, $4)',
    [reviewId, name, personId, part],
  ]
  const cast = (name: string, personId: string) => [
    `insert into vote (id, review_id, seat, person_id, ordinal, choice, rationale, decision_right, cast_at)
      values ($1, $2, $3, $4, 9, 'approve', 'x', 'DR-32', now())`,
    [newId(), reviewId, name, personId],
  ]
  const UNIQUE = '23505'
  const CHECK = '23514'
  const FOREIGN_KEY = '23503'
  const DENIED = '42501'
  const attacks: [string, (string | unknown[])[], string][] = [
    ['an owner becomes an elector', party(businessOwner.id, 'elector'), UNIQUE],
    ['an owner is seated as an elector', seat('compliance', riskOwner.id), FOREIGN_KEY],
    ['an owner is seated as excluded', seat('compliance', riskOwner.id, 'excluded'), CHECK],
    ['an owner votes', cast('compliance', riskOwner.id), FOREIGN_KEY],
    ['a stranger votes without a seat', cast('compliance', outsider), FOREIGN_KEY],
    ['a stranger takes a seat without a part', seat('compliance', outsider), FOREIGN_KEY],
    ['a stranger takes a seat that is taken', seat('legal', outsider), UNIQUE],
    ['a voter takes a second seat', seat('compliance', seats.legal.id), UNIQUE],
    ['a voter votes for a seat of somebody else', cast('risk', seats.legal.id), FOREIGN_KEY],
    ['a voter is excluded after the vote', party(seats.legal.id, 'excluded'), UNIQUE],
    ['an exclusion is lifted', ['delete from review_party where person_id = $1', [riskOwner.id]], DENIED],
    ['an exclusion is turned', [`update review_party set part = 'elector'`, []], DENIED],
    ['a vote is changed', [`update vote set choice = 'block'`, []], DENIED],
    ['a round changes its lane', [`update review set lane = '{}'`, []], DENIED],
    ['a round changes its submitter', ['update review set submitted_by = $1', [outsider]], DENIED],
    [
      'a second round opens',
      [
        `insert into review (id, use_case_id, round, version, tier, lane, policy_digest, submitted_by, note,
            opened_at, due_at) values ($1, $2, 2, 1, 'limited', '{}', 'x', $3, '', now(), now())`,
        [newId(), id, outsider],
      ],
      UNIQUE,
    ],
  ]
  for (const [what, [text, values], code] of attacks) {
    await t.rejects(app.query(String(text), values as unknown[]), { code }, what)
  }

  await vote(committee, reviewId, 'risk', 'approve')
  const second = `insert into decision (id, use_case_id, review_id, outcome, reason, version, tier, lane_id,
      valid_until, material_facts, material_digest, policy_digest, votes, evidence, decided_at)
    select $1, use_case_id, review_id, 'blocked', reason, version, tier, lane_id, null, material_facts,
      material_digest, policy_digest, votes, evidence, decided_at from decision`
  await t.rejects(app.query(second, [newId()]), { code: UNIQUE }, 'a round is decided twice')
  await t.rejects(app.query(`update decision set outcome = 'blocked'`), { code: DENIED })
})
