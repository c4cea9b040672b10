// A folder as a store: what it does beside the contract of all stores.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { BlobStore } from '../../src/evidence/blobs.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { filesIn } from './stores.js'

t.test('there is room only in a folder that can be written, on a disk with space', async (t) => {
  const folder = t.testdir({ taken: 'a file' })
  await new FolderStore(join(folder, 'evidence')).assertUsable()
  await t.rejects(new FolderStore(join(folder, 'taken')).assertUsable(), /EEXIST|ENOTDIR/)
  await t.rejects(new FolderStore(folder).assertUsable(Number.MAX_SAFE_INTEGER), /nearly full: free at least/)
})

t.test('a file lies where its digest says, and nobody writes it again', async (t) => {
  const folder = t.testdir()
  const { digest } = await new FolderStore(folder).put(some('four of five seats approved'))
  const hex = digest.slice('sha256:'.length)
  const place = join(folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex)
  t.equal(statSync(place).mode & 0o777, 0o400)
  t.same(readdirSync(join(folder, 'drafts')), [])
})

t.test('it locks nothing, and says so', async (t) => {
  const store: BlobStore = new FolderStore(t.testdir())
  const { digest } = await store.put(some('kept by rules alone'))
  t.equal(store.locks, false)
  await store.protect(digest, { retainUntil: '2100-01-01T00:00:00.000Z', held: true })
  await store.remove(digest)
  t.equal(await store.has(digest), false)
})

t.test('a process that is killed leaves a draft, and the next start removes it', async (t) => {
  const folder = t.testdir()
  const module = new URL('../../src/evidence/stores/folder.js', import.meta.url).href
  const script = `
    import { FolderStore } from ${JSON.stringify(module)}
    const endless = async function* () {
      for (;;) {
        yield Buffer.alloc(65_536)
        await new Promise((resolve) => process.stdout.write('.', resolve))
      }
    }
    await new FolderStore(${JSON.stringify(folder)}).put(endless())`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const [draft = ''] = filesIn(folder)
  t.ok(draft)

  const store = new FolderStore(folder)
  await store.sweep()
  t.same(filesIn(folder), [draft], 'it could be the upload of another process')
  const twoHoursAgo = Date.now() / 1000 - 7200
  utimesSync(join(folder, 'drafts', draft), twoHoursAgo, twoHoursAgo)
  const { digest } = await store.put(some('whole'))
  await store.sweep()
  t.same(filesIn(folder), [digest.slice('sha256:'.length)], 'only what has a place is left')
})

async function* some(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content)
}
