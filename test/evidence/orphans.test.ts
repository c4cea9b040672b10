// Bytes whose process died before it wrote their row are collected, and no others.
import { linkSync, mkdirSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assentItself } from '../../src/auth/assent.js'
import { buildAbility, readRights } from '../../src/auth/decision-rights.js'
import { Keeper } from '../../src/custody/keeper.js'
import { collectOrphans } from '../../src/evidence/service.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { newId } from '../../src/ids.js'
import { startApp } from '../app.js'
import { filesIn, startWorld, upload } from './world.js'

const DAY_MS = 86_400_000
const none = async () => new Set<string>()

t.test('only what no row names, and only after a day', async (t) => {
  const world = await startWorld(t)
  const { folder, database, judge, risk } = world
  const store = new FolderStore(folder)
  const attached = await upload(world, risk, { bytes: 'with a row' })
  const old = await store.put(some('bytes whose process was killed'))
  const young = await store.put(some('bytes whose row is being written'))
  age(folder, attached.body.digest)
  age(folder, old.digest)
  t.equal(await collectOrphans(database, store), 1)
  t.equal(await store.has(old.digest), false)
  t.equal(await store.has(young.digest), true)
  t.equal((await judge.get(`/v1/evidence/${attached.body.id}/content`)).body, 'with a row')
  t.equal(await collectOrphans(database, store), 0)
  t.same(filesIn(join(folder, 'drafts')), [])
})

t.test('also what was disposed of and then came again, but never to its row', async (t) => {
  const world = await startWorld(t)
  const { folder, database, owner, risk } = world
  const store = new FolderStore(folder)
  const { body } = await upload(world, risk, { bytes: 'disposed of' })
  age(folder, body.digest)
  t.equal(await collectOrphans(database, store), 0)
  await owner.query('update stored_blob set removed_at = now() where digest = $1', [body.digest])
  t.equal(await collectOrphans(database, store), 0, 'nothing goes on the word of a note alone')
  await owner.query(`update evidence set title = '', file_name = null, disposed_at = now() where id = $1`, [
    body.id,
  ])
  t.equal(await collectOrphans(database, store), 1)
  t.same(filesIn(folder), [])
})

t.test('soon after the start, and once a day, by one of all processes', async (t) => {
  let now = Date.parse('2026-11-22T08:00:00.000Z')
  const folder = t.testdir()
  const { database, policies } = await startApp(t, { clock: { now: () => new Date(now).toISOString() } })
  const store = new FolderStore(folder)
  const ability = buildAbility(readRights(policies.decisionRights), assentItself)
  const keeper = () =>
    new Keeper({
      ...{ database, policies, blobs: new FolderStore(folder), metrics: { keep() {} } },
      ...{
        assent: () => ({ principal: assentItself, ability, requestId: newId() }),
        log: { warn: (_about: object, message: string) => void t.fail(message), info() {} },
      },
    })
  const orphan = async () => age(folder, (await store.put(some('nobody names it'))).digest)
  await orphan()
  await Promise.all([keeper().pass(), keeper().pass()])
  t.same(filesIn(folder), [], 'at once')
  await orphan()
  now += DAY_MS - 60_000
  await keeper().pass()
  t.equal(filesIn(folder).length, 1, 'not before a day is over')
  now += 60_000
  await keeper().pass()
  t.same(filesIn(folder), [])
})

t.test('of several processes at once, each piece is removed by one', async (t) => {
  const folder = t.testdir()
  const store = new FolderStore(folder)
  for (let n = 0; n < 20; n += 1) age(folder, (await store.put(some(`orphan ${n}`))).digest)
  const removed = await Promise.all([1, 2, 3].map(() => new FolderStore(folder).collect(none)))
  t.equal(
    removed.reduce((sum, one) => sum + one),
    20,
  )
  t.same(filesIn(folder), [])
})

t.test('bytes that arrive again while they are collected are there in the end', async (t) => {
  const folder = t.testdir()
  const store = new FolderStore(folder)
  const { digest } = await store.put(some('again'))
  for (let n = 0; n < 150; n += 1) {
    if (await store.has(digest)) age(folder, digest)
    await Promise.all([store.put(some('again'), digest), store.collect(none), store.collect(none)])
    if (!(await store.has(digest))) t.fail(`lost in round ${n}`)
  }
  t.pass('150 rounds')
})

t.test('what a process that died was collecting is put back, and collected anew', async (t) => {
  const folder = t.testdir()
  const store = new FolderStore(folder)
  const { digest } = await store.put(some('half collected'))
  const place = placeOf(folder, digest)
  mkdirSync(join(folder, 'drafts'), { recursive: true })
  linkSync(place, join(folder, 'drafts', `orphan-${digest.slice(7)}-0190`))
  rmSync(place)
  await store.sweep()
  t.equal(await store.has(digest), true)
  t.same(filesIn(join(folder, 'drafts')), [])
})

function age(folder: string, digest: string): void {
  const past = new Date(Date.now() - DAY_MS - 1000)
  utimesSync(placeOf(folder, digest), past, past)
}

function placeOf(folder: string, digest: string): string {
  const hex = digest.slice('sha256:'.length)
  return join(folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex)
}

async function* some(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
