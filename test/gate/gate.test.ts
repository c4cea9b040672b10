import t from 'tap'
import { v7 as newId } from 'uuid'
import { type Answer, type Person, startApp } from '../app.js'
import { APPROVED_UNTIL, approved, conditional, type Head, registered } from './register.js'

const clock = { at: '2026-11-21T09:00:00.000Z', now: () => clock.at }
const app = await startApp(t, { clock })
const pipeline = await app.person('Deploy', { kind: 'service', rights: ['pipeline'] })
const risk = await app.person('Rita Risk', { rights: ['risk_owner'] })
const auditor = await app.person('Ada Auditor', { rights: ['auditor'] })

const look = async (person: Person, useCase: string, environment = 'production', more = '') =>
  await person.get(`/v1/gate?useCase=${useCase}&environment=${environment}${more}`)
const codes = ({ body }: Answer) => body.reasons.map(({ code }: { code: string }) => code)
const kept = async () => (await app.owner.query('select count(*)::int as n from gate_answer')).rows[0].n
const eventsOf = async (id: string) =>
  (
    await app.owner.query('select leaf from audit_event where aggregate_id = $1 order by event_no', [id])
  ).rows.map(({ leaf }) => JSON.parse(leaf.toString()))

/** Retired last: no pipeline is bound to what has ended. */
async function bound({ retired_at, ...head }: Head = {}): Promise<{ id: string; key: string }> {
  const useCase = await registered(app, head)
  const answer = await risk.post(`/v1/use-cases/${useCase.id}/pipelines`, { personId: pipeline.id })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  if (retired_at)
    await app.owner.query('update use_case set retired_at = $2 where id = $1', [useCase.id, retired_at])
  return useCase
}

const past = '2026-11-01T00:00:00.000Z'

/** Each standing, why it denies, and whether an environment may turn that into a warning. */
const standings: [name: string, head: Head, reasons: string[], warns: boolean][] = [
  ['approved', approved, [], true],
  ['approved, under review again', { ...approved, open_review_id: newId() }, [], true],
  ['never reviewed', {}, ['unreviewed'], true],
  ['sent back', { last_outcome: 'changes_requested' }, ['changes_requested'], true],
  ['in review', { open_review_id: newId() }, ['in_review'], true],
  ['blocked', { block_id: newId(), last_outcome: 'blocked' }, ['blocked'], false],
  ['prohibited', { computed_tier: 'prohibited' }, ['prohibited', 'unreviewed'], false],
  [
    'raised to prohibited',
    { ...approved, raised_tier: 'prohibited', tier_raised_at: past },
    ['prohibited', 'tier_raised'],
    false,
  ],
  ['retired', { retired_at: past }, ['retired'], true],
  ['expired', { ...approved, valid_until: past }, ['expired'], true],
  ['changed', { ...approved, first_material_change_at: past }, ['material_change'], true],
  ['raised', { ...approved, raised_tier: 'high', tier_raised_at: past }, ['tier_raised'], true],
  ['approved with conditions', conditional, [], true],
  ['with a condition that is due', { ...conditional, next_due_at: past }, ['condition_overdue'], true],
  ['with a condition to meet first', { ...conditional, before_deploy_open: true }, ['condition_unmet'], true],
  ['suspended', { ...approved, suspended_at: past }, ['suspended'], false],
  ['suspended in review', { open_review_id: newId(), suspended_at: past }, ['suspended', 'in_review'], false],
  [
    'suspended and lapsed',
    { ...approved, suspended_at: past, valid_until: past },
    ['suspended', 'expired'],
    false,
  ],
  ['approved by nobody', { ...approved, approval_id: newId() }, ['evaluation_error'], false],
  ['approved for ever', { ...approved, valid_until: null }, ['evaluation_error'], false],
  [
    'lapsed in every way',
    {
      ...conditional,
      environments: ['pilot'],
      limits: [
        { on: 'channel', values: ['phone'] },
        { on: 'environment', values: ['pilot'] },
      ],
      valid_until: past,
      first_material_change_at: past,
      tier_raised_at: past,
      next_due_at: past,
      before_deploy_open: true,
    },
    [
      ...['expired', 'material_change', 'tier_raised', 'condition_overdue', 'condition_unmet'],
      ...['environment_not_covered', 'limit_not_stated'],
    ],
    true,
  ],
  [
    'wrong in every way',
    { ...approved, retired_at: past, block_id: newId(), computed_tier: 'prohibited', valid_until: past },
    ['retired', 'blocked', 'prohibited', 'expired'],
    false,
  ],
]

