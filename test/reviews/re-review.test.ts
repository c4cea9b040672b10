// What a change of facts, of policy or of a precedent does to an approval and to the way to the next one.
import t from 'tap'
import type { Proposal } from '../../src/conditions/condition.js'
import { addDays } from '../../src/instant.js'
import { vote as castVote } from '../../src/reviews/voting.js'
import { ifMatch } from '../app.js'
import {
  act,
  answersFor,
  approved,
  register,
  revise,
  START,
  standing,
  startCommittee,
  submit,
  vote,
} from '../committee.js'
import { refuses } from '../unchanged.js'
import { all, approvedWith, ask, say, see, withOverlay } from './world.js'

const committee = await startCommittee(t)
const { clock, policies, riskOwner, seats, inUnit } = committee
t.beforeEach(() => {
  clock.at = START
})

t.test('R-61: an edit of what no decision rests on never ends an approval', async (t) => {
  const another = await inUnit('Ron', 'risk_owner')
  const edits: [string, object][] = [
    ['limited', { title: 'Triage of all claims' }],
    ['limited', { benefits: 'Saves an hour a day' }],
    ['limited', { outputs: 'A number from 1 to 5' }],
    ['limited', { stage: 'pilot' }],
    ['limited', { tags: ['claims', 'triage'] }],
    ['limited', { riskOwnerId: another.id }],
    ['limited', { channels: ['mail', 'phone'], benefits: 'Saves time' }],
    ['high', { title: 'Triage of all claims', stage: 'deployed', tags: ['claims'] }],
  ]
  for (const [tier, facts] of edits) {
    const answers = tier === 'high' ? answersFor.high : answersFor.limited
    const { id } = await register(committee, { answers, channels: ['phone', 'mail'] })
    const reviewId = await submit(committee, id)
    await all(committee, reviewId, [
      ['business', 'approve'],
      ['legal', 'approve'],
    ])
    if ((await see(committee, id)).standing.openReviewId) await vote(committee, reviewId, 'risk', 'approve')
    const before = await standing(committee, id)
    t.match(before, { standing: 'cleared' })
    t.equal((await revise(committee, id, facts)).status, 200)
    t.same(await standing(committee, id), before, JSON.stringify(facts))
  }
})

t.test('R-60: an edit of anything that a decision rests on ends it', async (t) => {
  for (const facts of [
    { purpose: 'Pays claims' },
    { technique: 'agentic' },
    { channels: ['phone'] },
    { jurisdictions: ['DE'] },
    { answers: { ...answersFor.limited, personal_data: 'personal' } },
  ]) {
    const { id } = await approved(committee)
    t.equal((await revise(committee, id, facts)).status, 200)
    t.match((await standing(committee, id)).reasons[0], 'material_change', JSON.stringify(facts))
    t.match(await standing(committee, id), { standing: 'lapsed' })
  }
})

t.test('R-51: small steps are measured together, from the last full review on', async (t) => {
  const { id } = await approved(committee)
  const wayOf = async () => (await ask(committee, id)).body
  const steps: [object, string, string[]][] = [
    [{ title: 'Triage of claims, by urgency' }, 'minor', ['legal']],
    [{ stage: 'pilot' }, 'adaptive', ['risk']],
    [{ benefits: 'Saves an hour' }, 'adaptive', ['risk']],
    [{ channels: ['phone'] }, 'adaptive', ['risk']],
  ]
  for (const [facts, route, who] of steps) {
    await revise(committee, id, facts)
    const review = await wayOf()
    t.match(review, { route })
    const decision = await all(
      committee,
      review.id,
      who.map((seat) => [seat as 'risk', 'approve']),
    )
    t.match(decision, { outcome: 'approved', basisVersion: 1 })
  }
  await revise(committee, id, { purpose: 'Pays claims' })
  const full = await wayOf()
  t.match(full, { route: 'full', sinceVersion: 5 })
  await all(committee, full.id, [
    ['legal', 'approve'],
    ['risk', 'approve'],
  ])
  await revise(committee, id, { title: 'Payment of claims' })
  t.match(await wayOf(), { route: 'minor', sinceVersion: 6 }, 'a full review begins anew')
})

