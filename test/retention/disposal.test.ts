// R-108: disposal takes two people and leaves a certificate; and nobody else removes anything.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { checkPackage } from '../../src/cli/package/checking.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { newId } from '../../src/ids.js'
import { decideWith } from '../conditions/world.js'
import { filesIn } from '../evidence/world.js'
import { everyRow, refuses } from '../unchanged.js'
import {
  attach,
  dispose,
  eventsOf,
  judge,
  no,
  overdue,
  pass,
  propose,
  retire,
  startWorld,
  useCaseOf,
  yes,
} from './world.js'

const world = await startWorld(t)
const { riskOwner, businessOwner, auditor, administrator, seats, owner, folder, keeper } = world

t.test(
  'two people dispose of what is over: bytes, words and salts go, digest and certificate stay (R-108)',
  async (t) => {
    const { useCaseId, ids } = await overdue(world, ['the first report', 'the second report'])
    const word = await seats.risk.get(`/v1/disposal-candidates?useCase=${useCaseId}`)
    t.same(
      word.body.items.map(({ evidenceId }: { evidenceId: string }) => evidenceId),
      ids,
    )
    const before = (await riskOwner.get(`/v1/evidence/${ids[0]}`)).body
    const proposed = await propose(riskOwner, useCaseId, ids)
    t.match(proposed, {
      status: 201,
      body: { verdict: null, pieces: [{ classes: ['ordinary', 'decided'] }, {}] },
    })
    t.equal((await riskOwner.get(`/v1/evidence/${ids[0]}/content`)).status, 200, 'nothing went yet')
    const id = proposed.body.id
    await refuses(t, world, () => judge(riskOwner, id), { status: 403, rule: 'DR-120' })
    await refuses(t, world, () => riskOwner.get(`/v1/disposals/${id}/certificate`), { status: 409 })
    t.match(await judge(seats.legal, id), { status: 201, body: { verdict: { givenBy: seats.legal.id } } })

    const after = await riskOwner.get(`/v1/evidence/${ids[0]}`)
    const { digest, size, kind, verdict } = before
    const gone = {
      title: '',
      fileName: null,
      statement: null,
      state: 'disposed',
      counts: false,
      disposalId: id,
    }
    t.match(after.body, { digest, size, kind, verdict, ...gone })
    const content = await riskOwner.get(`/v1/evidence/${ids[0]}/content`)
    t.match(content, { status: 409, body: { detail: /was disposed of/ } })
    const { rows } = await owner.query(
      `select a.type, p.sealed from audit_event a left join audit_payload p on p.event_id = a.id
      where a.aggregate_id = $1 and a.type like 'evidence.%' order by a.event_no`,
      [useCaseId],
    )
    for (const { sealed } of rows.filter(({ type }) => type === 'evidence.attached')) t.equal(sealed, null)
    t.same((await eventsOf(world, useCaseId)).slice(-3), [
      ...['disposal.confirmed', 'evidence.disposed', 'evidence.disposed'],
    ])

    t.ok(filesIn(folder).includes(digest.slice('sha256:'.length)), 'bytes wait for the commit')
    pass(world, 1)
    await keeper.pass()
    t.notOk(filesIn(folder).includes(digest.slice('sha256:'.length)), 'and go after it')
    const certificate = await auditor.get(`/v1/disposals/${id}/certificate`)
    t.match(certificate.body, {
      proposed: { by: { name: 'Rui' } },
      confirmed: { by: { name: 'Lea' }, reason: yes.reason },
      policy: world.policies.digest,
      pieces: [{ digest, bytes: 'removed' }, { bytes: 'removed' }],
    })
    const paper = await auditor.get(`/v1/disposals/${id}/certificate?format=markdown`)
    t.match(paper.body, new RegExp(`Proposed by Rui.*\\n.*Confirmed by Lea[^]*${digest}`))
    await refuses(t, world, () => judge(seats.risk, id), { status: 409, detail: /was confirmed/ })
    await refuses(t, world, () => propose(riskOwner, useCaseId, ids), {
      status: 409,
      detail: /disposed of already/,
    })
    t.same((await riskOwner.get(`/v1/disposal-candidates?useCase=${useCaseId}`)).body.items, [])
  },
)