for (const [name, head, reasons, warns] of standings) {
  t.test(
    `${name}: ${reasons.join(', ') || 'cleared'}, with every reason, as each environment wants it`,
    async (t) => {
      const { id, key } = await bound(head)
      for (const [environment, mode] of [
        ['production', 'enforce'],
        ['staging', 'warn'],
        ['lab', 'enforce'],
      ] as const) {
        const wouldBe = reasons.length === 0 ? 'allow' : 'deny'
        const enforced = mode === 'enforce' || (!warns && wouldBe === 'deny')
        const decision = enforced ? wouldBe : 'allow'
        const asked = { useCase: key, environment }
        for (const answer of [
          await look(pipeline, key, environment),
          await pipeline.post('/v1/gate/answers', asked),
        ]) {
          t.equal(answer.status, decision === 'allow' ? 200 : 409, `${name} in ${environment}`)
          t.equal(answer.headers['gate-decision'], decision)
          t.match(answer.body, {
            decision,
            enforced,
            wouldBe,
            useCase: key,
            useCaseId: id,
            version: 3,
            environment,
          })
          t.same(codes(answer), reasons.length === 0 ? [answer.body.standing] : reasons)
          t.equal(answer.body.validUntil === null, decision === 'deny')
          t.equal(answer.body.policyDigest, app.policies.digest)
        }
      }
    },
  )
}

t.test('an approval counts until its last millisecond, and an answer no longer than it', async (t) => {
  const { key } = await bound(approved)
  clock.at = '2026-11-30T23:59:59.999Z'
  const last = await look(pipeline, key)
  t.match(last, { status: 200, body: { decision: 'allow', validUntil: APPROVED_UNTIL } })
  clock.at = APPROVED_UNTIL
  t.same(codes(await look(pipeline, key)), ['expired'])
  clock.at = '2026-11-21T09:00:00.000Z'
  t.equal((await look(pipeline, key)).body.validUntil, '2026-11-21T09:15:00.000Z')
})

t.test(
  'an approval holds in the places and channels that the use case states, if it states any',
  async (t) => {
    const stated = { jurisdictions: ['EU', 'US-NY', 'Global'], channels: ['Web', 'broker portal'] }
    const { key } = await bound({ ...approved, ...stated })
    const open = await bound(approved)
    const cases: [more: string, isWithin: boolean][] = [
      ['&jurisdiction=EU', true],
      ['&jurisdiction=de', true],
      ['&jurisdiction=DE-BY', true],
      ['&jurisdiction=US-NY', true],
      ['&jurisdiction=global', true],
      ['&jurisdiction=US', false],
      ['&jurisdiction=US-N', false],
      ['&jurisdiction=US-CA', false],
      ['&jurisdiction=CH', false],
      ['&jurisdiction=CN', false],
      ['&channel=web', true],
      ['&channel=Broker%20portal', true],
      ['&channel=phone', false],
      ['&jurisdiction=DE&channel=phone', false],
    ]
    for (const [more, isWithin] of cases) {
      const answer = await look(pipeline, key, 'production', more)
      t.equal(answer.status, isWithin ? 200 : 409, more)
      t.same(codes(answer), [isWithin ? 'cleared' : 'limit_exceeded'])
      t.equal((await look(pipeline, open.key, 'production', more)).status, 200, 'nothing is stated')
    }
    const beyond = { useCase: key, environment: 'production', jurisdiction: 'CN', channel: 'phone' }
    const denied = await pipeline.post('/v1/gate/answers', beyond)
    t.equal(denied.body.reasons.length, 1)
    t.match(
      denied.body.reasons[0].sentence,
      /jurisdictions EU, US-NY, Global, not CN and for the channels Web/,
    )
    const warned = await look(pipeline, key, 'staging', '&channel=phone')
    t.match(warned, { status: 200, body: { wouldBe: 'deny', reasons: [{ code: 'limit_exceeded' }] } })
  },
)

