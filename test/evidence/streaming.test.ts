import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, watch } from 'node:fs'
import { type ClientRequest, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { fields, formAround, formType, startWorld, trace, upload, type World } from './world.js'

const MiB = 2 ** 20
const chunk = Buffer.alloc(64 * 1024, 'evidence')

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

t.test('64 MiB stream through while memory stays flat', async (t) => {
  const world = await startWorld(t)
  const hash = createHash('sha256')
  const memory: number[] = []
  const count = (64 * MiB) / chunk.length
  const file = function* () {
    for (let i = 0; i < count; i += 1) {
      hash.update(chunk)
      if (i % 64 === 0) memory.push(memoryInUse())
      yield chunk
    }
  }
  const { status, body } = await send(world, file())
  t.equal(status, 201)
  t.match(body, { size: 64 * MiB, digest: `sha256:${hash.digest('hex')}` })
  const [first = 0] = memory
  t.equal(memory.length, 16)
  t.ok(Math.max(...memory) - first < 12 * MiB, `grew by ${(Math.max(...memory) - first) / MiB} MiB`)
})

t.test('a connection that is cut leaves nothing', async (t) => {
  const world = await startWorld(t)
  await upload(world, world.risk, { bytes: 'the first' })
  const before = await trace(world)
  const drafts = join(world.folder, 'drafts')
  const changes = watch(drafts)
  t.teardown(() => changes.close())

  const request = await openUpload(world)
  const isGone = once(request, 'close').catch(() => {})
  request.on('error', () => {})
  request.write(Buffer.concat([formAround(fields).head, chunk]))
  while (readdirSync(drafts).length === 0) await once(changes, 'change')
  request.destroy()
  await isGone
  while (readdirSync(drafts).length > 0) await once(changes, 'change')
  t.same(await trace(world), before)
})

t.test('a file that turns out too large is refused while it is still coming', async (t) => {
  const world = await startWorld(t, { ASSENT_UPLOAD_LIMIT: String(MiB) })
  const before = await trace(world)
  const file = function* () {
    for (let i = 0; i < 64; i += 1) yield chunk
  }
  const { status, body } = await send(world, file())
  t.match({ status, body }, { status: 413, body: { detail: /larger than 1 MiB/ } })
  t.same(await trace(world), before)
})

/** A form on a socket, its length not declared. */
async function openUpload({ app, risk, url }: World): Promise<ClientRequest> {
  const address = app.server.listening ? app.server.address() : undefined
  const base = address ? `http://127.0.0.1:${Object(address).port}` : await app.listen({ port: 0 })
  return httpRequest(`${base}${url}/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${risk.token}`, 'content-type': formType },
  })
}

async function send(world: World, file: Iterable<Buffer>) {
  const request = await openUpload(world)
  const answered = once(request, 'response')
  const { head, tail } = formAround(fields)
  const form = function* () {
    yield head
    yield* file
    yield tail
  }
  await pipeline(Readable.from(form()), request)
  const [response] = await answered
  return { status: response.statusCode, body: await json(response) }
}

/** What is still held after a collection. */
function memoryInUse(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
