// Every door of the API, tried by everybody: the routes are those that the running service documents.
import t, { type Test } from 'tap'
import { v7 as newId } from 'uuid'
import { roles } from '../../src/auth/principal.js'
import { ROOT_UNIT_ID } from '../../src/ids.js'
import type { Answer, Person } from '../app.js'
import { approved, register, startCommittee, submit } from '../committee.js'
import { approvedWith, report } from '../conditions/world.js'
import { everyRow } from '../unchanged.js'

const committee = await startCommittee(t, {
  ASSENT_SIGN_IN_FAILURE_LIMIT: '100000',
  ASSENT_GATE_RATE_LIMIT: '1000000',
})
const { owner, riskOwner, unitId } = committee
const admin = await committee.person('Ann', { rights: ['administrator'] })
const json = { 'content-type': 'application/json' }
const formType = { 'content-type': 'multipart/form-data; boundary=x' }
const known = await makeOneOfEach()

interface Operation {
  id: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'
  path: string
  isPublic: boolean
  bodyType: string | undefined
}

const operations = listOperations()
const guarded = operations.filter(({ isPublic }) => !isPublic)

/** A body for each operation that takes one, good enough to get past its schema. */
const samples: Record<string, object> = {
  acceptInvitation: { key: 'assent_key_x' },
  assessControls: {
    assessments: [{ catalog: 'nist-ai-rmf', version: '1.0', category: 'GOVERN 1', state: 'planned' }],
  },
  applyPolicy: { policy: committee.policies.digest },
  askGate: { useCase: known.useCase, environment: 'production' },
  attachLink: {
    ...{ kind: 'test_report', title: 'Board', url: 'https://reports.example/board' },
    statement: 'All cases, by day',
  },
  attachAttestation: { kind: 'test_report', title: 'Tests', statement: 'All passed' },
  bindPipeline: { personId: known.machine },
  chooseMyNotices: { mail: false },
  copyProfile: { fromUseCaseId: known.useCase },
  createWebhook: { name: 'Risk system', url: 'https://risk.example/hooks', orgUnitId: unitId },
  castVote: { seat: 'risk', choice: 'approve', rationale: 'as discussed' },
  closeIncident: { learned: 'Passages with numbers are read twice' },
  continueIncident: { text: 'Found the cause', severity: 'minor' },
  closeBreakGlass: { reason: 'the fix is out' },
  createOrgUnit: { key: 'new-unit', name: 'New', parentId: unitId },
  createServiceAccount: { name: 'deploy' },
  delegateSeats: { toId: known.person, endsAt: '2026-03-08T09:00:00Z', reason: 'away for a week' },
  endMembership: { reason: 'left' },
  extendLegalHold: { objects: [{ evidenceId: known.evidence }] },
  extendRetention: { retainUntil: '2040-01-01T00:00:00Z', reason: 'an examination' },
  grantRight: { kind: 'role', name: 'risk_owner', orgUnitId: unitId },
  handOver: { toRiskOwnerId: committee.businessOwner.id, useCaseIds: [known.useCase], reason: 'moves on' },
  invitePerson: { name: 'Ines', email: 'ines@example.com', proof: { keyDigest: 'a'.repeat(64) } },
  issueToken: { name: 'deploy', expiresInDays: 30 },
  judgeDisposal: { verdict: 'confirmed', reason: 'looked at it' },
  judgeShortening: { verdict: 'rejected', reason: 'still needed' },
  judgeEvidence: { verdict: 'accepted', note: 'fine' },
  liftLegalHold: { reason: 'settled' },
  liftSuspension: { reason: 'mended' },
  meetCondition: { evidenceId: known.evidence, note: 'as agreed' },
  mapImport: { profile: committee.policies.importProfiles[0] },
  openBreakGlass: { environment: 'production', reason: 'the portal is down', hours: 8 },
  placeLegalHold: {
    ...{ key: '2026-A', title: 'A suit', reason: 'a customer sues', orgUnitId: unitId },
    objects: [{ useCaseId: known.useCase }],
  },
  proposeDisposal: { evidenceIds: [known.evidence], reason: 'its time is over' },
  proposeShortening: { retainUntil: '2026-03-20T00:00:00Z', reason: 'not needed' },
  raiseTier: { tier: 'high', reason: 'to be safe' },
  reassignCondition: { ownerId: committee.businessOwner.id, reason: 'moved on' },
  registerSystem: { key: 'chat', name: 'Chat', kind: 'agent', vendor: null, description: '' },
  registerUseCase: {
    title: 'Letters',
    purpose: 'Rewrites letters',
    orgUnitId: unitId,
    answers: { customer_facing: 'yes' },
    systemIds: [known.system],
    tags: ['letters'],
    riskOwnerId: riskOwner.id,
  },
  renewMyToken: { name: 'laptop', expiresInDays: 30 },
  reportIncident: {
    title: 'A wrong letter',
    description: 'It named a discount that we do not give',
    severity: 'minor',
    occurredAt: '2026-02-28T09:00:00Z',
  },
  retireUseCase: { reason: 'replaced' },
  reviewBreakGlass: { verdict: 'justified', note: 'one deploy' },
  reviseOrgUnit: { name: 'Renamed', parentId: ROOT_UNIT_ID },
  revisePerson: { name: 'Renamed', email: null },
  reviseSystem: { name: 'Renamed', vendor: null, description: 'Other' },
  reviseUseCase: { facts: { benefits: 'Saves time', answers: { autonomy: null } }, reason: 'as it is' },
  releaseFromLegalHold: { reason: 'not needed for it' },
  replayWebhook: { since: '2026-03-01T00:00:00Z' },
  rotateWebhookSecret: { overlapHours: 0 },
  revokeGrant: { reason: 'moved on' },
  shareEvidence: { useCaseId: known.useCase },
  signInFirst: { code: 'assent_first_x', name: 'Eve' },
  submitUseCase: { note: 'please' },
  suspendUseCase: { reason: 'it names prices' },
  tryTier: { answers: { customer_facing: 'yes' }, channels: ['phone'] },
  withdrawReview: { reason: 'too early' },
}

