// A bucket with object lock: what nobody can do to evidence in it, with all the rights that Assent itself has.
import { text as textOf } from 'node:stream/consumers'
import { inspect } from 'node:util'
import * as s3 from '@aws-sdk/client-s3'
import t from 'tap'
import { restore } from '../../src/db/backup/restore.js'
import { backUp } from '../../src/db/backup/write.js'
import { collectOrphans } from '../../src/evidence/service.js'
import { openStore } from '../../src/evidence/stores/open.js'
import { personOf, startApp } from '../app.js'
import { openClient } from '../database-run.js'
import { createBlank } from '../operation/register.js'
import { locationOf, makeBucket, noServer } from './stores.js'
import { startWorld, upload } from './world.js'

const DAY_MS = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()
const free = { retainUntil: null, held: false }
const skip = noServer

t.test('under retention nobody deletes it, and nobody shortens that', { skip }, async (t) => {
  const { store, client, bucket, versions } = await makeBucket(t)
  t.equal(store.locks, true)
  const kept = await store.put(some('retained'))
  const until = inDays(30)
  await store.protect(kept.digest, { retainUntil: until, held: false })
  const [{ Key, VersionId } = {}] = await versions()
  const version = { Bucket: bucket, Key, VersionId }

  await t.rejects(store.remove(kept.digest), {
    code: 'conflict',
    message: new RegExp(`locked until ${until}`),
  })
  const bypass = { ...version, BypassGovernanceRetention: true }
  await t.rejects(client.send(new s3.DeleteObjectCommand(bypass)), { name: 'AccessDenied' })
  for (const Retention of [
    { Mode: 'COMPLIANCE', RetainUntilDate: new Date(inDays(1)) },
    { Mode: 'GOVERNANCE', RetainUntilDate: new Date(inDays(30)) },
  ] as const) {
    const shorter = new s3.PutObjectRetentionCommand({
      ...version,
      Retention,
      BypassGovernanceRetention: true,
    })
    await t.rejects(client.send(shorter), { name: 'AccessDenied' }, `${Retention.Mode} takes its place`)
  }
  t.equal(await store.collect(async () => new Set(), 0), 0, 'the collection of orphans leaves it as well')
  t.equal(await store.check(kept), 'ok')
  const retentionIs = async (expected: string) => {
    const { Retention } = await client.send(new s3.GetObjectRetentionCommand(version))
    t.match(Retention, { Mode: 'COMPLIANCE', RetainUntilDate: new Date(expected) })
  }

  await store.protect(kept.digest, { retainUntil: inDays(1), held: false })
  await store.protect(kept.digest, free)
  await retentionIs(until)
  const later = inDays(60)
  await store.protect(kept.digest, { retainUntil: later, held: false })
  await retentionIs(later)
})

t.test('a hold forbids the removal until it is lifted', { skip }, async (t) => {
  const { store, client, bucket, versions } = await makeBucket(t)
  const kept = await store.put(some('held'))
  await store.protect(kept.digest, { retainUntil: null, held: true })
  const [{ Key, VersionId } = {}] = await versions()
  await t.rejects(store.remove(kept.digest), { code: 'conflict', message: /by a legal hold/ })
  const deletion = new s3.DeleteObjectCommand({ Bucket: bucket, Key, VersionId })
  await t.rejects(client.send(deletion), { name: 'AccessDenied' })
  t.equal(await store.check(kept), 'ok')
  await store.protect(kept.digest, free)
  await store.remove(kept.digest)
  t.same(await versions(), [], 'not even a delete marker is left')
})

t.test('a delete marker hides nothing, and bytes on top replace nothing', { skip }, async (t) => {
  const { store, client, bucket, versions, keyOf } = await makeBucket(t)
  const text = 'what was decided on'
  const kept = await store.put(some(text))
  const place = { Bucket: bucket, Key: keyOf(kept.digest) }
  await client.send(new s3.PutObjectCommand({ ...place, Body: text.toUpperCase() }))
  await client.send(new s3.DeleteObjectCommand(place))
  t.equal((await versions()).length, 3)
  t.equal(await store.has(kept.digest), true)
  t.equal(await store.check(kept), 'ok')
  t.equal(await textOf(await store.open(kept)), text)
  await store.protect(kept.digest, { retainUntil: null, held: true })
  await t.rejects(store.remove(kept.digest), { code: 'conflict' })
  t.equal((await versions()).length, 3, 'a removal that is refused removes nothing')
  await store.protect(kept.digest, free)
  await store.remove(kept.digest)
  t.same(await versions(), [])
})

t.test('what somebody else put in the bucket is none of our business', { skip }, async (t) => {
  const { store, client, bucket, versions, location, keyOf } = await makeBucket(t)
  const { digest } = await store.put(some('ours'))
  for (const Key of ['sha256/aa', `${location.prefix}sha256/notes.txt`, `${keyOf(digest)}.bak`]) {
    await client.send(new s3.PutObjectCommand({ Bucket: bucket, Key, Body: 'theirs' }))
  }
  t.equal(await store.collect(async () => new Set(), 0), 1)
  t.equal((await versions()).length, 3)
  t.equal(await store.has(digest), false)
})

