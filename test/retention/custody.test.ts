// bytes are checked against their digest, and damage is said. Stores that lock are told how long.
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { budgetOf } from '../../src/custody/custody.js'
import { RegistryError } from '../../src/errors.js'
import type { BlobStore, Protection } from '../../src/evidence/blobs.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { addDays } from '../../src/instant.js'
import { refuses } from '../unchanged.js'
import { attach, dispose, eventsOf, overdue, pass, retire, startWorld, useCaseOf } from './world.js'

/** What a store that locks was told, and how it behaves. */
const told = new Map<string, Protection>()
const manner: { silentOn?: string | undefined; isLocked: boolean } = { isLocked: false }

/** A folder that keeps what it is told, refuses to remove it, and can be made to say nothing. */
function lockingStore(folder: string): BlobStore {
  const inner = new FolderStore(folder)
  return {
    locks: true,
    put: (bytes, expected) => inner.put(bytes, expected),
    open: (stored, range) => inner.open(stored, range),
    has: (digest) => inner.has(digest),
    sweep: () => inner.sweep(),
    collect: (findNamed) => inner.collect(findNamed),
    assertUsable: () => inner.assertUsable(),
    async protect(digest, protection) {
      told.set(digest, protection)
    },
    async remove(digest) {
      if (manner.isLocked || told.get(digest)?.held) throw new RegistryError('conflict', 'locked')
      await inner.remove(digest)
    },
    async check(stored) {
      if (stored.digest === manner.silentOn) throw new RegistryError('unavailable', 'silent')
      return await inner.check(stored)
    },
  }
}

const world = await startWorld(t, lockingStore)
const store = lockingStore(world.folder)
const { riskOwner, administrator, auditor, seats, owner, folder, keeper, clock } = world

const digestOf = async (id: string): Promise<string> =>
  (await riskOwner.get(`/v1/evidence/${id}`)).body.digest
const placeOf = (digest: string): string => {
  const hex = digest.slice('sha256:'.length)
  return join(folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex)
}
function overwrite(digest: string, bytes: string | Buffer): void {
  chmodSync(placeOf(digest), 0o600)
  writeFileSync(placeOf(digest), bytes)
}

t.test(
  'damage is found, said with every piece that rests on it, and heals when the bytes are back (R-109)',
  async (t) => {
    const useCaseId = await useCaseOf(world)
    const ids = []
    for (const bytes of ['sound', 'to be altered', 'to be lost'])
      ids.push(await attach(world, useCaseId, { bytes }))
    const [sound = '', altered = '', lost = ''] = ids
    const other = await useCaseOf(world)
    const shared = await riskOwner.post(`/v1/evidence/${altered}/uses`, { useCaseId: other })
    const [alteredDigest, lostDigest] = [await digestOf(altered), await digestOf(lost)]
    overwrite(alteredDigest, 'to be ALTERED')
    rmSync(placeOf(lostDigest))
    for (const _ of [1, 2]) {
      await keeper.pass()
      pass(world, 1)
    }
    t.equal((await riskOwner.get(`/v1/evidence/${sound}`)).body.damagedAt, null)
    for (const id of [altered, lost, shared.body.id]) {
      t.match((await riskOwner.get(`/v1/evidence/${id}`)).body, { damagedAt: /^2021/, state: 'available' })
    }
    const report = await administrator.get('/v1/evidence-store')
    t.match(report.body, {
      files: 3,
      damaged: 2,
      unchecked: 0,
      locks: false,
      withinDays: 4,
      lastRound: { unanswered: 0 },
    })
    const { items } = (await administrator.get('/v1/evidence-store/damaged')).body
    const found = new Map(items.map((item: { digest: string; found: string }) => [item.digest, item.found]))
    t.same([found.get(alteredDigest), found.get(lostDigest)], ['altered', 'missing'])
    t.equal((await administrator.get('/v1/evidence-store/rounds?limit=1')).body.items.length, 1)
    t.match(world.counted.at(-1), { damaged: 2, files: 3 })

    await keeper.pass()
    t.equal(
      (await eventsOf(world, useCaseId)).filter((type) => type === 'evidence.damaged').length,
      2,
      'said once',
    )
    t.equal((await eventsOf(world, other)).filter((type) => type === 'evidence.damaged').length, 1)
    overwrite(alteredDigest, 'to be altered')
    pass(world, 1)
    await keeper.pass()
    t.equal((await riskOwner.get(`/v1/evidence/${altered}`)).body.damagedAt, null)
    t.equal((await eventsOf(world, other)).at(-1), 'evidence.mended')
    for (const person of [riskOwner, auditor]) {
      await refuses(t, world, () => person.get('/v1/evidence-store'), { status: 403 })
    }
  },
)