t.test('the doors that stand open to everybody are these', async (t) => {
  const open = operations.filter(({ isPublic }) => isPublic).map(({ id }) => id)
  t.same(open.sort(), ['acceptInvitation', 'readHealth', 'readMetrics', 'readReadiness', 'signInFirst'])
  const bodies = operations.filter(({ bodyType }) => bodyType === 'application/json').map(({ id }) => id)
  t.same(bodies.filter((id) => !(id in samples)).sort(), [], 'add a sample of the body of these')
  t.same(
    Object.keys(samples).filter((id) => !bodies.includes(id)),
    [],
    'remove these samples',
  )
})

t.test('without signing in nobody gets through any other', async (t) => {
  await walk(t, { changesNothing: true }, async (check) => {
    for (const operation of guarded) {
      for (const authorization of ['', 'Bearer assent_sk_nonsense', 'Basic YTpi', 'Bearer a.b.c']) {
        const answer = await knock(operation, authorization ? { authorization } : {})
        check(answer, [401], `${operation.id} with "${authorization}"`)
      }
    }
  })
})

/** Where everybody who works here may look; what lies there is hidden from nobody. */
const inPlainSight = /^\/v1\/(catalogs|org-units|systems)\//

t.test('what lies in another unit does not exist, whatever one wants of it', async (t) => {
  const elsewhere = await committee.unit('elsewhere')
  const strangers: [string, Person][] = [['nobody', await committee.person('Nia', { rights: [] })]]
  for (const role of roles) {
    const kind = role === 'pipeline' ? 'service' : 'human'
    strangers.push([role, await committee.person(role, { rights: [role], unitId: elsewhere, kind })])
  }
  await walk(t, { changesNothing: true }, async (check) => {
    for (const operation of guarded.filter(({ path }) => path.includes('{') && !inPlainSight.test(path))) {
      for (const [name, stranger] of strangers) {
        if (operation.path.startsWith('/v1/people/') && (await seesPeople(stranger))) continue
        const hidden = await knock(operation, as(stranger))
        const missing = await knock(operation, as(stranger), { ids: nowhere })
        check(hidden, [404], `${operation.id} as ${name}`)
        check(missing, [404], `${operation.id} of nothing as ${name}`)
        t.equal(hidden.body.detail, missing.body.detail, `${operation.id} tells ${name} nothing`)
      }
    }
  })
})