t.test('R-81: what is to be met before a deploy denies until it is met', async (t) => {
  const { id, key } = await bound({ ...conditional, before_deploy_open: true })
  const denied = await look(pipeline, key)
  t.match(denied, { status: 409, body: { standing: 'cleared_with_conditions' } })
  t.match(denied.body.reasons, [
    { code: 'condition_unmet', sentence: /before a deploy: meet it with evidence/ },
  ])
  await app.owner.query('update use_case set before_deploy_open = false where id = $1', [id])
  t.match(await look(pipeline, key), {
    status: 200,
    body: { reasons: [{ code: 'cleared_with_conditions', sentence: /^UC-\d+ is approved with conditions/ }] },
  })
})

t.test('R-64: a condition that falls due denies from that instant, and no answer outlasts it', async (t) => {
  const due = '2026-11-21T09:07:00.000Z'
  const { id, key } = await bound({ ...conditional, next_due_at: due })
  const ask = async () =>
    await pipeline.post(
      '/v1/gate/answers',
      { useCase: key, environment: 'production' },
      { 'idempotency-key': `due-${key}` },
    )
  const first = await ask()
  t.match(first, { status: 200, body: { validUntil: due } })
  t.match(first.body.reasons[0].sentence, 'due on 2026-11-21')
  const sooner = '2026-11-21T09:00:30.000Z'
  await app.owner.query('update use_case set next_due_at = $2 where id = $1', [id, sooner])
  t.match((await ask()).body, { validUntil: sooner }, 'one that is good for longer is not given again')
  await app.owner.query('update use_case set next_due_at = $2 where id = $1', [id, due])
  clock.at = '2026-11-21T09:06:59.999Z'
  t.equal((await look(pipeline, key)).status, 200)
  clock.at = due
  const denied = await look(pipeline, key)
  t.match(denied, { status: 409, body: { standing: 'lapsed' } })
  t.match(denied.body.reasons, [{ code: 'condition_overdue', sentence: /was due on 2026-11-21: meet it/ }])
  await app.owner.query('update use_case set next_due_at = null where id = $1', [id])
  t.equal((await look(pipeline, key)).status, 200, 'meeting it cures that')
  clock.at = '2026-11-21T09:00:00.000Z'
})

