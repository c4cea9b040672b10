// Processes die at the worst of times: what was acknowledged is there, and what is there fits together.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { personOf } from '../app.js'
import { findMismatches, query, register, type Team } from './register.js'
import { embeddedAt, makeTeamAt, postmasterOf, runToEnd, type Service, scratch, serve } from './service.js'
import { type Asked, acknowledged, findLost, writeAlong } from './traffic.js'

const ROUNDS = 4
const busyFor2s = `do $$ begin
  while clock_timestamp() < now() + interval '2 s' loop null; end loop;
end $$`

t.test(
  'kill -9 of Assent, or of it and PostgreSQL at once, loses nothing that was acknowledged',
  async (t) => {
    const world = await startWorld(t)
    const { team, connection } = world
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
      await world.restart()
      t.equal((await world.service.ask({ url: '/readyz' })).status, 200, 'the next start works')
      t.strictSame(await findLost(connection, log), [], 'every acknowledged write is there')
      t.strictSame(await findMismatches(connection), [], 'changes and events are one to one')
    }
    t.comment(`${acknowledged(log).length} acknowledged writes in ${ROUNDS} rounds`)
  },
)

t.test('kill -9 of PostgreSQL alone: every request is answered, and Assent goes on by itself', async (t) => {
  const { dataDir, team, connection, service } = await startWorld(t)
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
  const world = await startWorld(t)
  const traffic = writeAlong(world.team)
  await traffic.acknowledge(30)
  const toldAt = performance.now()
  const code = await world.service.end('SIGTERM')
  t.comment(`stopped in ${Math.round(performance.now() - toldAt)} ms`)
  t.equal(code, 0)
  const log = await traffic.stop()
  t.strictSame(statusesOf(log.filter(({ sentAt }) => sentAt < toldAt)), [200, 201])
  await world.restart()
  t.ok(world.service.startedInMs < 10_000)
  t.strictSame(await findLost(world.connection, log), [])
  t.strictSame(await findMismatches(world.connection), [])
})

t.test('backed up beside a running service and restored elsewhere, all from the command line', async (t) => {
  const { dataDir, team, service } = await startWorld(t)
  const folder = scratch(t)
  const file = join(folder, 'register.tar.gz')
  const [here, there] = [{ ASSENT_DATA_DIR: dataDir }, { ASSENT_DATA_DIR: join(folder, 'there') }]
  const traffic = writeAlong(team)
  await traffic.acknowledge(20)
  const before = [...traffic.log]
  t.match(await runToEnd('backup', [file], here), {
    code: 0,
    output: /holds \d+ rows and 0 files of evidence/,
  })
  await traffic.stop()

  const whole = readFileSync(file)
  t.match(await runToEnd('backup', [file], here), { code: 1, output: /there is a file .* already/ })
  t.ok(readFileSync(file).equals(whole))
  for (const args of [[], ['x.zip'], [file, file], ['-.tar']]) {
    t.match(await runToEnd('backup', args, here), { code: 2, output: /takes the name of one new file/ })
  }
  t.match(await runToEnd('restore', [], there), { code: 2, output: /takes the name of one file/ })
  t.match(await runToEnd('restore', [join(dataDir, 'postgres.log')], there), {
    code: 1,
    output: /not a backup of Assent/,
  })
  t.match(await runToEnd('backup', [join(folder, 'b.tar')], there), {
    code: 1,
    output: /there is no database in/,
  })
  t.strictSame(readdirSync(folder), ['register.tar.gz'], 'what was refused left nothing behind')
  t.match(await runToEnd('restore', [file], here), { code: 1, output: /another Assent .* is using/ })

  t.match(await runToEnd('restore', [file], there), { code: 0, output: /restored \d+ rows/ })
  t.match(await runToEnd('restore', [file], there), { code: 1, output: /is not empty/ })
  t.match(await runToEnd('backup', [join(folder, 'again.tar')], there), { code: 0 }, 'also when nothing runs')
  const restored = await serve(t, there)
  t.strictSame(await findLost(embeddedAt(there.ASSENT_DATA_DIR), before), [])
  t.strictSame(await findMismatches(embeddedAt(there.ASSENT_DATA_DIR)), [])
  const [{ number }] = await query(
    embeddedAt(there.ASSENT_DATA_DIR),
    'select max(number)::int as number from use_case',
  )
  const answer = await register(rebound(team, restored), 'After the restore')
  t.equal(answer.status, 201, 'the same token signs in')
  t.ok(Number(answer.body.key.slice(3)) > number, 'and numbers go on')
  t.equal((await service.ask({ url: '/readyz' })).status, 200)
})

/** A service over an embedded database of its own that keeps what it is given, with people in it. */
async function startWorld(t: Test) {
  const dataDir = scratch(t)
  const first = await serve(t, { ASSENT_DATA_DIR: dataDir })
  t.comment(`first start, database made: ${Math.round(first.startedInMs)} ms (goal: 5000)`)
  t.ok(first.startedInMs < 50_000)
  const { port } = new URL(first.url)
  const connection = embeddedAt(dataDir)
  const world = {
    ...{ dataDir, connection, service: first },
    team: await makeTeamAt(first, connection),
    async restart() {
      world.service = await serve(t, { ASSENT_DATA_DIR: dataDir, ASSENT_PORT: port })
      t.comment(`next start: ${Math.round(world.service.startedInMs)} ms (goal: 1000)`)
    },
  }
  return world
}

/** The same people at another service. */
function rebound(team: Team, { ask }: Service): Team {
  return { ...team, business: personOf(ask, team.business.id, team.business.token) }
}

function statusesOf(log: Asked[]): (number | undefined)[] {
  return [...new Set(log.map(({ status }) => status))].sort()
}