t.test('no broken body gets past the door, and none breaks it', async (t) => {
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  await walk(t, { changesNothing: true }, async (check) => {
    for (const operation of operations.filter(({ bodyType }) => bodyType === 'application/json')) {
      const sample = JSON.stringify(samples[operation.id])
      for (const payload of [
        ...['', '{', 'null', '[]', '"text"', '0', sample.slice(0, -2), '{"a":1,"a":2}', '\u0000', deep],
        `{"__proto__":{"admin":true},${sample.slice(1)}`,
        `{"constructor":{"prototype":{"admin":true}},${sample.slice(1)}`,
        `{"unheardOf":true,${sample.slice(1)}`,
        Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
      ]) {
        const answer = await knock(operation, { ...as(admin), ...json }, { payload })
        check(answer, [400, 422], `${operation.id} with ${String(payload).slice(0, 40)}`)
      }
      const csv = { ...as(admin), 'content-type': 'text/csv' }
      check(await knock(operation, csv, { payload: sample }), [415], `${operation.id} with text/csv`)
    }
  })
})

t.test('no id and no query breaks it', async (t) => {
  const ids = ['x', '%00', '..%2f..', 'UC-0', 'UC-99999999999999999999', "';--", '0'.repeat(99)]
  const queries = ['unheardOf=1', 'limit=0', 'limit=x', 'cursor=%00', 'cursor=e30.AAAA', 'limit=1&limit=2']
  await walk(t, {}, async (check) => {
    for (const operation of guarded) {
      for (const id of operation.path.includes('{') ? ids : []) {
        check(await knock(operation, as(admin), { ids: () => id }), [404, 422], `${operation.id} of ${id}`)
      }
      for (const query of queries) {
        const answer = await knock(operation, as(admin), { query: `?${query}` })
        check(answer, [404, 409, 422], `${operation.id}?${query}`)
      }
    }
  })
})

t.test('no value in any field breaks it', async (t) => {
  const oddities = [
    ...[
      null,
      true,
      0,
      -1,
      1e308,
      '',
      ' ',
      'x'.repeat(50_000),
      '\u0000',
      '\ud800',
      '🦉',
      "'; drop table person;--",
    ],
    ...[[], [null], [[]], {}, { $ne: null }, '2026-02-30T00:00:00Z', 'UC-1', newId()],
  ]
  await walk(t, {}, async (check) => {
    for (const operation of operations.filter(({ id }) => id in samples)) {
      const sample = samples[operation.id] ?? {}
      for (const [field, odd] of Object.keys(sample).flatMap((name) =>
        oddities.map((value) => [name, value]),
      )) {
        const payload = JSON.stringify({ ...sample, [String(field)]: odd })
        for (const person of [riskOwner, admin]) {
          const answer = await knock(operation, { ...as(person), ...json }, { payload })
          check(answer, 'sound', `${operation.id} with ${field} = ${JSON.stringify(odd)?.slice(0, 40)}`)
        }
      }
    }
  })
})

t.test('nobody’s deed ends in an error of ours', async (t) => {
  await walk(t, {}, async (check) => {
    for (const role of [...roles, 'nobody']) {
      const kind = role === 'pipeline' ? 'service' : 'human'
      const rights = role === 'nobody' ? [] : [role]
      for (const unit of [ROOT_UNIT_ID, unitId]) {
        const person = await committee.person(role, { rights, unitId: unit, kind })
        for (const operation of guarded) {
          check(await knock(operation, as(person)), 'sound', `${operation.id} as ${role} of ${unit}`)
        }
      }
    }
  })
})

type Check = (answer: Answer, statuses: number[] | 'sound', what: string) => void

/** Goes through many doors and tells every fault at the end. */
async function walk(
  t: Test,
  { changesNothing = false },
  through: (check: Check) => Promise<void>,
): Promise<void> {
  const before = await everyRow(owner)
  const faults: unknown[] = []
  let knocks = 0
  await through((answer, statuses, what) => {
    knocks += 1
    const isExpected = statuses === 'sound' ? answer.status < 500 : statuses.includes(answer.status)
    if (!isExpected || !isWellSaid(answer)) faults.push({ what, status: answer.status, body: answer.body })
  })
  t.ok(knocks > 100, `${knocks} knocks`)
  t.same(faults, [])
  if (changesNothing) t.same(await everyRow(owner), before, 'nothing changed')
}