t.test('R-51: what was changed and changed back is no difference', async (t) => {
  const { id } = await approved(committee)
  await revise(committee, id, { purpose: 'Pays claims' })
  await revise(committee, id, { purpose: 'Sorts claims by how urgent they are' })
  t.match(await standing(committee, id), { standing: 'lapsed' })
  const { body: review } = await ask(committee, id)
  t.match(review, { route: 'minor' })
  t.equal((await vote(committee, review.id, 'legal', 'approve')).body.decision.outcome, 'approved')
  t.match(await standing(committee, id), { standing: 'cleared', reasons: [] })
})

t.test('R-51: what asks for more than an approval takes the full lane', async (t) => {
  const { id, decision } = await approvedWith(committee, [{ type: 'limit', on: 'channel', values: ['mail'] }])
  const [{ id: conditionId }] = (await riskOwner.get(`/v1/use-cases/${id}/conditions`)).body.items
  for (const asks of [{ lowerTierTo: 'minimal' }, { waives: [conditionId] }, { supersedesId: decision.id }]) {
    const { body: review } = await ask(committee, id, asks)
    t.match(review, { route: 'full', lane: { id: 'limited' }, asks })
    await riskOwner.post(`/v1/reviews/${review.id}/withdrawal`, { reason: 'not now' })
  }
  t.match((await ask(committee, id)).body, { route: 'minor', lane: { id: 'limited-minor' } })
})

t.test(
  'R-22: a condition that policy imposes since the round opened stands against its approval',
  async (t) => {
    const { id } = await register(committee)
    const reviewId = await submit(committee, id)
    await vote(committee, reviewId, 'legal', 'approve')
    const stricter = withOverlay(policies, {
      id: 'OV-99',
      when: { tiers: ['limited'] },
      because: 'Whoever is called is told so.',
      add: { conditions: ['callers-know'] },
    })
    const ballot = {
      seat: 'risk',
      choice: 'approve',
      rationale: 'as discussed',
      conditions: [] as never[],
    } as const
    const { decision } = await act(committee, seats.risk, (tx) => castVote(tx, stricter, reviewId, ballot))
    t.match(decision, {
      outcome: 'changes_requested',
      reason: 'the policy in force asks for more than this review did; submit it again',
      conditions: [],
    })
  },
)

t.test('R-94: what an overlay imposes comes with the approval, whatever the votes say', async (t) => {
  const overlaid = withOverlay(policies, {
    id: 'OV-99',
    when: { tiers: ['limited'] },
    because: 'Whoever is called is told so.',
    add: { conditions: ['callers-know'], quorum: 1, validForDays: 90, environments: ['staging'] },
  })
  const strict = await startCommittee(t, {}, overlaid)
  const { id } = await register(strict)
  const { body: review } = await ask(strict, id)
  t.match(review, {
    needed: 3,
    overlays: [{ id: 'OV-99', because: 'Whoever is called is told so.' }],
    lane: { validForDays: 90, environments: ['staging'] },
  })
  const decision = await all(strict, review.id, [
    ['legal', 'approve'],
    ['business', 'approve'],
    ['risk', 'approve'],
  ])
  t.match(decision, {
    outcome: 'approved_with_conditions',
    overlays: [{ id: 'OV-99' }],
    environments: ['staging'],
    validUntil: addDays(START, 90),
    conditions: [{ pattern: 'callers-know', beforeDeploy: true, ownerId: strict.businessOwner.id }],
  })
  t.match(await standing(strict, id), { standing: 'cleared_with_conditions' })

  await t.test('R-94: in a short lane, too, and nothing twice', async (t) => {
    const { body: again } = await ask(strict, id)
    t.match(again, { route: 'minor', needed: 2, overlays: [{ id: 'OV-99' }] })
    const decision = await all(strict, again.id, [
      ['legal', 'approve'],
      ['risk', 'approve'],
    ])
    t.equal(decision.conditions.length, 1)
  })

  await t.test('R-53, R-94: nor beside the same condition of a precedent', async (t) => {
    const precedentId = (await standing(strict, id)).decisionId
    const { body: shortly } = await ask(strict, (await register(strict)).id, { precedentId })
    t.equal(shortly.status, 409, 'which was renewed in a short lane')
    const cited = await register(strict, { title: 'Triage of claims in Ohio' })
    const full = await all(strict, (await ask(strict, cited.id)).body.id, [
      ['legal', 'approve'],
      ['business', 'approve'],
      ['risk', 'approve'],
    ])
    const { id: follower } = await register(strict, { title: 'Triage of claims in Iowa' })
    const { body: review } = await ask(strict, follower, { precedentId: full.id })
    const decision = await all(strict, review.id, [
      ['compliance', 'approve'],
      ['risk', 'approve'],
    ])
    t.match(decision, {
      outcome: 'approved_with_conditions',
      precedentId: full.id,
      conditions: [{ pattern: 'callers-know', ownerId: strict.businessOwner.id }],
    })
    t.equal(decision.conditions.length, 1)
  })
})