t.test('what was disposed of is in a package without its bytes, and the package is whole', async (t) => {
  const { useCaseId, ids } = await overdue(world, ['stays', 'goes'])
  const [stays = '', goes = ''] = ids
  await dispose(world, useCaseId, [goes])
  pass(world, 1)
  await keeper.pass()
  const everywhere = await world.person('Ava', { rights: ['auditor'] })
  const packed = await packageOf(everywhere, useCaseId)
  t.same(await findingsIn(packed), [])
  const lines = packed.toString('latin1').split('\n')
  const rowOf = (id: string) => lines.find((line) => line.includes(`"id":"${id}"`) && line.includes('"form"'))
  t.match(rowOf(goes), '"content":"disposed"')
  t.match(rowOf(stays), '"content":"kept"')
})

t.test('what somebody wrote into the database by hand has no event, and the package says so', async (t) => {
  const { useCaseId, ids } = await overdue(world, ['held'])
  const [piece = ''] = ids
  const about = { key: `M-${newId()}`, title: 'A matter', reason: 'counsel asked', orgUnitId: world.unitId }
  const held = await administrator.post('/v1/legal-holds', { ...about, objects: [{ evidenceId: piece }] })
  const everywhere = await world.person('Eli', { rights: ['auditor'] })
  t.same(await findingsIn(await packageOf(everywhere, useCaseId)), [])
  const [object] = held.body.objects
  await owner.query(
    `insert into legal_hold_release (object_id, added_by, released_by, released_at, reason)
      values ($1, $2, $3, $4, 'by hand')`,
    [object.id, administrator.id, riskOwner.id, world.clock.at],
  )
  const proposed = await propose(riskOwner, useCaseId, [piece])
  t.equal((await judge(riskOwner, proposed.body.id)).status, 403)
  t.equal(
    (await administrator.post(`/v1/legal-holds/${held.body.id}/lifting`, { reason: 'mine' })).status,
    403,
  )
  await owner.query(
    `insert into disposal_verdict (disposal_id, proposed_by, given_by, verdict, reason, given_at)
      values ($1, $2, $3, 'confirmed', 'by hand', $4)`,
    [proposed.body.id, riskOwner.id, seats.risk.id, world.clock.at],
  )
  await owner.query('update disposal set reason = $2 where id = $1', [proposed.body.id, 'another'])
  const packed = await packageOf(everywhere, useCaseId)
  for (const refused of [
    /"action":"judge","id":"[^"]+","kind":"Disposal"/,
    /"action":"lift","id":"[^"]+","kind":"LegalHold"/,
  ]) {
    t.match(packed.toString('latin1'), refused, 'what was refused comes along')
  }
  const found = await findingsIn(packed)
  t.match(found.map(({ code, where }) => `${code} ${where}`).sort(), [
    `EVENT_MISSING disposals.ndjson verdict on disposal ${proposed.body.id}`,
    `EVENT_MISSING holds.ndjson release ${object.id}`,
    `RECORD_MISMATCH disposals.ndjson disposal ${proposed.body.id}`,
  ])
})

async function packageOf({ token }: { token: string }, useCaseId: string): Promise<Buffer> {
  const headers = { authorization: `Bearer ${token}` }
  return (await world.app.inject({ url: `/v1/packages/use-cases/${useCaseId}`, headers })).rawPayload
}

async function findingsIn(bytes: Buffer) {
  const source = async function* () {
    yield bytes
  }
  return (await checkPackage(source())).findings
}

