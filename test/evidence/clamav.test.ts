// The contract with ClamAV itself, where it is installed; scanning.test.ts has what else a daemon may answer.
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { archive } from './archives.js'
import { noClamav, startClamav } from './clamav.js'
import { eicar } from './clamd.js'
import { letTimePass, scanningOf } from './scanning.js'
import { startWorld, trace, upload, type World } from './world.js'

t.test('what ClamAV says is what becomes of a file', { skip: noClamav }, async (t) => {
  const clamav = await startClamav(t)
  const world = await startWorld(t, { ASSENT_CLAMAV: clamav.address.path, ASSENT_UPLOAD_LIMIT: '10000000' })
  const { address } = clamav
  const scanning = scanningOf(world, address)
  const { stream, file } = clamav.limits

  await t.test('a clean one is let go, a found one never', async (t) => {
    const scanned = async (bytes: Buffer | string, type?: string) => {
      const { body } = await upload(world, world.risk, { bytes, ...(type && { type }) })
      t.equal(body.state, 'quarantined')
      t.equal(await scanning.pass(), 1)
      return await seenBy(world, body.id)
    }
    t.same(await scanned('nothing to be found'), ['available', 200])
    t.same(await scanned(`${eicar}`), ['rejected', 409])
    const document = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
    const parts = { '[Content_Types].xml': '<x/>', 'word/document.xml': '<x/>' }
    t.same(await scanned(archive(parts), document), ['available', 200])
    t.same(await scanned(archive({ ...parts, 'word/media/a.txt': eicar }), document), ['rejected', 409])
    const nested = archive({ 'inner.zip': archive({ 'a/b/c.txt': eicar }) })
    t.same(
      await scanned(nested, 'application/zip'),
      ['rejected', 409],
      'deflated, in an archive in an archive',
    )
  })

  await t.test('a file beyond its limits stays, and waits for larger ones', async (t) => {
    for (const size of [file + 1, stream + 1]) {
      const { body } = await upload(world, world.risk, { bytes: Buffer.alloc(size, `${size} `) })
      t.equal(await scanning.pass(), 0)
      t.same(await seenBy(world, body.id), ['quarantined', 409], `${size} bytes`)
    }
    await world.owner.query(
      `update evidence_scan set state = 'rejected', finding = 'set aside', ended_at = now()
        where state = 'quarantined'`,
    )
  })

  await t.test(
    'one that is killed in the middle of a stream lets nothing go, and goes on later',
    async (t) => {
      const { body } = await upload(world, world.risk, { bytes: Buffer.alloc(800_000, 'steady ') })
      let cuts = 0
      const cut = cutting(world, async () => {
        cuts += 1
        await clamav.signal('SIGKILL')
      })
      await staysWhile(t, world, body.id, scanningOf(world, address, cut))
      t.equal(cuts, 1, 'with half of it sent')
      await staysWhile(t, world, body.id, scanning)
      await clamav.start()
      await letTimePass(world)
      t.equal(await scanning.pass(), 1)
      t.same(await seenBy(world, body.id), ['available', 200])
    },
  )

  await t.test('one that hangs is given up on, and goes on later', async (t) => {
    const { body } = await upload(world, world.risk, { bytes: 'while it hangs' })
    await clamav.signal('SIGSTOP')
    await staysWhile(t, world, body.id, scanning)
    await clamav.signal('SIGCONT')
    await letTimePass(world)
    t.equal(await scanning.pass(), 1)
    t.same(await seenBy(world, body.id), ['available', 200])
  })
})

/** Its state, and what happens to whoever downloads it. */
async function seenBy({ judge }: World, id: string): Promise<[state: string, download: number]> {
  const { body } = await judge.get(`/v1/evidence/${id}`)
  return [body.state, (await judge.get(`/v1/evidence/${id}/content`)).status]
}

async function staysWhile(t: Test, world: World, id: string, scanning: ReturnType<typeof scanningOf>) {
  await letTimePass(world)
  const { events } = await trace(world)
  t.equal(await scanning.pass(), 0)
  t.same(await seenBy(world, id), ['quarantined', 409])
  t.same((await trace(world)).events, events)
}

/** Half of each file, then what happens meanwhile, then the rest. */
function cutting({ folder }: World, meanwhile: () => Promise<void>): FolderStore {
  const store = new FolderStore(folder)
  const open = store.open.bind(store)
  store.open = async (stored) => {
    const bytes = await buffer(await open(stored))
    const half = bytes.length / 2
    return Readable.from(
      (async function* () {
        yield bytes.subarray(0, half)
        await meanwhile()
        yield bytes.subarray(half)
      })(),
    )
  }
  return store
}