/** A refusal is a problem (or an answer of the gate), and tells nothing of what is behind the door. */
function isWellSaid({ status, body, headers }: Answer): boolean {
  if (status < 400) return true
  const isProblem = String(headers['content-type']).startsWith('application/problem+json')
  const isTalkative = /\bat .*\.js:|select |insert into|postgres|node_modules|42P01/i.test(
    JSON.stringify(body),
  )
  return (
    (isProblem || 'decision' in body) && !isTalkative && (status !== 401 || 'www-authenticate' in headers)
  )
}

function as({ token }: Person): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

interface Knock {
  ids?: (path: string) => string
  payload?: string | Buffer
  query?: string
}

async function knock(
  { id, method, path, bodyType }: Operation,
  headers: Record<string, string>,
  { ids = here, payload, query = '' }: Knock = {},
): Promise<Answer> {
  const url = path.replace(/\{(\w+)\}/g, (_, name) =>
    name === 'version' ? '1' : name === 'personId' ? known.machine : ids(path),
  )
  const isForm = bodyType === 'multipart/form-data'
  const body = payload ?? (isForm ? formOf({ odd: '1' }, 'x') : samples[id])
  return await committee.ask({
    method,
    url: `${url}${query}`,
    headers: {
      'if-match': '"1"',
      ...(isForm && formType),
      ...headers,
    },
    ...(body !== undefined && method !== 'GET' && { payload: body }),
  })
}

/** A form of fields and then one file, as a browser sends it. */
function formOf(fields: Record<string, string>, file: string): string {
  const part = (words: string, content: string) =>
    `--x\r\ncontent-disposition: form-data; ${words}\r\n\r\n${content}\r\n`
  const parts = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value))
  return `${parts.join('')}${part('name="file"; filename="register.csv"', file)}--x--\r\n`
}

/** The id of a thing that is there, for a path that names one of its kind. */
function here(path: string): string {
  const ids: [string, string][] = [
    ['/v1/use-cases/', known.useCase],
    ['/v1/packages/use-cases/', known.useCase],
    ['/v1/reviews/', known.review],
    ['/v1/decisions/', known.decision],
    ['/v1/evidence/', known.evidence],
    ['/v1/legal-holds/', known.hold],
    ['/v1/retention-shortenings/', known.shortening],
    ['/v1/disposals/', known.disposal],
    ['/v1/conditions/', known.condition],
    ['/v1/exceptions/', known.exception],
    ['/v1/suspensions/', known.suspension],
    ['/v1/incidents/', known.incident],
    ['/v1/gate/answers/', known.gateAnswer],
    ['/v1/break-glass/', known.breakGlass],
    ['/v1/delegations/', known.delegation],
    ['/v1/people/', known.person],
    ['/v1/grants/', known.grant],
    ['/v1/tokens/', known.token],
    ['/v1/webhooks/', known.webhook],
    ['/v1/org-units/', unitId],
    ['/v1/systems/', known.system],
    ['/v1/imports/', known.imported],
    ['/v1/catalogs/', 'nist-ai-rmf'],
    ['/v1/events/', known.event],
  ]
  const found = ids.find(([prefix]) => path.startsWith(prefix))
  if (!found) throw new Error(`teach the walk of what ${path} is the path`)
  return found[1]
}

function nowhere(): string {
  return newId()
}

async function seesPeople(stranger: Person): Promise<boolean> {
  return (await stranger.get(`/v1/people/${known.person}`)).status === 200
}