/** What an approval is limited to, where a question says it will go, and what it is told. */
const limited: [limits: Head['limits'], more: string, codes: string[], sentence?: RegExp][] = [
  [[{ on: 'channel', values: ['Phone', 'web'] }], '&channel=phone', []],
  [
    [{ on: 'channel', values: ['phone', 'web'] }],
    '&channel=chat',
    ['limit_exceeded'],
    /approved for the channels phone, web, not chat: /,
  ],
  [
    [{ on: 'channel', values: ['phone', 'web'] }],
    '',
    ['limit_not_stated'],
    /is limited to the channels phone, web: say with the question where/,
  ],
  [[{ on: 'jurisdiction', values: ['EU', 'US-NY'] }], '&jurisdiction=DE', []],
  [[{ on: 'jurisdiction', values: ['EU', 'US-NY'] }], '&jurisdiction=us-ny', []],
  [[{ on: 'jurisdiction', values: ['DE'] }], '&jurisdiction=EU', ['limit_exceeded']],
  [[{ on: 'jurisdiction', values: ['EU'] }], '&jurisdiction=Singapore', ['limit_exceeded']],
  [
    [{ on: 'jurisdiction', values: ['EU', 'US-NY'] }],
    '&jurisdiction=US',
    ['limit_exceeded'],
    /the jurisdictions EU, US-NY, not US: /,
  ],
  [[{ on: 'jurisdiction', values: ['EU'] }], '&channel=phone', ['limit_not_stated']],
  [[{ on: 'environment', values: ['pilot', 'Production'] }], '', []],
  [
    [{ on: 'environment', values: ['pilot', 'lab'] }],
    '',
    ['environment_not_covered'],
    /covers pilot, lab, not production: deploy within that/,
  ],
  [
    [
      { on: 'environment', values: ['pilot', 'production'] },
      { on: 'environment', values: ['pilot'] },
    ],
    '',
    ['environment_not_covered'],
    /covers pilot, not production/,
  ],
  [
    [
      { on: 'environment', values: ['pilot'] },
      { on: 'environment', values: ['lab'] },
    ],
    '',
    ['environment_not_covered'],
    /covers no environment, not production/,
  ],
  [
    [
      { on: 'jurisdiction', values: ['EU'] },
      { on: 'jurisdiction', values: ['DE', 'US'] },
    ],
    '&jurisdiction=DE',
    [],
  ],
  [
    [
      { on: 'jurisdiction', values: ['EU'] },
      { on: 'jurisdiction', values: ['DE', 'US'] },
    ],
    '&jurisdiction=FR',
    ['limit_exceeded'],
    /the jurisdictions DE, US, not FR: /,
  ],
  [
    [
      { on: 'jurisdiction', values: ['EU'] },
      { on: 'channel', values: ['phone'] },
    ],
    '&jurisdiction=US',
    ['limit_not_stated', 'limit_exceeded'],
  ],
  [[{ on: 'channel', values: [] }], '&channel=phone', ['limit_exceeded']],
  [[{ on: 'colour', values: ['red'] }], '', ['evaluation_error']],
]

t.test('R-82: every limit of the approval has to hold, and one that is left unstated denies', async (t) => {
  for (const [limits, more, expected, sentence] of limited) {
    const { key } = await bound({ ...conditional, limits })
    const answer = await look(pipeline, key, 'production', more)
    const name = `${JSON.stringify(limits)} asked with ${more || 'nothing'}`
    t.equal(answer.status, expected.length === 0 ? 200 : 409, name)
    t.same(codes(answer), expected.length === 0 ? ['cleared_with_conditions'] : expected, name)
    if (sentence) t.match(answer.body.reasons[0].sentence, sentence, name)
  }
})

t.test('R-82: the facts of the use case go on limiting beside the limits of its approval', async (t) => {
  const { key } = await bound({
    ...conditional,
    channels: ['phone', 'web'],
    limits: [{ on: 'channel', values: ['phone', 'chat'] }],
  })
  const at = async (channel: string) => await look(pipeline, key, 'production', `&channel=${channel}`)
  t.equal((await at('phone')).status, 200)
  for (const channel of ['web', 'chat', 'letter'])
    t.same(codes(await at(channel)), ['limit_exceeded'], channel)
  t.match(
    (await at('letter')).body.reasons[0].sentence,
    'the channels phone, web, not letter and for the channels phone, chat, not letter: ',
  )
})

t.test('an approval for some environments is none for the others, warned or not', async (t) => {
  const { key } = await bound({ ...approved, environments: ['staging'] })
  t.match(await look(pipeline, key, 'staging'), { status: 200, body: { wouldBe: 'allow', enforced: false } })
  t.match(await look(pipeline, key, 'production'), { status: 409, body: { decision: 'deny' } })
  t.same(codes(await look(pipeline, key, 'production')), ['environment_not_covered'])
  t.match(await look(pipeline, key, 'development'), {
    status: 200,
    body: { enforced: false, wouldBe: 'deny' },
  })
})

t.test('a version other than the current one is refused, the current one is not', async (t) => {
  const { key } = await bound(approved)
  t.equal((await look(pipeline, key, 'production', '&version=3')).status, 200)
  t.same(codes(await look(pipeline, key, 'production', '&version=2')), ['version_mismatch'])
  t.same(codes(await look(pipeline, key, 'production', '&version=4')), ['version_mismatch'])
})

