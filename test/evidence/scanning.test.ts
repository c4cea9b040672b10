// With a scanner, a file is held back until the scanner let it go.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { eicar, manners, startClamd } from './clamd.js'
import { letTimePass, scanningOf } from './scanning.js'
import { registerCase, startWorld, trace, upload, type World } from './world.js'

const reviewed = { verdict: 'accepted', note: 'read and sound' }

async function startScanned(t: Test) {
  const clamd = await startClamd(t)
  const world = await startWorld(t, { ASSENT_CLAMAV: `127.0.0.1:${clamd.port}` })
  return { ...world, clamd, scanning: scanningOf(world, clamd.address) }
}

t.test('a clean file is let go once the scanner looked through it', async (t) => {
  const world = await startScanned(t)
  const { risk, judge, clamd, scanning } = world
  const bytes = Buffer.concat([Buffer.from('%PDF-1.7'), Buffer.alloc(300_000, 7)])
  const attached = await upload(world, risk, { bytes })
  t.match(attached, { status: 201, body: { state: 'quarantined', counts: false } })
  const place = `/v1/evidence/${attached.body.id}`
  await isHeldBack(t, world, attached.body.id, /waits for the virus scanner/)
  t.equal(await scanning.pass(), 1)
  t.ok(clamd.state.seen[0]?.equals(bytes), 'it saw every byte')
  t.match((await risk.get(place)).body, { state: 'available' })
  t.equal((await judge.get(`${place}/content`)).status, 200)
  t.match((await judge.post(`${place}/verdict`, reviewed)).body, { counts: true })
  t.ok((await trace(world)).events.includes('evidence.released'))
  t.equal(await scanning.pass(), 0, 'nothing is looked at twice')
})

t.test('what the scanner finds is kept from everybody, for good', async (t) => {
  const world = await startScanned(t)
  const { risk, scanning, url } = world
  const { body } = await upload(world, risk, { bytes: `notes\n${eicar}` })
  t.equal(await scanning.pass(), 1)
  t.match((await risk.get(`/v1/evidence/${body.id}`)).body, { state: 'rejected' })
  await isHeldBack(t, world, body.id, /the virus scanner found something/)
  t.ok((await trace(world)).events.includes('evidence.rejected'))
  t.same((await risk.get(`${url}?state=rejected`)).body.items.length, 1)
  const { rows } = await world.owner.query('select state, finding from evidence_scan')
  t.same(rows, [{ state: 'rejected', finding: 'Win.Test.EICAR_HDB-1' }])
})

t.test('a scanner that goes wrong never lets a file go, and the file is looked at again', async (t) => {
  const world = await startScanned(t)
  const { risk, clamd } = world
  const store = new OpenFiles(world.folder)
  const scanning = scanningOf(world, clamd.address, store)
  const { id } = (await upload(world, risk, { bytes: Buffer.alloc(2_000_000, 'a') })).body
  let tries = 0
  for (const manner of manners) {
    clamd.state.manner = manner
    t.equal(await scanning.pass(), 0, manner)
    tries += 1
    t.same((await trace(world)).scans, [['quarantined', tries]], manner)
    t.equal(await scanning.pass(), 0, 'not before a while')
    t.same((await trace(world)).scans, [['quarantined', tries]])
    await isHeldBack(t, world, id, /waits for the virus scanner/)
    await letTimePass(world)
  }
  const gone = scanningOf(world, { path: join(world.folder, 'no-socket') }, store)
  t.equal(await gone.pass(), 0, 'nobody listens')
  t.equal(store.opened.length, manners.length + 1)
  t.ok(
    store.opened.every(({ destroyed }) => destroyed),
    'no file stays open',
  )
  await letTimePass(world)
  clamd.state.manner = 'honest'
  t.equal(await scanning.pass(), 1)
  t.match((await risk.get(`/v1/evidence/${id}`)).body, { state: 'available' })
})

