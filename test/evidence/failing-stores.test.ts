// A store that fails fails the uploads and downloads, in words, and nothing else; once it is mended they work again.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { openStore } from '../../src/evidence/stores/open.js'
import { until } from '../waiting.js'
import { startWorld, trace, upload, type World } from './world.js'

const MiB = 2 ** 20

const folder = mountSmall()
const skip = folder ? false : 'no small disk can be mounted here: this needs root'

t.test('on a full disk an upload says so, and nothing of it is left', { skip }, async (t) => {
  const world = { ...(await startWorld(t, { ASSENT_EVIDENCE_DIR: folder })), folder }
  const kept = await upload(world, world.risk, { bytes: 'while there was room' })
  t.equal(kept.status, 201)
  const filler = join(folder, 'filler')
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(filler, Buffer.alloc(bavail * bsize - MiB))
  const before = await trace(world)
  const refused = await upload(world, world.risk, { bytes: Buffer.alloc(2 * MiB, 'a') })
  t.match(refused, { status: 503, body: { detail: /disk of the evidence store is full.* make room/ } })
  t.same(await trace(world), before, 'no row, no event, no draft')
  t.equal((await world.judge.get(`/v1/evidence/${kept.body.id}/content`)).body, 'while there was room')
  await othersGoOn(t, world)

  rmSync(filler)
  const again = await upload(world, world.risk, { bytes: Buffer.alloc(2 * MiB, 'a') })
  t.equal(again.status, 201)
  await until(async () => (await readiness(world)).body.checks.evidence === 'ok')
})

t.test('without its folder, uploads and downloads fail in words', async (t) => {
  const world = await startWorld(t)
  const { folder } = world
  const kept = await upload(world, world.risk, { bytes: 'still there' })
  const content = `/v1/evidence/${kept.body.id}/content`
  const before = await trace(world)

  const away = `${folder}-away`
  renameSync(folder, away)
  writeFileSync(folder, 'a file where the folder was')
  const words = { status: 503, body: { detail: /look at its folder and disk/ } }
  t.match(await upload(world, world.risk, { bytes: 'too late' }), words)
  t.match(await world.judge.get(content), words)
  await othersGoOn(t, world)

  rmSync(folder)
  renameSync(away, folder)
  t.same((await trace(world)).files, before.files)
  t.equal((await world.judge.get(content)).body, 'still there')
  t.equal((await upload(world, world.risk, { bytes: 'in time' })).status, 201)
})

t.test('without its bucket it starts, and uploads fail in words', async (t) => {
  process.env.AWS_ACCESS_KEY_ID ??= 'nobody'
  process.env.AWS_SECRET_ACCESS_KEY ??= 'nothing'
  const folder = t.testdir()
  const world = {
    ...(await startWorld(t, {
      ASSENT_EVIDENCE_DIR: folder,
      ASSENT_EVIDENCE_STORE: 's3://assent/evidence',
      ASSENT_S3_ENDPOINT: `http://127.0.0.1:${await closedPort()}`,
    })),
    folder,
  }
  const before = await trace(world)
  const refused = await upload(world, world.risk, { bytes: 'to nowhere' })
  t.match(refused, { status: 503, body: { detail: /evidence store cannot be reached now/ } })
  t.same(await trace(world), before, 'no row, no event, no draft')
  await othersGoOn(t, world)
})

t.test('a bucket that nobody can tell where it is stops the start', async (t) => {
  const usual = process.env
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE, ...rest } = usual
  process.env = { ...rest, AWS_CONFIG_FILE: '/dev/null' }
  t.teardown(() => {
    process.env = usual
  })
  const { s3 } = readConfig({ ASSENT_EVIDENCE_STORE: 's3://assent/evidence' })
  await t.rejects(openStore({ evidenceDir: t.testdir(), s3 }), {
    code: 'unavailable',
    message: /the bucket assent cannot be used as it is set up \(Region is missing\)/,
  })
})

/** What needs no file: a statement, a question to the gate; and the process still gets requests. */
async function othersGoOn(t: Test, world: World): Promise<void> {
  const statement = { kind: 'other', title: 'Looked at', statement: 'I looked at it myself.' }
  t.equal((await world.risk.post(world.url, statement)).status, 201)
  const asked = new URLSearchParams({ useCase: world.useCaseId, environment: 'production' })
  t.match(await world.risk.get(`/v1/gate?${asked}`), { status: 409 }, 'the gate answers')
  t.match(await readiness(world), { status: 200, body: { status: 'ready', checks: { evidence: 'failing' } } })
}

async function readiness({ app }: World) {
  const { statusCode: status, body } = await app.inject({ url: '/readyz' })
  return { status, body: JSON.parse(body) }
}

/** A disk of 128 MiB of memory; empty where nobody lets us mount one. */
function mountSmall(): string {
  const place = mkdtempSync(join(tmpdir(), 'assent-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'assent-test', place])
  t.teardown(() => {
    spawnSync('umount', [place])
    rmdirSync(place)
  })
  return status === 0 ? place : ''
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return Object(address).port
}