/** One thing of each kind, in the unit `claims`; the use case is approved and in review again. */
async function makeOneOfEach() {
  const useCase = await approved(committee)
  const review = await submit(committee, useCase.id)
  const place = `/v1/use-cases/${useCase.id}`
  const decisions = await riskOwner.get(`${place}/decisions`)
  const attestation = { kind: 'test_report', title: 'Tests', statement: 'All passed' }
  const evidence = await riskOwner.post(`${place}/evidence`, attestation)
  const { conditionIds } = await approvedWith(committee, [report])
  const hold = await riskOwner.post('/v1/legal-holds', {
    ...{ key: '2026-W', title: 'A walk', reason: 'a suit', orgUnitId: unitId },
    objects: [{ evidenceId: evidence.body.id }],
  })
  const shorter = { retainUntil: '2026-03-20T00:00:00Z', reason: 'not needed' }
  const shortening = await riskOwner.post(`/v1/evidence/${evidence.body.id}/retention/shortenings`, shorter)
  const disposal = newId() // nobody could propose it yet
  await owner.query(`insert into disposal values ($1, $2, 'over', 'sha256:0', $3, now())`, [
    ...[disposal, useCase.id, riskOwner.id],
  ])
  await owner.query(`insert into disposal_piece values ($1, $2, $3, $4)`, [
    ...[disposal, useCase.id, evidence.body.id],
    {
      ...{ kind: 'test_report', form: 'attestation', digest: evidence.body.digest, size: 10, classes: [] },
      ...{ attachedAt: committee.clock.at, retainedUntil: committee.clock.at, decisionIds: [] },
    },
  ])
  const suspension = await riskOwner.post(`${place}/suspensions`, { reason: 'it names prices' })
  const incident = await riskOwner.post(`${place}/incidents`, {
    title: 'A wrong letter',
    description: 'It named a discount that we do not give',
    severity: 'minor',
    occurredAt: '2026-02-28T09:00:00Z',
  })
  const system = await riskOwner.post('/v1/systems', { key: 'claims-chat', name: 'Chat', kind: 'agent' })
  const machine = await admin.post('/v1/service-accounts', { name: 'pipeline' })
  const grant = await admin.post(`/v1/people/${machine.body.id}/grants`, {
    kind: 'role',
    name: 'pipeline',
    orgUnitId: unitId,
  })
  const token = await admin.post(`/v1/people/${machine.body.id}/tokens`, { name: 'deploy' })
  await riskOwner.post(`${place}/pipelines`, { personId: machine.body.id })
  const webhook = await admin.post('/v1/webhooks', {
    ...{ name: 'Risk system', url: 'https://risk.example/hooks', orgUnitId: unitId },
  })
  const other = await register(committee, { title: 'Another one' })
  const emergency = { environment: 'production', reason: 'the portal is down', hours: 8 }
  const breakGlass = await riskOwner.post(`/v1/use-cases/${other.id}/break-glass`, emergency)
  const gateAnswer = await riskOwner.post('/v1/gate/answers', { useCase: other.key, environment: 'staging' })
  const person = await committee.person('Per', { rights: [] })
  const standIn = await committee.person('Sia', { rights: [] })
  const away = { toId: standIn.id, endsAt: '2026-03-08T09:00:00Z', reason: 'away for a week' }
  const delegation = await committee.seats.security.post('/v1/delegations', away)
  const events = await owner.query('select id from audit_event where aggregate_id = $1', [useCase.id])
  const rows = formOf({ orgUnitId: unitId }, 'title,purpose\nLetters,Writes letters\n')
  const imported = await admin.post('/v1/imports', rows, formType)
  return {
    useCase: String(useCase.id),
    review,
    decision: String(decisions.body.items[0].id),
    evidence: String(evidence.body.id),
    condition: String(conditionIds[0]),
    hold: String(hold.body.id),
    shortening: String(shortening.body.id),
    disposal,
    exception: await exceptFrom(String(useCase.id), String(decisions.body.items[0].id)),
    suspension: String(suspension.body.id),
    incident: String(incident.body.id),
    system: String(system.body.id),
    machine: String(machine.body.id),
    grant: String(grant.body.id),
    token: String(token.body.token.id),
    webhook: String(webhook.body.webhook.id),
    gateAnswer: String(gateAnswer.body.id),
    breakGlass: String(breakGlass.body.id),
    person: person.id,
    delegation: String(delegation.body.id),
    imported: String(imported.body.id),
    event: String(events.rows[0]?.id),
  }
}

/** As if policy had required something, and this decision had excepted it. */
async function exceptFrom(useCaseId: string, decisionId: string): Promise<string> {
  const id = newId()
  await owner.query(
    `insert into exception (id, use_case_id, decision_id, ordinal, requirement, until, compensating, reason, granted_at)
      values ($1, $2, $3, 1, 'RQ-10', '2026-06-01', 'A clerk reads each', 'The tests are under way', '2026-03-01')`,
    [id, useCaseId, decisionId],
  )
  return id
}

function listOperations(): Operation[] {
  const { paths } = JSON.parse(JSON.stringify(committee.app.swagger()))
  return Object.entries<Record<string, Described>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, requestBody }]) => ({
      id: operationId,
      method: method.toUpperCase() as Operation['method'],
      path,
      isPublic: security?.length === 0,
      bodyType: Object.keys(requestBody?.content ?? {})[0],
    })),
  )
}

interface Described {
  operationId: string
  security?: unknown[]
  requestBody?: { content: object }
}