t.test('bytes that serve elsewhere stay until the last piece with them is gone', async (t) => {
  const first = await overdue(world, ['the same bytes'])
  const other = await useCaseOf(world)
  const shared = await attach(world, other, { bytes: 'the same bytes' })
  const [id = ''] = first.ids
  const disposalId = await dispose(world, first.useCaseId, [id])
  pass(world, 1)
  await keeper.pass()
  t.equal((await riskOwner.get(`/v1/evidence/${shared}/content`)).body, 'the same bytes')
  const { body } = await riskOwner.get(`/v1/disposals/${disposalId}/certificate`)
  t.match(body.pieces, [{ bytes: 'shared', bytesRemovedAt: null }])
  await retire(world, other)
  pass(world, 21)
  await dispose(world, other, [shared])
  const { digest } = (await riskOwner.get(`/v1/evidence/${shared}`)).body
  t.ok(await new FolderStore(folder).has(digest), 'a process that dies here leaves them to the next')
  pass(world, 1)
  await keeper.pass()
  t.notOk(await new FolderStore(folder).has(digest))

  const third = await useCaseOf(world)
  await t.rejects(attach(world, third, { bytes: 'the same bytes' }), /within the last hour/)
  pass(world, 1)
  const again = await attach(world, third, { bytes: 'the same bytes' })
  t.equal(
    (await riskOwner.get(`/v1/evidence/${again}/content`)).body,
    'the same bytes',
    'later they come anew',
  )
  await keeper.pass()
  t.equal((await riskOwner.get(`/v1/evidence/${again}/content`)).status, 200, 'and stay')
})

t.test('nothing goes that is kept, held, or rested on, whoever asks', async (t) => {
  const useCaseId = await useCaseOf(world)
  const older = await attach(world, useCaseId, { bytes: 'older' })
  const decision = await decideWith(world, useCaseId, [])
  t.match(decision.evidence, [{ id: older }])
  const newer = await attach(world, useCaseId, { bytes: 'newer' }, { supersedesId: older })
  const refused = await attach(world, useCaseId, { bytes: 'refused' }, { verdict: 'refused' })
  pass(world, 25)
  const propositions: [string, RegExp][] = [
    [older, /after its use case is retired/],
    [newer, /after its use case is retired/],
    [refused, /after its use case is retired/],
  ]
  for (const [id, detail] of propositions) {
    await refuses(t, world, () => propose(administrator, useCaseId, [id]), { status: 409, detail })
  }
  for (const id of [older, newer, refused]) {
    const shorter = { retainUntil: world.clock.at, reason: 'not needed' }
    const { body } = await riskOwner.post(`/v1/evidence/${id}/retention/shortenings`, shorter)
    t.equal((await seats.legal.post(`/v1/retention-shortenings/${body.id}/verdict`, yes)).status, 201)
  }
  pass(world, 1)
  await refuses(t, world, () => propose(administrator, useCaseId, [older]), {
    status: 409,
    detail: /rests on/,
  })
  await refuses(t, world, () => propose(administrator, useCaseId, [newer]), {
    status: 409,
    detail: /still count/,
  })
  t.same(
    (await riskOwner.get(`/v1/disposal-candidates?useCase=${useCaseId}`)).body.items.map(
      ({ evidenceId }: { evidenceId: string }) => evidenceId,
    ),
    [refused],
  )
  t.equal((await propose(administrator, useCaseId, [refused])).status, 201, 'what was refused may go')
  await refuses(t, world, () => propose(riskOwner, useCaseId, [newId()]), { status: 404 })
  await refuses(t, world, () => propose(auditor, useCaseId, [refused]), { status: 403, rule: 'DR-123' })
  await refuses(t, world, () => propose(businessOwner, useCaseId, [refused]), { status: 403 })
})

t.test('what changed since the proposal is looked at again when it is confirmed', async (t) => {
  const { useCaseId, ids } = await overdue(world, ['a piece'])
  const { body } = await propose(riskOwner, useCaseId, ids)
  const later = { retainUntil: '2029-01-01T00:00:00Z', reason: 'an examination was announced' }
  await seats.risk.post(`/v1/evidence/${ids[0]}/retention/extensions`, later)
  await refuses(t, world, () => judge(seats.legal, body.id), { status: 409, detail: /kept until 2029-01-01/ })
  t.match(await judge(seats.legal, body.id, no), { status: 201, body: { verdict: { verdict: 'rejected' } } })
  t.equal((await riskOwner.get(`/v1/evidence/${ids[0]}/content`)).status, 200)
  t.match((await eventsOf(world, useCaseId)).at(-1), 'disposal.rejected')
  const listed = await riskOwner.get('/v1/disposals?state=rejected')
  t.same(listed.body.items.map(({ id }: { id: string }) => id).includes(body.id), true)
})

