import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { canonicalize } from '../../src/audit/canonical.js'
import { authorize, buildAbility, readRights } from '../../src/auth/decision-rights.js'
import type { Principal } from '../../src/auth/principal.js'
import { projectRoot } from '../../src/config.js'
import { openDatabase } from '../../src/db/database.js'
import { orgUnits } from '../../src/db/schema.js'
import { lock, type WriteTx } from '../../src/db/transaction.js'
import { RegistryError } from '../../src/errors.js'
import { ASSENT_ID, newId, ROOT_UNIT_ID } from '../../src/ids.js'
import { loadPolicies } from '../../src/policy/load.js'
import { createDatabase } from '../helper.js'

const rights = readRights(loadPolicies(`${projectRoot}policies`).decisionRights)
const principal: Principal = {
  personId: ASSENT_ID,
  kind: 'human',
  name: 'Assent',
  grants: [],
  boundUseCaseIds: [],
}
const request = { principal, ability: buildAbility(rights, principal), requestId: 'test' }

const { appConnection } = await createDatabase(t)
let time = '2026-01-01T00:00:00.000Z'
const database = await openDatabase({
  connection: appConnection,
  poolSize: 8,
  exportPoolSize: 1,
  statementTimeoutMs: 5000,
  clock: { now: () => time },
})
t.teardown(() => database.close())

const rows = async (text: string, values: unknown[] = []) => (await database.pool.query(text, values)).rows

/** Renames a unit: lock, write, record. */
async function rename(tx: WriteTx, name: string, id = ROOT_UNIT_ID): Promise<string> {
  const unit = await lock(tx, orgUnits, id, 'org unit')
  await tx.client.query('update org_unit set name = $2 where id = $1', [id, name])
  tx.record(unit, { type: 'org_unit.revised', right: 'DR-01', parentId: null, sealed: { name } })
  return name
}

const nameOfRoot = async () => (await rows('select name from org_unit where id = $1', [ROOT_UNIT_ID]))[0].name

t.test('a write that records no event cannot commit', async (t) => {
  const before = await nameOfRoot()
  const silent = database.write(request, async (tx) => {
    await tx.client.query(`update org_unit set name = 'silent'`)
  })
  await t.rejects(silent, { message: 'a write recorded no event' })
  t.equal(await nameOfRoot(), before)
})

t.test('what fails after an event was recorded leaves neither the write nor the event', async (t) => {
  const before = await rows('select count(*) from audit_event')
  const failing = database.write(request, async (tx) => {
    await rename(tx, 'never')
    throw new RegistryError('conflict', 'no')
  })
  await t.rejects(failing, { code: 'conflict' })
  t.not(await nameOfRoot(), 'never')
  t.same(await rows('select count(*) from audit_event'), before)
})

t.test('what was sent alongside counts: its failure undoes all, and is the one that is told', async (t) => {
  const before = await nameOfRoot()
  const broken = (tx: WriteTx) => tx.alongside(tx.client.query('select 1 / 0'))
  const failing = database.write(request, async (tx) => {
    await rename(tx, 'never')
    broken(tx)
  })
  await t.rejects(failing, { code: '22012' })
  const failingInBetween = database.write(request, async (tx) => {
    broken(tx)
    await rename(tx, 'never')
  })
  await t.rejects(failingInBetween, { code: '22012' }, 'not the refusal of what follows')
  t.equal(await nameOfRoot(), before)
})

t.test('twenty writes at once number their events without a gap and lose no update', async (t) => {
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => database.write(request, (tx) => rename(tx, `name ${i}`))),
  )
  const events = await rows('select event_no from audit_event where aggregate_id = $1 order by event_no', [
    ROOT_UNIT_ID,
  ])
  t.same(
    events.map((row) => row.event_no),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  const [unit] = await rows('select last_event_no from org_unit where id = $1', [ROOT_UNIT_ID])
  t.equal(unit.last_event_no, 20)
})

t.test('an aggregate that nobody locked cannot be written past another', async (t) => {
  const stale = { id: ROOT_UNIT_ID, lastEventNo: 3 }
  const unlocked = database.write(request, async (tx) => {
    tx.record(stale, { type: 'org_unit.revised', right: 'DR-01', parentId: null, sealed: { name: 'x' } })
  })
  await t.rejects(unlocked, { code: 'conflict' })
})

