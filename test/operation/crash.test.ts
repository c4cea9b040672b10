// Processes die at the worst of times: what was acknowledged is there, and what is there fits together.
import t, { type Test } from 'tap'
import { findMismatches, query } from './register.js'
import { embeddedAt, makeTeamAt, postmasterOf, scratch, serve } from './service.js'
import { type Asked, acknowledged, findLost, writeAlong } from './traffic.js'

const ROUNDS = 4
const busyFor2s = `do $$ begin
  while clock_timestamp() < now() + interval '2 s' loop null; end loop;
end $$`

let world: Awaited<ReturnType<typeof startWorld>>
t.before(async () => {
  world = await startWorld(t)
})

t.test('kill -9 of Assent, and of PostgreSQL too, loses nothing that was acknowledged', async (t) => {
  const { team, connection, service } = world
  t.comment(`first start, database made: ${Math.round(service.startedInMs)} ms (goal: 5000)`)
  t.ok(service.startedInMs < 50_000)
  const log: Asked[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const traffic = writeAlong(team)
    await traffic.acknowledge(5 + Math.floor(Math.random() * 60))
    if (round % 2 === 1) {
      void query(connection, busyFor2s).catch(() => {}) // a session that outlives its server for a while
      await traffic.acknowledge(1)
      process.kill(postmasterOf(world.dataDir), 'SIGKILL')
    }
    await world.service.end('SIGKILL')
    log.push(...(await traffic.stop()))
    await world.restart(t)
    t.equal((await world.service.ask({ url: '/readyz' })).status, 200, 'the next start works')
    t.strictSame(await findLost(connection, log), [], 'every acknowledged write is there')
    t.strictSame(await findMismatches(connection), [], 'changes and events are one to one')
  }
  t.comment(`${acknowledged(log).length} acknowledged writes in ${ROUNDS} rounds`)
})

t.test('kill -9 of PostgreSQL alone: every request is answered, and Assent goes on by itself', async (t) => {
  const { dataDir, team, connection, service } = world
  const traffic = writeAlong(team)
  for (let round = 0; round < 3; round += 1) {
    await traffic.acknowledge(20)
    const killedAt = performance.now()
    process.kill(postmasterOf(dataDir), 'SIGKILL')
    await traffic.acknowledge(1, killedAt)
    const recoveredMs = performance.now() - killedAt
    t.comment(`recovered in ${Math.round(recoveredMs)} ms`)
    t.ok(recoveredMs < 10_000, 'within 10 s')
  }
  const log = await traffic.stop()
  t.strictSame(statusesOf(log), [200, 201, 503], 'in between it says that it cannot')
  t.ok(Math.max(...log.map(({ tookMs }) => tookMs)) < 8000, 'and nobody hangs')
  t.equal((await service.ask({ url: '/readyz' })).status, 200)
  t.strictSame(await findLost(connection, log), [])
  t.strictSame(await findMismatches(connection), [])
})

t.test('told to stop, it answers what it was asked and ends with 0', async (t) => {
  const traffic = writeAlong(world.team)
  await traffic.acknowledge(30)
  const toldAt = performance.now()
  const code = await world.service.end('SIGTERM')
  t.comment(`stopped in ${Math.round(performance.now() - toldAt)} ms`)
  t.equal(code, 0)
  const log = await traffic.stop()
  t.strictSame(statusesOf(log.filter(({ sentAt }) => sentAt < toldAt)), [200, 201])
  await world.restart(t)
  t.ok(world.service.startedInMs < 10_000)
  t.strictSame(await findLost(world.connection, log), [])
  t.strictSame(await findMismatches(world.connection), [])
})

/** A service over an embedded database of its own that keeps what it is given, with people in it; `root` ends it. */
async function startWorld(root: Test) {
  const dataDir = scratch(root)
  const first = await serve(root, { ASSENT_DATA_DIR: dataDir })
  const { port } = new URL(first.url)
  const connection = embeddedAt(dataDir)
  const world = {
    ...{ dataDir, connection, service: first },
    team: await makeTeamAt(first, connection),
    async restart(t: Test) {
      world.service = await serve(root, { ASSENT_DATA_DIR: dataDir, ASSENT_PORT: port })
      t.comment(`next start: ${Math.round(world.service.startedInMs)} ms (goal: 1000)`)
    },
  }
  return world
}

function statusesOf(log: Asked[]): (number | undefined)[] {
  return [...new Set(log.map(({ status }) => status))].sort()
}