t.test('of several processes, one looks at a file and one says what it found', async (t) => {
  const world = await startScanned(t)
  const { risk, clamd } = world
  const count = 6
  for (let n = 0; n < count; n += 1) await upload(world, risk, { bytes: `file ${n}` })
  const several = [1, 2, 3].map(() => scanningOf(world, clamd.address))
  const ended = await Promise.all(several.map((one) => one.pass()))
  t.equal(
    ended.reduce((sum, one) => sum + one),
    count,
  )
  t.equal(clamd.state.sessions, count)
  t.equal((await trace(world)).events.filter((type: string) => type === 'evidence.released').length, count)
})

t.test('it listens on a socket of this machine as well, and stops when it is told', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assent-clamd-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'clamd.sock')
  const clamd = await startClamd(t, path)
  const world = await startWorld(t, { ASSENT_CLAMAV: path })
  const { id } = (await upload(world, world.risk, { bytes: 'by socket' })).body
  const scanning = scanningOf(world, clamd.address)
  scanning.start()
  for (let state = ''; state !== 'available'; ) {
    state = (await world.risk.get(`/v1/evidence/${id}`)).body.state
  }
  await scanning.stop()
  clamd.state.sessions = 0
  await upload(world, world.risk, { bytes: 'later' })
  t.equal(clamd.state.sessions, 0)
})

t.test(
  'how long files wait is measured, and a scanner that is gone keeps nobody from anything else',
  async (t) => {
    const world = await startScanned(t)
    const registry = new Registry()
    const scanning = scanningOf(world, world.clamd.address, new FolderStore(world.folder), registry)
    const counted = async (result: string) => {
      const { values } = (await registry.getMetricsAsJSON()).find(
        ({ name }) => name === 'assent_evidence_scans_total',
      ) as { values: { labels: { result?: string }; value: number }[] }
      return values.find(({ labels }) => labels.result === result)?.value
    }
    const shown = async () => {
      await scanning.measure()
      const text = await registry.metrics()
      const [, age] = /^assent_evidence_quarantined_oldest_seconds ([\d.]+)$/m.exec(text) ?? []
      return Number(age)
    }
    t.equal(await shown(), 0)
    for (const bytes of ['clean', eicar]) await upload(world, world.risk, { bytes })
    await world.owner.query(`update evidence set attached_at = attached_at - interval '1 hour'`)
    world.clamd.state.manner = 'dies'
    await scanning.pass()
    const age = await shown()
    t.ok(age >= 3600 && age < 3700, `${age} s`)
    t.same(await Promise.all(['released', 'rejected', 'failed'].map(counted)), [0, 0, 2])
    t.equal((await world.ask({ url: '/readyz' })).status, 200)
    t.equal((await world.judge.get(world.url)).status, 200)
    world.clamd.state.manner = 'honest'
    await letTimePass(world)
    await scanning.pass()
    t.equal(await shown(), 0)
    t.same(await Promise.all(['released', 'rejected', 'failed'].map(counted)), [1, 1, 2])
  },
)

t.test('words of people and links wait for nobody', async (t) => {
  const world = await startScanned(t)
  const attestation = { kind: 'test_report', title: 'Tests', statement: 'All 200 cases passed.' }
  t.match((await world.risk.post(world.url, attestation)).body, { state: 'available' })
  t.equal((await trace(world)).scans, null)
})

/** Remembers what it opened. */
class OpenFiles extends FolderStore {
  opened: Readable[] = []

  override async open(...what: Parameters<FolderStore['open']>): Promise<Readable> {
    const bytes = await super.open(...what)
    this.opened.push(bytes)
    return bytes
  }
}

/** Nobody downloads, accepts or shares it, and nothing changes. */
async function isHeldBack(t: Test, world: World, id: string, detail: RegExp): Promise<void> {
  const { judge, risk, business } = world
  const units = await business.get('/v1/org-units')
  const unit = units.body.items.find(({ key }: { key: string }) => key === 'claims')
  const useCaseId = await registerCase(business, risk, unit.id)
  const before = await trace(world)
  for (const ask of [
    () => judge.get(`/v1/evidence/${id}/content`),
    () => judge.post(`/v1/evidence/${id}/verdict`, reviewed),
    () => risk.post(`/v1/evidence/${id}/uses`, { useCaseId }),
  ]) {
    const { status, body } = await ask()
    t.match({ status, body }, { status: 409, body: { detail } })
  }
  t.same(await trace(world), before, 'nothing changed')
}
