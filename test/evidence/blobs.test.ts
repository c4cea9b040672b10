// What every store promises, held against each of them. `npm run test:s3` brings a bucket as well.
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { bucketKind, folderKind, noServer } from './stores.js'

const bytes = Buffer.from('four of five seats approved')
const stored = { digest: digestOf(bytes), size: bytes.length }
const nothing = { digest: digestOf(Buffer.alloc(0)), size: 0 }
const inAYear = new Date(Date.now() + 365 * 86_400_000).toISOString()

for (const [[name, make], skip] of [
  [folderKind, false],
  [bucketKind, noServer],
] as const) {
  t.test(`in ${name}`, { skip }, async (t) => {
    t.test('what was put comes back, whole or in part', async (t) => {
      const { store, other, names } = await make(t)
      t.equal(await store.has(stored.digest), false)
      t.same(await store.put(inChunks(bytes, 5), stored.digest), stored)
      t.same(await buffer(await store.open(stored)), bytes)
      t.same(await buffer(await other.open(stored, { start: 5, end: 11 })), bytes.subarray(5, 12))
      t.equal(await other.has(stored.digest), true)
      t.equal(await store.check(stored), 'ok')
      t.equal((await names()).length, 1, 'and its draft is gone')
      t.same(await store.put(inChunks(Buffer.alloc(0), 1)), nothing)
      t.same(await buffer(await store.open(nothing)), Buffer.alloc(0))
    })

    t.test('a file of many parts comes back whole', async (t) => {
      const { store } = await make(t)
      const large = randomBytes(11 * 2 ** 20 + 1)
      const kept = await store.put(inChunks(large, 65_536))
      t.same(kept, { digest: digestOf(large), size: large.length })
      t.ok((await buffer(await store.open(kept))).equals(large))
      t.equal(await store.check(kept), 'ok')
    })

    t.test('the same bytes twice, also at once, count once', async (t) => {
      const { store, other, names } = await make(t)
      const puts = [store, other, store].map(async (one) => await one.put(inChunks(bytes, 3)))
      t.same(await Promise.all(puts), [stored, stored, stored])
      t.equal(new Set(await names()).size, 1)
      const before = await names()
      await store.put(inChunks(bytes, 9))
      t.same(await names(), before, 'what is there is not written again')
      t.same(await buffer(await store.open(stored)), bytes)
    })

    t.test('a stream that breaks, or is not what was announced, leaves nothing', async (t) => {
      const { store, names } = await make(t)
      const broken = (async function* () {
        yield bytes
        throw new Error('cut')
      })()
      await t.rejects(store.put(broken), { message: 'cut' })
      await t.rejects(store.put(inChunks(bytes, 9), `sha256:${'0'.repeat(64)}`), { code: 'invalid' })
      t.same(await names(), [])
    })

    t.test('what is missing is said, whoever asks for it', async (t) => {
      const { store, names } = await make(t)
      await store.sweep()
      t.same(await names(), [], 'a start asks nothing of the store')
      await t.rejects(store.open(stored), { code: 'unavailable', message: /missing .* restore/ })
      await t.rejects(store.protect(stored.digest, { retainUntil: inAYear, held: true }), {
        code: 'unavailable',
        message: /missing/,
      })
      t.equal(await store.check(stored), 'missing')
      await store.remove(stored.digest)
    })

    t.test('damage is found, and a piece of another length is not served', async (t) => {
      const { store, damage } = await make(t)
      await store.put(inChunks(bytes, 9))
      const flipped = Buffer.from(bytes)
      flipped[3] = 0
      await damage(stored.digest, flipped)
      t.equal(await store.check(stored), 'altered')
      await damage(stored.digest, bytes.subarray(1))
      t.equal(await store.check(stored), 'altered')
      await t.rejects(store.open(stored), { code: 'unavailable', message: /restore/ })
      await damage(stored.digest, null)
      t.equal(await store.check(stored), 'missing')
      await store.put(inChunks(bytes, 9))
      t.equal(await store.check(stored), 'ok', 'and putting the bytes again mends it')
    })

    t.test('what is disposed of is gone for good, and nothing else', async (t) => {
      const { store, other, names } = await make(t)
      const [gone, stays] = [
        await store.put(inChunks(bytes, 9)),
        await store.put(inChunks(randomBytes(9), 9)),
      ]
      await store.protect(gone.digest, { retainUntil: null, held: false })
      await store.remove(gone.digest)
      t.equal(await other.has(gone.digest), false)
      t.equal(await other.check(gone), 'missing')
      t.equal((await names()).length, 1)
      t.equal(await other.check(stays), 'ok')
    })

    t.test('only old bytes that no row names are collected', async (t) => {
      const { store, names } = await make(t)
      const [named, orphan] = [
        await store.put(inChunks(bytes, 9)),
        await store.put(inChunks(randomBytes(9), 9)),
      ]
      const asked: string[][] = []
      const findNamed = async (digests: string[]) => {
        asked.push(digests)
        return new Set([named.digest])
      }
      t.equal(await store.collect(findNamed), 0, 'a row may still be on its way')
      t.same(asked.flat(), [])
      t.equal(await store.collect(findNamed, 0), 1)
      t.same(asked.flat().sort(), [named.digest, orphan.digest].sort())
      t.equal(await store.has(orphan.digest), false)
      t.equal(await store.check(named), 'ok')
      t.equal((await names()).length, 1)
      t.equal(await store.collect(findNamed, 0), 0)
    })

    t.test('a digest is never a path', async (t) => {
      const { store } = await make(t)
      const hex = stored.digest.slice(7)
      for (const digest of ['sha256:../../../etc/passwd', `sha256:${hex}/..`, hex, 'sha256:', '']) {
        await t.rejects(store.open({ digest, size: 1 }), TypeError)
        await t.rejects(store.remove(digest), TypeError)
      }
    })

    t.test('it says when it can be used', async (t) => {
      const { store } = await make(t)
      await store.assertUsable()
    })
  })
}

function inChunks(whole: Buffer, length: number): Readable {
  const count = Math.ceil(whole.length / length)
  return Readable.from(Array.from({ length: count }, (_, i) => whole.subarray(i * length, (i + 1) * length)))
}

function digestOf(whole: Buffer): string {
  return `sha256:${createHash('sha256').update(whole).digest('hex')}`
}