t.test('the leaf holds exact canonical bytes, and of what is sealed only a salted hash', async (t) => {
  await database.write(request, (tx) => rename(tx, 'Jane Roe'))
  const [event] = await rows(
    'select leaf, sealed from audit_event join audit_payload on event_id = id order by event_no desc limit 1',
  )
  const text = event.leaf.toString()
  const leaf = JSON.parse(text)
  t.equal(canonicalize(leaf), text)
  t.notMatch(text, /Jane Roe/)
  t.match(event.sealed, { name: { value: 'Jane Roe' } })
  t.match(leaf, {
    type: 'org_unit.revised',
    aggregate: { kind: 'org_unit', id: ROOT_UNIT_ID },
    actor: ASSENT_ID,
  })
  t.match(leaf.sealed.name, /^[\w-]{43}$/)
})

t.test('time never goes back within an aggregate, also when the clock does', async (t) => {
  time = '2026-06-01T00:00:00.000Z'
  await database.write(request, (tx) => rename(tx, 'later'))
  time = '2026-05-01T00:00:00.000Z'
  const at = await database.write(request, async (tx) => {
    await rename(tx, 'earlier')
    return tx.now
  })
  t.equal(at.value, '2026-06-01T00:00:00.000Z')
})

t.test(
  'one Idempotency-Key is one effect: a second request at the same time gets the first answer',
  async (t) => {
    const before = (await rows('select count(*)::int from audit_event'))[0].count
    const idempotency = { key: 'k-1', digest: 'd-1' }
    const once = () =>
      database.write({ ...request, idempotency }, async (tx) => {
        const unit = await lock(tx, orgUnits, ROOT_UNIT_ID, 'org unit')
        tx.record(unit, {
          type: 'org_unit.revised',
          right: 'DR-01',
          parentId: null,
          sealed: { name: 'once' },
        })
        await wait(50)
        return { answer: newId() }
      })
    const [a, b] = await Promise.all([once(), once()])
    t.same(a.value, b.value)
    t.same([a.replayed, b.replayed].sort(), [false, true])
    t.equal((await rows('select count(*)::int from audit_event'))[0].count, before + 1)
    const open = `select count(*)::int from pg_stat_activity
      where datname = current_database() and xact_start < query_start`
    t.equal((await rows(open))[0].count, 0, 'neither leaves its transaction open')
    await t.rejects(
      database.write({ ...request, idempotency: { key: 'k-1', digest: 'another' } }, async () => 'never'),
      { code: 'conflict' },
    )
  },
)

t.test('a refusal is recorded once per person, right and row per minute', async (t) => {
  const attempt = () =>
    database.write(request, async (tx) => {
      authorize(tx.ability, 'manage', 'OrgUnit', { id: ROOT_UNIT_ID })
    })
  const denials = async () => (await rows(`select leaf from audit_event where type = 'access.denied'`)).length
  await t.rejects(attempt(), { code: 'forbidden' })
  await t.rejects(attempt(), { code: 'forbidden' })
  t.equal(await denials(), 1)
  time = '2026-06-01T00:01:00.000Z'
  const together = await Promise.allSettled([attempt(), attempt(), attempt()])
  for (const { status } of together) t.equal(status, 'rejected')
  t.equal(await denials(), 2, 'also of several at once')
  const idle = `select count(*)::int from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`
  t.equal((await rows(idle))[0].count, 0, 'none leaves its transaction open')

  await t.test('and whatever became of the rights of whoever was refused', async (t) => {
    time = '2026-06-01T00:02:00.000Z'
    const stale = { ...request, principal: { ...request.principal, asOfEventNo: 0 } }
    const asBefore = database.write(stale, async (tx) => {
      authorize(tx.ability, 'manage', 'OrgUnit', { id: ROOT_UNIT_ID })
    })
    await t.rejects(asBefore, { code: 'forbidden' })
    t.equal(await denials(), 3)
  })
})

t.test('what must never change, the service itself cannot change', async (t) => {
  const attacks = [
    `update audit_event set type = 'x'`,
    'delete from audit_event',
    'truncate audit_event cascade',
    `update use_case_version set reason = 'x'`,
    'delete from use_case_version',
    `update use_case_state set revision = 9`,
    `update decision set outcome = 'approved'`,
    'delete from decision',
    `update vote set choice = 'approve'`,
    'delete from vote',
    `update review_party set part = 'elector'`,
    'delete from review_party',
    'delete from evidence',
    'delete from rights_grant',
    'drop table audit_event',
    `alter table decision disable trigger all`,
  ]
  for (const attack of attacks) await t.rejects(database.pool.query(attack), { code: '42501' }, attack)
})

t.test('what only a disposal erases, the service itself does not find otherwise', async (t) => {
  const payloads = async () => (await database.pool.query('select from audit_payload')).rowCount
  const before = await payloads()
  t.ok(before, 'there is something to erase')
  for (const attack of ['delete from audit_payload', `update evidence set title = ''`]) {
    t.equal((await database.pool.query(attack)).rowCount, 0, attack)
  }
  t.equal(await payloads(), before)
})