t.test('of two people at once one disposes, and a hold comes before or after', async (t) => {
  const { useCaseId, ids } = await overdue(world, ['for two'])
  const { body } = await propose(riskOwner, useCaseId, ids)
  const both = await Promise.all([judge(seats.legal, body.id), judge(seats.risk, body.id)])
  t.same(both.map(({ status }) => status).sort(), [201, 409])

  for (const round of [1, 2, 3, 4]) {
    const { useCaseId, ids } = await overdue(world, [`raced ${round}`])
    const { body } = await propose(riskOwner, useCaseId, ids)
    const hold = {
      ...{ key: `race-${round}`, title: 'A race', reason: 'a suit', orgUnitId: world.unitId },
      objects: [{ useCaseId }],
    }
    const [held, disposed] = await Promise.all([
      seats.risk.post('/v1/legal-holds', hold),
      judge(seats.legal, body.id),
    ])
    t.equal(held.status, 201)
    const { state } = (await riskOwner.get(`/v1/evidence/${ids[0]}`)).body
    t.equal(state, disposed.status === 201 ? 'disposed' : 'available')
    const events = await eventsOf(world, useCaseId)
    const isFirst = events.indexOf('legal_hold.placed') < events.indexOf('evidence.disposed')
    t.notOk(isFirst && disposed.status === 201, 'what is held does not go')
  }
})

t.test('the database refuses whoever serves: early, held, alone, or without a disposal', async (t) => {
  const { useCaseId, ids } = await overdue(world, ['under attack', 'and kept'])
  const [id = ''] = ids
  const kept = await attach(world, await useCaseOf(world), { bytes: 'kept' })
  const attacker = new pg.Client(world.connections.appConnection)
  await attacker.connect()
  t.teardown(() => attacker.end())
  const before = await everyRow(owner)
  for (const statement of [
    ...[
      'delete from evidence',
      'delete from retention_floor',
      'delete from legal_hold_object',
      'truncate audit_payload',
    ],
    ...[
      'update retention_floor set retain_until = now()',
      'delete from evidence_disposal',
      'delete from disposal',
    ],
    ...[
      'update legal_hold set title = key',
      'delete from legal_hold',
      'delete from audit_event',
      'delete from stored_blob',
    ],
    ...['update evidence set digest = digest', 'update evidence_disposal set disposed_at = now()'],
    ...['alter table evidence disable row level security', 'drop policy evidence_erase on evidence'],
    ...['set session_replication_role = replica', 'update evidence set attached_at = now()'],
  ]) {
    await t.rejects(attacker.query(statement), { code: '42501' }, statement)
  }
  for (const statement of [
    `update evidence set title = '', file_name = null, disposed_at = now() where disposed_at is null`,
    'delete from audit_payload',
  ]) {
    t.equal((await attacker.query(statement)).rowCount, 0, statement)
  }
  t.same(await everyRow(owner), before, 'nothing changed')

  const proposing = async (evidenceId: string, useCase: string, [by, other]: [string, string]) => {
    const disposalId = newId()
    await attacker.query('begin')
    await attacker.query(`insert into disposal values ($1, $2, 'x', 'x', $3, '2021-01-01')`, [
      disposalId,
      useCase,
      by,
    ])
    await attacker.query('insert into disposal_piece values ($1, $2, $3, $4)', [
      disposalId,
      useCase,
      evidenceId,
      {},
    ])
    await attacker.query(`insert into disposal_verdict values ($1, $2, $3, 'confirmed', 'x', '2021-01-01')`, [
      ...[disposalId, by, other],
    ])
    await attacker.query(`insert into evidence_disposal values ($1, $2, 'confirmed', '2021-01-01')`, [
      ...[evidenceId, disposalId],
    ])
  }
  const rejected = async (
    t: Parameters<typeof refuses>[0],
    deed: Promise<unknown>,
    code: string,
    what: string,
  ) => {
    await t.rejects(deed, { code }, what)
    await attacker.query('rollback')
  }
  const { rows } = await owner.query('select use_case_id as id from evidence where id = $1', [kept])
  await rejected(t, proposing(id, useCaseId, [riskOwner.id, riskOwner.id]), '23514', 'alone')
  await rejected(t, proposing(kept, rows[0].id, [riskOwner.id, seats.legal.id]), '42501', 'before its time')
  await seats.risk.post('/v1/legal-holds', {
    ...{ key: 'attack', title: 'An attack', reason: 'a suit', orgUnitId: world.unitId },
    objects: [{ evidenceId: id }],
  })
  await rejected(t, proposing(id, useCaseId, [riskOwner.id, seats.legal.id]), '42501', 'under a hold')
  await proposing(ids[1] ?? '', useCaseId, [riskOwner.id, seats.legal.id])
  const halfway = `update evidence set disposed_at = '2021-01-01' where id = '${ids[1]}'`
  await rejected(t, attacker.query(halfway), '42501', 'half erased')
  t.equal((await riskOwner.get(`/v1/evidence/${id}`)).body.state, 'available')
})