t.test('R-53: a precedent saves nothing', async (t) => {
  const follow = async (precedentId: string) => {
    const { id } = await register(committee, { title: 'Triage of claims in Iowa' })
    return () => ask(committee, id, { precedentId })
  }
  const decisionOf = async (useCase: { standing: { decisionId: string } }) => useCase.standing.decisionId

  await t.test('when whoever cites it may not read it', async (t) => {
    const sales = await committee.unit('sales')
    const owners = {
      business: await committee.person('Sal', { rights: ['business_owner'], unitId: sales }),
      risk: await committee.person('Sam', { rights: ['risk_owner'], unitId: sales }),
    }
    const cited = await decisionOf(await approved(committee))
    const { body: useCase } = await owners.business.post('/v1/use-cases', {
      ...{ title: 'Triage of leads', purpose: 'Sorts leads', orgUnitId: sales },
      ...{ businessOwnerId: owners.business.id, riskOwnerId: owners.risk.id, answers: answersFor.limited },
    })
    const cite = async () => {
      const place = `/v1/use-cases/${useCase.id}`
      return await owners.risk.post(
        `${place}/reviews`,
        { precedentId: cited },
        ifMatch(await owners.risk.get(place)),
      )
    }
    await refuses(t, committee, cite, { status: 404, detail: /no such decision/ })
  })

  await t.test('when what would follow it was blocked', async (t) => {
    const cited = await decisionOf(await approved(committee, { title: 'Triage of claims in Ohio' }))
    const { id } = await register(committee, { title: 'Triage of claims in Iowa' })
    await vote(committee, await submit(committee, id), 'risk', 'block')
    await refuses(t, committee, () => ask(committee, id, { precedentId: cited }), {
      status: 409,
      detail: /block/,
    })
    t.same((await riskOwner.get(`/v1/use-cases/${id}/next-review`)).body.precedents, [])
  })

  await t.test('when there is none', async (t) => {
    await refuses(t, committee, await follow('0199d5a2-0000-7000-8000-000000000000'), {
      status: 404,
      detail: /no such decision/,
    })
  })

  const against: [string, (id: string) => Promise<unknown>][] = [
    ['suspended', (id) => riskOwner.post(`/v1/use-cases/${id}/suspensions`, { reason: 'a complaint' })],
    [
      'retired',
      async (id) => {
        const place = `/v1/use-cases/${id}`
        await riskOwner.post(`${place}/retirement`, { reason: 'over' }, ifMatch(await riskOwner.get(place)))
      },
    ],
    ['lapsed', (id) => revise(committee, id, { purpose: 'Pays claims' })],
    [
      'blocked',
      async (id) => {
        const { body } = await ask(committee, id, {
          supersedesId: (await standing(committee, id)).decisionId,
        })
        await vote(committee, body.id, 'risk', 'block')
      },
    ],
  ]
  for (const [what, happens] of against) {
    await t.test(`when it is ${what}`, async (t) => {
      const useCase = await approved(committee, { title: 'Triage of claims in Ohio' })
      await happens(useCase.id)
      await refuses(t, committee, await follow(await decisionOf(useCase)), {
        status: 409,
        detail: `${useCase.key} is no precedent here: that approval is not in force; submit it without a precedent, or cite another`,
      })
    })
  }

  await t.test('when what it was approved on is overdue', async (t) => {
    const { id, decision } = await approvedWith(committee, [
      { type: 'obligation', text: 'A report.', satisfiedBy: 'test_report', dueInDays: 5 },
    ])
    clock.at = addDays(START, 5)
    t.match(await standing(committee, id), { standing: 'lapsed' })
    await refuses(t, committee, await follow(decision.id), { status: 409, detail: /is not in force/ })
  })

  await t.test('when a later decision took its place', async (t) => {
    const useCase = await approved(committee)
    const { body } = await ask(committee, useCase.id)
    await vote(committee, body.id, 'legal', 'approve')
    await refuses(t, committee, await follow(await decisionOf(useCase)), {
      status: 409,
      detail: /is not in force/,
    })
  })

  await t.test('when it was no approval', async (t) => {
    const { id } = await register(committee)
    const decision = await all(committee, await submit(committee, id), [['risk', 'request_changes']])
    await refuses(t, committee, await follow(decision.id), { status: 409, detail: /is not in force/ })
  })
})