t.test('parts that a process left when it died are let go', { skip }, async (t) => {
  const { store, client, bucket, location } = await makeBucket(t)
  const Key = `${location.prefix}sha256/aa/bb/parts`
  await client.send(new s3.CreateMultipartUploadCommand({ Bucket: bucket, Key }))
  const uploads = async () =>
    (await client.send(new s3.ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0
  await store.collect(async () => new Set())
  t.equal(await uploads(), 1, 'an upload may still be under way')
  await store.collect(async () => new Set(), 0)
  t.equal(await uploads(), 0)
})

t.test(
  'a bucket that locks nothing is refused, unless somebody said that it is fine',
  { skip },
  async (t) => {
    const { store, location, folder, versions } = await makeBucket(t, {}, false)
    const refusal = { code: 'unavailable', message: /locks nothing; .* ASSENT_S3_ALLOW_UNLOCKED=true/ }
    await t.rejects(openStore({ evidenceDir: folder, s3: location }), refusal)
    await t.rejects(store.assertUsable(), refusal)
    await t.rejects(store.put(some('unlocked')), refusal)
    t.same(await versions(), [])

    const accepted = await openStore({ evidenceDir: folder, s3: { ...location, acceptUnlocked: true } })
    t.equal(accepted.locks, false)
    await accepted.assertUsable()
    const kept = await accepted.put(some('unlocked'))
    await accepted.protect(kept.digest, { retainUntil: inDays(30), held: true })
    await accepted.remove(kept.digest)
    t.equal(await accepted.has(kept.digest), false)
  },
)

t.test('a bucket that is not there, or not ours, is refused at the start', { skip }, async (t) => {
  const folder = t.testdir()
  await t.rejects(openStore({ evidenceDir: folder, s3: locationOf('nowhere') }), {
    code: 'unavailable',
    message: /there is no bucket nowhere; correct ASSENT_EVIDENCE_STORE/,
  })
})

t.test('a bucket that locks by default takes files of one part and of many', { skip }, async (t) => {
  const { store, client, bucket } = await makeBucket(t)
  const Rule = { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } } as const
  const asked = { Bucket: bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule } } as const
  await client.send(new s3.PutObjectLockConfigurationCommand(asked))
  for (const kept of [await store.put(some('small')), await store.put(some('large'.repeat(2 ** 21)))]) {
    t.equal(await store.check(kept), 'ok')
    await t.rejects(store.remove(kept.digest), { code: 'conflict', message: /locked until/ })
  }
  t.equal(await store.collect(async () => new Set(), 0), 0, 'an orphan stays until then')
})

t.test('whoever has other keys is refused, and no key is told to anybody', { skip }, async (t) => {
  const { location, folder } = await makeBucket(t)
  const { AWS_SECRET_ACCESS_KEY } = process.env
  const secret = 'wrong-and-secret'
  process.env.AWS_SECRET_ACCESS_KEY = secret
  t.teardown(() => void Object.assign(process.env, { AWS_SECRET_ACCESS_KEY }))
  const refused = await openStore({ evidenceDir: folder, s3: location }).catch((error: unknown) => error)
  t.match(refused, {
    code: 'unavailable',
    message: /refuses this \(SignatureDoesNotMatch\).* rights to the bucket/,
  })
  const told = inspect(refused, { depth: Number.POSITIVE_INFINITY, showHidden: true })
  t.notMatch(told, new RegExp(`${secret}|Credential=|authorization`, 'i'))
})

t.test('a backup brings evidence from one bucket into another', { skip }, async (t) => {
  const [from, to] = [await makeBucket(t), await makeBucket(t)]
  const env = (bucket: string) => ({
    ASSENT_EVIDENCE_STORE: `s3://${bucket}/${from.location.prefix}`,
    ASSENT_S3_ENDPOINT: from.location.endpoint ?? '',
  })
  const world = await startWorld(t, env(from.bucket))
  const { body } = await upload(world, world.risk, { bytes: 'taken along' })
  await from.store.protect(body.digest, { retainUntil: inDays(30), held: false })
  await world.owner.query('update stored_blob set told_at = now(), held = false, retain_until = now()')

  const file = `${from.folder}/backup.tar.gz`
  const manifest = await backUp({ client: world.owner, evidence: from.store, assent: '0.1.0' }, file)
  const other = await createBlank(t)
  const client = await openClient(other.ownerConnection)
  t.teardown(() => client.end())
  await restore({ client, evidence: to.store }, file, manifest)
  t.equal(await to.store.check(body), 'ok')
  const { rows } = await client.query('select told_at, held, retain_until from stored_blob')
  t.same(rows, [{ told_at: null, held: null, retain_until: null }], 'the other bucket is still to be told')

  const again = await startApp(t, { connections: other, env: env(to.bucket) })
  const judge = personOf(again.ask, world.judge.id, world.judge.token)
  t.equal((await judge.get(`/v1/evidence/${body.id}/content`)).body, 'taken along')
})

t.test('uploads, downloads and ranges go through the bucket', { skip }, async (t) => {
  const { store, bucket, versions, location } = await makeBucket(t)
  const env = {
    ASSENT_EVIDENCE_STORE: `s3://${bucket}/${location.prefix}`,
    ASSENT_S3_ENDPOINT: location.endpoint ?? '',
  }
  const world = await startWorld(t, env)
  const { body, status } = await upload(world, world.risk, { bytes: 'kept in a bucket' })
  t.equal(status, 201)
  const content = `/v1/evidence/${body.id}/content`
  t.equal((await world.judge.get(content)).body, 'kept in a bucket')
  const range = { authorization: `Bearer ${world.judge.token}`, range: 'bytes=5-6' }
  const part = await world.ask({ url: content, headers: range })
  t.match(part, { status: 206, body: 'in' })
  t.match(await world.ask({ url: '/readyz' }), { status: 200, body: { checks: { evidence: 'ok' } } })
  t.equal(await store.check(body), 'ok')
  t.equal(await collectOrphans(world.database, store), 0)
  t.equal((await versions()).length, 1)
})

async function* some(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content)
}