t.test('the database takes no shorter retention from one person, nor below regulation', async (t) => {
  const useCaseId = await useCaseOf(world, { jurisdictions: ['DE'] })
  const id = await attach(world, useCaseId, { bytes: 'in the EU' })
  const attacker = new pg.Client(world.connections.appConnection)
  await attacker.connect()
  t.teardown(() => attacker.end())
  const next = async (change: Record<string, unknown>) => {
    const { rows } = await owner.query(
      'select * from retention_floor where evidence_id = $1 order by ordinal desc limit 1',
      [id],
    )
    const [last] = rows
    const earlier = {
      ...{
        earlier_ordinal: last.ordinal,
        earlier_until: last.retain_until,
        earlier_days: last.days_after_retirement,
      },
      ...{ earlier_policy_until: last.policy_until, earlier_policy_days: last.policy_days },
      ...{ earlier_regulatory_until: last.regulatory_until, earlier_regulatory_days: last.regulatory_days },
    }
    const row = { ...last, ...earlier, ordinal: last.ordinal + 1, because: 'extended', ...change }
    const names = Object.keys(row)
    await attacker.query(
      `insert into retention_floor (${names}) values (${names.map((_, index) => `$${index + 1}`)})`,
      Object.values(row),
    )
  }
  const other = { set_by: riskOwner.id, approved_by: seats.legal.id, approval: 'confirmed' }
  const early = { retain_until: '2020-01-01' }
  const refusals: [Record<string, unknown>, string, string][] = [
    [early, '23514', 'earlier'],
    [{ days_after_retirement: 0 }, '23514', 'without the wait for retirement'],
    [{ policy_days: 0 }, '23514', 'as if policy had asked for less'],
    [{ regulatory_days: 0 }, '23514', 'as if no regulation had'],
    [{ ordinal: 7 }, '23514', 'over a gap'],
    [{ earlier_until: '2020-01-01' }, '23503', 'after a row that never was'],
    [{ because: 'shortened', ...early }, '23514', 'by one person'],
    [
      { because: 'shortened', ...early, ...other, shortening_id: newId(), approved_by: riskOwner.id },
      '23514',
      'alone',
    ],
    [{ because: 'shortened', ...other, shortening_id: newId() }, '23503', 'without a proposal'],
    [
      { because: 'shortened', ...other, shortening_id: newId(), days_after_retirement: 0 },
      '23514',
      'below regulation',
    ],
    [{ because: 'attached', ordinal: 1, ...none }, '23505', 'from the beginning'],
  ]
  const before = await everyRow(owner)
  for (const [change, code, what] of refusals) await t.rejects(next(change), { code }, what)
  t.same(await everyRow(owner), before, 'nothing changed')
  const { rowCount } = await owner.query('select from retention_floor where evidence_id = $1', [id])
  t.equal(rowCount, 1)
})

const none = Object.fromEntries(
  ['ordinal', 'until', 'days', 'policy_until', 'policy_days', 'regulatory_until', 'regulatory_days'].map(
    (name) => [`earlier_${name}`, null],
  ),
)

t.test('bytes that are gone already are no obstacle to their removal', async (t) => {
  const { useCaseId, ids } = await overdue(world, ['lost before'])
  const disposalId = await dispose(world, useCaseId, ids)
  rmSync(join(folder, 'sha256'), { recursive: true })
  pass(world, 1)
  await keeper.pass()
  const { body } = await riskOwner.get(`/v1/disposals/${disposalId}/certificate`)
  t.match(body.pieces, [{ bytes: 'removed' }])
})