t.test('a change counts at the next question', async (t) => {
  const { id, key } = await bound(approved)
  t.equal((await look(pipeline, key)).status, 200)
  await app.owner.query('update use_case set block_id = $2 where id = $1', [id, newId()])
  t.same(codes(await look(pipeline, key)), ['blocked'])
})

t.test('a pipeline asks for what it is bound to, wherever that lies, and is told so elsewhere', async (t) => {
  const [unitId, other] = [await app.unit('claims'), await app.unit('sales')]
  const ours = await app.person('Claims deploy', { kind: 'service', rights: ['pipeline'], unitId })
  const near = await registered(app, { ...approved, unitId })
  const far = await registered(app, { ...approved, unitId: other })
  t.same(codes(await look(ours, near.key)), ['pipeline_not_bound'])
  t.equal((await look(ours, far.key)).status, 404)

  for (const { id } of [near, far]) {
    t.match(await risk.post(`/v1/use-cases/${id}/pipelines`, { personId: ours.id }), {
      status: 201,
      body: { useCaseId: id, personId: ours.id, name: 'Claims deploy', boundBy: risk.id },
    })
  }
  t.equal((await look(ours, near.key)).status, 200, 'from the next request on')
  t.equal((await look(ours, far.key)).status, 200)
  t.match((await eventsOf(ours.id)).at(-1), { type: 'pipeline.bound', useCaseId: far.id, actor: risk.id })

  const again = await risk.post(`/v1/use-cases/${far.id}/pipelines`, { personId: ours.id })
  t.match(again, { status: 409, body: { detail: /bound to the use case already/ } })
  const listed = await risk.get(`/v1/use-cases/${far.key}/pipelines`)
  t.match(listed.body, { items: [{ personId: ours.id }], next: null })

  t.match(await risk.delete(`/v1/use-cases/${far.id}/pipelines/${ours.id}`), { status: 200 })
  t.equal((await look(ours, far.key)).status, 404)
  t.match((await eventsOf(ours.id)).at(-1), { type: 'pipeline.unbound', useCaseId: far.id })
  t.equal((await risk.delete(`/v1/use-cases/${far.id}/pipelines/${ours.id}`)).status, 404)
  t.equal((await eventsOf(ours.id)).length, 3, 'refusals changed nothing')
})

t.test('what is out of sight looks like what does not exist, and is kept as such', async (t) => {
  const unitId = await app.unit('service')
  const elsewhere = await app.person('Elsewhere', { kind: 'service', rights: ['pipeline'], unitId })
  const hidden = await registered(app, approved)
  const unknown = `UC-${Number(hidden.key.slice(3)) + 1_000_000}`
  const nobody = newId()
  const seen = (answer: Answer, asked: string) => {
    const { requestId: _requestId, id: _id, ...body } = answer.body
    const { 'x-request-id': _header, 'content-length': _length, date: _date, ...headers } = answer.headers
    return JSON.parse(JSON.stringify({ ...answer, body, headers }).replaceAll(asked, 'ASKED'))
  }
  const pairs = [
    [hidden.key, unknown],
    [hidden.id, nobody],
  ] as const
  for (const environment of ['production', 'staging']) {
    for (const [one, other] of pairs) {
      const looked = await look(elsewhere, one, environment)
      t.match(looked, {
        status: 404,
        body: { decision: 'deny', code: 'not_found', version: null, standing: null },
      })
      t.same(codes(looked), ['not_registered'])
      t.notOk('gate-decision' in looked.headers)
      t.same(seen(looked, one), seen(await look(elsewhere, other, environment), other))
      const asked = async (useCase: string) =>
        await elsewhere.post('/v1/gate/answers', { useCase, environment })
      const kept = await asked(one)
      t.same(seen(kept, one), seen(await asked(other), other))
      t.match(await eventsOf(kept.body.id), [
        { type: 'gate.answered', useCaseId: null, reasons: ['not_registered'] },
      ])
      t.equal((await elsewhere.get(`/v1/gate/answers/${kept.body.id}`)).status, 404)
    }
  }
})

