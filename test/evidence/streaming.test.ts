import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, watch } from 'node:fs'
import { type ClientRequest, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { until } from '../waiting.js'
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

t.test('200 files at once, half of them the same, are all there in the end', async (t) => {
  const world = await startWorld(t)
  const before = await trace(world)
  const one = Buffer.alloc(chunk.length, 'the same')
  const sent = await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      const file = [n % 2 ? one : Buffer.from(`file ${n}`), chunk]
      // On a busy machine the last of them wait for too long, and are told to come again.
      for (;;) {
        const answer = await send(world, file)
        if (answer.status !== 503) return answer
      }
    }),
  )
  t.same([...new Set(sent.map(({ status }) => status))], [201])
  t.equal(new Set(sent.map(({ body }) => body.digest)).size, 101)
  const after = await trace(world)
  t.equal(after.evidence, 200)
  t.equal(after.events.length, before.events.length + 200)
  t.same(
    after.files.sort(),
    [...new Set(sent.map(({ body }) => body.digest.slice(7)))].sort(),
    'and no draft',
  )
})

t.test('whoever downloads half, or the headers alone, leaves no file open', async (t) => {
  const world = await startWorld(t)
  const count = (16 * MiB) / chunk.length
  const { body } = await send(
    world,
    Array.from({ length: count }, () => chunk),
  )
  const place = `${world.app.listeningOrigin}/v1/evidence/${body.id}/content`
  const headers = { authorization: `Bearer ${world.risk.token}` }
  for (const method of ['HEAD', 'GET']) {
    const request = httpRequest(place, { method, headers })
    request.end()
    const [response] = await once(request, 'response')
    t.equal(response.statusCode, 200)
    if (method === 'GET') await once(response, 'data')
    if (method === 'GET' && existsSync('/proc')) t.equal(openFiles(world.folder).length, 1)
    response.destroy()
    await until(async () => openFiles(world.folder).length === 0)
  }
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

/** Files of this process that are open and lie in the folder; none are known where there is no /proc. */
function openFiles(folder: string): string[] {
  if (!existsSync('/proc/self/fd')) return []
  const places = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return [] // closed meanwhile
    }
  })
  return places.filter((place) => place.startsWith(join(folder, 'sha256')))
}

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
  return { status: response.statusCode, body: Object(await json(response)) }
}

/** What is still held after a collection. */
function memoryInUse(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
