import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { FolderStore } from '../../src/evidence/stores/folder.js'

const bytes = Buffer.from('four of five seats approved')
const hex = createHash('sha256').update(bytes).digest('hex')
const stored = { digest: `sha256:${hex}`, size: bytes.length }

t.test('there is room only in a folder that can be written, on a disk with space', async (t) => {
  const folder = t.testdir({ taken: 'a file' })
  await new FolderStore(join(folder, 'evidence')).assertUsable()
  await t.rejects(new FolderStore(join(folder, 'taken')).assertUsable(), /EEXIST|ENOTDIR/)
  await t.rejects(new FolderStore(folder).assertUsable(Number.MAX_SAFE_INTEGER), /nearly full: free at least/)
})

t.test('what was put comes back, whole or in part, from a place named by its digest', async (t) => {
  const folder = t.testdir()
  const store = new FolderStore(folder)
  t.equal(await store.has(stored.digest), false)
  t.same(await store.put(inChunks(bytes, 5), stored.digest), stored)
  t.same(await buffer(await store.open(stored)), bytes)
  t.same(await buffer(await store.open(stored, { start: 5, end: 11 })), bytes.subarray(5, 12))
  t.equal(await store.has(stored.digest), true)
  const place = join(folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex)
  t.equal(statSync(place).mode & 0o777, 0o400, 'nobody writes it again')
  t.same(readdirSync(join(folder, 'drafts')), [])
})

t.test('the same bytes twice, also at once, are one file', async (t) => {
  const folder = t.testdir()
  const [one, other] = [new FolderStore(folder), new FolderStore(folder)]
  const puts = [one, other, one].map(async (store) => await store.put(inChunks(bytes, 3)))
  t.same(await Promise.all(puts), [stored, stored, stored])
  t.same(filesIn(folder), [hex])
})

t.test('a stream that breaks, or is not what was announced, leaves nothing', async (t) => {
  const folder = t.testdir()
  const store = new FolderStore(folder)
  const broken = (async function* () {
    yield bytes
    throw new Error('cut')
  })()
  await t.rejects(store.put(broken), { message: 'cut' })
  await t.rejects(store.put(inChunks(bytes, 9), `sha256:${'0'.repeat(64)}`), { code: 'invalid' })
  t.same(filesIn(folder), [])
})

t.test('a process that is killed leaves a draft, and the next start removes it', async (t) => {
  const folder = t.testdir()
  const script = `
    import { FolderStore } from ${JSON.stringify(new URL('../../src/evidence/stores/folder.js', import.meta.url).href)}
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
  await store.put(inChunks(bytes, 9))
  await store.sweep()
  t.same(filesIn(folder), [hex], 'only what has a place is left')
})

t.test('a store that fails says so, and nothing is half there', async (t) => {
  const folder = t.testdir()
  const store = new FolderStore(folder)
  await store.sweep()
  t.same(readdirSync(folder), [], 'a start asks nothing of the folder')
  await t.rejects(store.open(stored), { code: 'unavailable', message: /restore/ })
  await store.put(inChunks(bytes, 9))
  const place = join(folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex)
  chmodSync(place, 0o600)
  writeFileSync(place, bytes.subarray(1))
  await t.rejects(
    store.open(stored),
    { code: 'unavailable', message: /restore/ },
    'a shortened file is not served',
  )

  const blocked = t.testdir({ drafts: 'a file where a folder should be' })
  const other = new FolderStore(blocked)
  await t.rejects(other.put(inChunks(bytes, 9)), { code: 'unavailable', message: /folder and disk/ })
})

t.test('a digest is never a path', async (t) => {
  const store = new FolderStore(t.testdir())
  for (const digest of ['sha256:../../../etc/passwd', `sha256:${hex}/..`, hex, 'sha256:', '']) {
    await t.rejects(store.open({ digest, size: 1 }), TypeError)
  }
})

function inChunks(whole: Buffer, length: number): Readable {
  const count = Math.ceil(whole.length / length)
  return Readable.from(Array.from({ length: count }, (_, i) => whole.subarray(i * length, (i + 1) * length)))
}

/** Names of every file in a folder and below. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}