t.test(
  'whoever may see but not ask is refused with the right, and people who may ask can look',
  async (t) => {
    const { key, id } = await bound(approved)
    const refused = await look(auditor, key)
    t.match(refused, { status: 403, body: { rule: /^DR-/, detail: /Auditors change nothing/ } })
    t.notOk('gate-decision' in refused.headers)
    t.match((await eventsOf(auditor.id)).at(-1), { type: 'access.denied', action: 'ask', subjectId: id })
    t.equal((await look(risk, key)).status, 200)
    t.equal(
      (await app.ask({ method: 'GET', url: `/v1/gate?useCase=${key}&environment=production` })).status,
      401,
    )
  },
)

t.test('only pipelines are bound, and only by those who may', async (t) => {
  const { id } = await registered(app, approved)
  const retired = await registered(app, { ...approved, retired_at: past })
  const idle = await app.person('Idle', { kind: 'service', rights: [] })
  const bind = async (personId: string, useCaseId = id) =>
    await risk.post(`/v1/use-cases/${useCaseId}/pipelines`, { personId })
  t.match(await bind(auditor.id), { status: 409, body: { detail: /people are not bound/ } })
  t.match(await bind(idle.id), { status: 409, body: { detail: /grant it the role first/ } })
  t.equal((await bind(newId())).status, 404)
  t.match(await bind(pipeline.id, retired.id), { status: 409, body: { detail: /is retired/ } })
  t.equal((await pipeline.post(`/v1/use-cases/${id}/pipelines`, { personId: pipeline.id })).status, 403)
  t.equal((await auditor.post(`/v1/use-cases/${id}/pipelines`, { personId: pipeline.id })).status, 403)
  t.same((await risk.get(`/v1/use-cases/${id}/pipelines`)).body.items, [])
})

t.test('a logged answer is kept as it was given, with one event', async (t) => {
  const { id, key } = await bound(approved)
  const question = {
    ...{ useCase: id, environment: 'production', jurisdiction: 'US-NY', channel: 'phone', version: 3 },
    artifacts: [`sha256:${'a'.repeat(64)}`],
    context: { repository: 'acme/claims', commit: 'c0ffee', run: '17' },
  }
  const { status, headers, body } = await pipeline.post('/v1/gate/answers', question)
  t.equal(status, 200)
  t.equal(headers.location, `/v1/gate/answers/${body.id}`)
  const record = await pipeline.get(`/v1/gate/answers/${body.id}`)
  t.notOk('gate-decision' in record.headers, 'a record is not an answer')
  t.same(record.body, { ...body, askedBy: pipeline.id, question: { ...question, acceptBreakGlass: false } })
  t.equal(body.useCase, key)
  const [event, ...others] = await eventsOf(body.id)
  t.match(event, { type: 'gate.answered', actor: pipeline.id, aggregate: { kind: 'gate_answer', no: 1 } })
  t.match(event, {
    useCaseId: id,
    environment: 'production',
    decision: 'allow',
    enforced: true,
    reasons: ['cleared'],
  })
  t.same(others, [])
  t.equal((await auditor.get(`/v1/gate/answers/${body.id}`)).status, 200)
  t.equal((await auditor.get(`/v1/gate/answers/${newId()}`)).status, 404)
})

t.test('looking leaves no trace', async (t) => {
  const { key } = await bound(approved)
  const before = await kept()
  t.equal((await look(pipeline, key)).status, 200)
  t.equal(await kept(), before)
})