t.test('every file has its turn in time, the longest waiting first, whatever one of them does', async (t) => {
  const useCaseId = await useCaseOf(world)
  for (let n = 0; n < 6; n += 1) await attach(world, useCaseId, { bytes: `one of many, ${n}` })
  const silent = await digestOf(await attach(world, useCaseId, { bytes: 'says nothing' }))
  manner.silentOn = silent
  const from = clock.at
  for (let day = 0; day < 6; day += 1) {
    pass(world, 1)
    await keeper.pass()
    await keeper.pass()
  }
  const { rows } = await owner.query(
    'select digest from stored_blob where checked_at is null or checked_at < $1',
    [from],
  )
  t.same(rows, [{ digest: silent }], 'all but the one of which the store said nothing')
  const rounds = await owner.query('select checked, unanswered from custody_round where began_at > $1', [
    from,
  ])
  t.equal(rounds.rowCount, 6, 'one round a day')
  t.ok(
    rounds.rows.every(({ checked }) => checked <= 4),
    'so many a day, and what was damaged',
  )
  t.match((await administrator.get('/v1/evidence-store')).body, { lastRound: { unanswered: 1 } })
  manner.silentOn = undefined
})

t.test('policy bounds a day of checking, and lets no file wait too long', async () => {
  const policies = fc.record({
    withinDays: fc.integer({ min: 1, max: 366 }),
    atLeast: fc.integer({ min: 1, max: 1000 }),
    gigabytesPerDay: fc.integer({ min: 1, max: 100 }),
  })
  fc.assert(
    fc.property(policies, fc.integer({ min: 0, max: 1e7 }), (policy, files) => {
      const budget = budgetOf(policy, files)
      return budget.files * policy.withinDays >= files && budget.files >= policy.atLeast
    }),
  )
})

t.test('of several processes at once one looks', async (t) => {
  pass(world, 1)
  const before = await owner.query('select from custody_round')
  await Promise.all([keeper.pass(), world.keeperWith(store).pass(), world.keeperWith(store).pass()])
  const after = await owner.query('select from custody_round')
  t.equal((after.rowCount ?? 0) - (before.rowCount ?? 0), 1)
})

t.test(
  'a store that locks is told how long, and what is held, and lets go after a lawful disposal (R-107)',
  async (t) => {
    const useCaseId = await useCaseOf(world)
    const id = await attach(world, useCaseId, { bytes: 'locked up' })
    const digest = await digestOf(id)
    pass(world, 1)
    await keeper.pass()
    const first = told.get(digest)
    t.ok((first?.retainUntil ?? '') >= addDays(clock.at, 10), 'it cannot go before that, were it retired now')
    told.delete(digest)
    pass(world, 1)
    await keeper.pass()
    t.notOk(told.has(digest), 'nothing is told twice')
    pass(world, 40)
    await keeper.pass()
    t.ok(
      (told.get(digest)?.retainUntil ?? '') >= addDays(clock.at, 10),
      'it moves on while the use case goes on',
    )

    const hold = {
      key: 'LOCK',
      title: 'A suit',
      reason: 'a suit',
      orgUnitId: world.unitId,
      objects: [{ evidenceId: id }],
    }
    const { body } = await riskOwner.post('/v1/legal-holds', hold)
    pass(world, 1)
    await keeper.pass()
    t.equal(told.get(digest)?.held, true)
    await seats.legal.post(`/v1/legal-holds/${body.id}/lifting`, { reason: 'settled' })
    await retire(world, useCaseId)
    pass(world, 11)
    await keeper.pass()
    t.equal(told.get(digest)?.held, false)

    const disposalId = await dispose(world, useCaseId, [id])
    manner.isLocked = true
    pass(world, 1)
    await keeper.pass()
    t.ok(await store.has(digest))
    const certificate = async () =>
      (await riskOwner.get(`/v1/disposals/${disposalId}/certificate`)).body.pieces[0].bytes
    t.equal(await certificate(), 'waiting', 'what a store still locks stays, and is said to')
    t.match(world.counted.at(-1), { waitingForRemoval: 1 })
    manner.isLocked = false
    pass(world, 1)
    await keeper.pass()
    t.equal(await certificate(), 'removed')
  },
)

t.test('what is removed and what is attached at the same moment never miss each other', async (t) => {
  for (const round of [1, 2, 3, 4]) {
    const bytes = `raced ${round}`
    const { useCaseId, ids } = await overdue(world, [bytes])
    await dispose(world, useCaseId, ids)
    const next = await useCaseOf(world)
    pass(world, 1)
    const attaching = attach(world, next, { bytes }).catch((error: Error) => error)
    await keeper.pass()
    const attached = await attaching
    if (attached instanceof Error) t.match(attached.message, /within the last hour/)
    else t.equal((await riskOwner.get(`/v1/evidence/${attached}/content`)).body, bytes)
  }
})

t.test('a file that nobody noted is taken in', async (t) => {
  const id = await attach(world, await useCaseOf(world), { bytes: 'from an older version' })
  const digest = await digestOf(id)
  await owner.query('delete from stored_blob where digest = $1', [digest])
  pass(world, 1)
  await keeper.pass()
  const { rowCount } = await owner.query('select from stored_blob where digest = $1', [digest])
  t.equal(rowCount, 1)
  await owner.query('update stored_blob set removed_at = now() where digest = $1', [digest])
  pass(world, 1)
  await keeper.pass()
  const { rows } = await owner.query('select removed_at from stored_blob where digest = $1', [digest])
  t.same(rows, [{ removed_at: null }], 'and one that a wrong note says was removed')
})