t.test(
  'R-26: with a lower tier asked for, what is prohibited is lowered or blocked, and nothing between',
  async (t) => {
    const { id } = await register(committee, { answers: answersFor.prohibited })
    const { body: review } = await ask(committee, id, { lowerTierTo: 'limited' })
    const conditions = [{ type: 'limit', on: 'channel', values: ['mail'] } satisfies Proposal]
    await refuses(t, committee, () => say(seats.risk, review.id, { seat: 'risk', conditions }), {
      status: 422,
      detail: 'a prohibited use case cannot be approved with conditions; block it or request changes',
    })
    const decision = await all(committee, review.id, [['legal', 'block']])
    t.match(decision, { outcome: 'blocked', loweredTier: null })
    t.match(await see(committee, id), {
      tier: { effective: 'prohibited', lowered: null },
      standing: { standing: 'blocked' },
    })

    await t.test(
      'R-26: and what was blocked stays so until it is approved as what it was lowered to',
      async (t) => {
        const { body: again } = await ask(committee, id, { lowerTierTo: 'limited' })
        t.match(
          await all(committee, again.id, [
            ['legal', 'approve'],
            ['risk', 'approve'],
          ]),
          { outcome: 'changes_requested', loweredTier: 'limited' },
        )
        t.match(await see(committee, id), {
          tier: { effective: 'limited' },
          standing: { standing: 'blocked' },
        })
        t.same(
          (await riskOwner.get(`/v1/gate?useCase=${id}&environment=production`)).body.reasons.map(
            ({ code }: { code: string }) => code,
          ),
          ['blocked'],
        )
        const { body: last } = await ask(committee, id)
        await all(committee, last.id, [
          ['legal', 'approve'],
          ['risk', 'approve'],
        ])
        t.match(await standing(committee, id), { standing: 'cleared' })
        t.equal((await riskOwner.get(`/v1/gate?useCase=${id}&environment=production`)).body.decision, 'allow')
      },
    )

    await t.test(
      'R-14: any answer that changes brings the prohibition back, and ends the approval',
      async (t) => {
        await revise(committee, id, { answers: { ...answersFor.prohibited, personal_data: 'personal' } })
        t.match(await see(committee, id), { tier: { effective: 'prohibited', lowered: null } })
        t.match(await standing(committee, id), {
          standing: 'lapsed',
          reasons: ['material_change', 'tier_raised'],
        })
      },
    )
  },
)