t.test('a key gives the same answer again for a minute, and only while it holds', async (t) => {
  const { id, key } = await bound(approved)
  const ask = async (name: string, more = {}) =>
    await pipeline.post(
      '/v1/gate/answers',
      { useCase: key, environment: 'production', ...more },
      { 'idempotency-key': name },
    )
  const first = await ask('deploy-17')
  const again = await ask('deploy-17')
  t.same(again.body, first.body)
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.equal(again.headers['gate-decision'], 'allow')
  t.equal((await eventsOf(first.body.id)).length, 1)

  const other = await ask('deploy-17', { environment: 'staging' })
  t.match(other, { status: 409, body: { detail: /used for another question/ } })
  t.notOk('gate-decision' in other.headers, 'that is no answer')

  await app.owner.query('update use_case set block_id = $2 where id = $1', [id, newId()])
  const blocked = await ask('deploy-17')
  t.equal(blocked.status, 409, 'the allow of a moment ago is not replayed')
  t.same(codes(blocked), ['blocked'])
  t.not(blocked.body.id, first.body.id)
  t.equal((await ask('deploy-17')).body.id, blocked.body.id)

  clock.at = '2026-11-21T09:00:59.999Z'
  t.equal((await ask('deploy-17')).body.id, blocked.body.id)
  clock.at = '2026-11-21T09:01:00.000Z'
  t.not((await ask('deploy-17')).body.id, blocked.body.id)
  t.equal((await ask('deploy-17', { environment: 'staging' })).status, 409)
  clock.at = '2026-11-21T09:00:00.000Z'

  const people = [await app.person('Another', { kind: 'service', rights: ['pipeline'] }), pipeline]
  const ids = await Promise.all(
    people.map(async (person) => {
      const asked = { useCase: key, environment: 'production' }
      return (await person.post('/v1/gate/answers', asked, { 'idempotency-key': 'shared' })).body.id
    }),
  )
  t.equal(new Set(ids).size, 2, "a key is its owner's alone")
})

t.test('of many questions with one key at once, one is kept', async (t) => {
  const { key } = await bound(approved)
  const before = await kept()
  const asked = { useCase: key, environment: 'production' }
  const answers = await Promise.all(
    Array.from({ length: 8 }, () =>
      pipeline.post('/v1/gate/answers', asked, { 'idempotency-key': 'at-once' }),
    ),
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
  t.equal(await kept(), before + 1)
})

t.test('a question that is not one gets a sentence, and no answer', async (t) => {
  const { key } = await bound(approved)
  const before = await kept()
  const good = { useCase: key, environment: 'production' }
  const wrong: Record<string, unknown>[] = [
    { useCase: '' },
    { useCase: ' ' },
    { useCase: 'claims triage' },
    { useCase: 'UC-0' },
    { useCase: 'UC-1e3' },
    { useCase: undefined },
    { environment: '' },
    { environment: ' ' },
    { environment: 'Production' },
    { environment: 'production ' },
    { environment: undefined },
    { environment: 'production\u0000' },
    { environment: 'x'.repeat(61) },
    { jurisdiction: '' },
    { jurisdiction: ' ' },
    { channel: '' },
    { version: 0 },
    { version: 1.5 },
    { version: '' },
    { version: 2 ** 31 },
    { surprise: 1 },
  ]
  for (const change of wrong) {
    const question = { ...good, ...change }
    const asked = await pipeline.post('/v1/gate/answers', question)
    const pairs = Object.entries(question).filter(([, value]) => value !== undefined)
    const looked = await pipeline.get(
      `/v1/gate?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`,
    )
    for (const answer of [asked, looked]) {
      t.equal(answer.status, 422, JSON.stringify(change))
      t.notOk('gate-decision' in answer.headers || 'decision' in answer.body)
    }
  }
  for (const more of ['&version=0', '&artifact=sha1:00', '&artifact=', `&environment=staging`]) {
    t.equal((await look(pipeline, key, 'production', more)).status, 422, more)
  }
  t.equal(await kept(), before)
})

t.test('answers are counted by reason', async (t) => {
  const { body } = await app.ask({ method: 'GET', url: '/metrics' })
  t.match(body, /assent_gate_answers_total\{decision="deny",reason="blocked"\} \d+/)
  t.match(body, /assent_gate_answers_total\{decision="allow",reason="cleared"\} \d+/)
})
