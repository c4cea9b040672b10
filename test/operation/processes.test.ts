// Two Assents on one database, and a database that says nothing any more.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startEmbedded } from '../../src/db/embedded.js'
import { ifMatch, personOf } from '../app.js'
import type { Connection } from '../database-run.js'
import { findMismatches, query, register, type Team } from './register.js'
import { makeTeamAt, type Service, scratch, serve } from './service.js'
import { findLost, writeAlong } from './traffic.js'

t.test('two processes that start at once on an empty database serve it together', async (t) => {
  const { env, connection } = await startDatabase(t)
  const deployed = { ...env, ASSENT_DEPLOYED_BY: 'release 41' }
  const [one, other] = await Promise.all([serve(t, deployed), serve(t, deployed)])
  const names = await query(connection, 'select name from schema_migration group by name')
  t.strictSame((await query(connection, 'select from schema_migration')).length, names.length)
  for (const { ask } of [one, other]) t.equal((await ask({ url: '/readyz' })).status, 200)
  const loaded = await query(
    connection,
    `select e.event_no as no, p.sealed #>> '{deployedBy,value}' as by from audit_event e
      join audit_payload p on p.event_id = e.id where e.type = 'policy.loaded'`,
  )
  t.strictSame(loaded, [{ no: 1, by: 'release 41' }], 'one of them records which policy is in force')
  const here = await makeTeamAt(one, connection)
  const there = moved(here, other)

  await t.test('of two edits of one revision one counts', async (t) => {
    let seen = await register(here, 'Edited on both sides')
    for (let n = 0; n < 10; n += 1) {
      const answers = await Promise.all(
        [here, there].map(async ({ business }, side) => {
          const change = { facts: { tags: [`${n} ${side}`] }, reason: 'edited' }
          return await business.patch(`/v1/use-cases/${seen.body.id}`, change, ifMatch(seen))
        }),
      )
      t.same(answers.map(({ status }) => status).sort(), [200, 412])
      seen = await there.business.get(`/v1/use-cases/${seen.body.id}`)
      t.equal(seen.body.revision, n + 2)
    }
  })

  await t.test('one Idempotency-Key sent to both has one effect', async (t) => {
    const body = { title: 'Registered once', purpose: 'sent twice', orgUnitId: here.unitId }
    const headers = { 'idempotency-key': 'sent-to-both-sides' }
    const answers = await Promise.all(
      [here, there].map(async ({ business }) => await business.post('/v1/use-cases', body, headers)),
    )
    t.same(
      answers.map(({ status }) => status),
      [201, 201],
    )
    t.same(answers[0]?.body, answers[1]?.body)
    t.strictSame((await query(connection, `select from use_case where title = 'Registered once'`)).length, 1)
  })

  await t.test('when one is killed, the other goes on', async (t) => {
    const [traffic, more] = [writeAlong(here), writeAlong(there)]
    await Promise.all([traffic.acknowledge(20), more.acknowledge(20)])
    await one.end('SIGKILL')
    await more.acknowledge(20)
    const [log, survivor] = [await traffic.stop(), await more.stop()]
    t.ok(survivor.every(({ status }) => status === 200 || status === 201))
    t.strictSame(await findLost(connection, [...log, ...survivor]), [])
    t.strictSame(await findMismatches(connection), [])
  })
})

t.test('a database that hangs', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const { env, connection, directory } = await startDatabase(t)
  const service = await serve(t, env)
  const team = await makeTeamAt(service, connection)
  const { body } = await register(team, 'Asked about meanwhile')
  const question = `/v1/gate?useCase=${body.key}&environment=production`
  t.equal((await team.pipeline.get(question)).status, 409)

  const processes = processesOf(directory)
  for (const pid of processes) process.kill(pid, 'SIGSTOP')
  t.teardown(() => resume(processes))
  const asked = performance.now()
  const [answers, write] = await Promise.all([
    Promise.all(Array.from({ length: 8 }, async () => await timed(team.pipeline.get(question)))),
    timed(register(team, 'Written meanwhile')),
  ])
  t.comment(`the gate took ${Math.round(Math.max(...answers.map(({ tookMs }) => tookMs)))} ms (goal: 3000)`)
  t.comment(`a write took ${Math.round(write.tookMs)} ms`)
  t.ok(
    answers.every(({ status, tookMs }) => status === 503 && tookMs < 6000),
    'the gate says so, and never allows',
  )
  t.equal(write.status, 503)
  t.ok(performance.now() - asked < 20_000)

  resume(processes)
  const resumedAt = performance.now()
  while ((await team.pipeline.get(question)).status !== 409) t.ok(performance.now() - resumedAt < 10_000)
  t.comment(`the gate was back in ${Math.round(performance.now() - resumedAt)} ms`)
  while ((await register(team, 'Written again')).status !== 201) t.ok(performance.now() - resumedAt < 10_000)
  t.strictSame(await findMismatches(connection), [])
})

/** A server of the test's own, reached by a URL, where Assent has never been. */
async function startDatabase(t: Test) {
  const directory = join(scratch(t), 'db')
  const server = await startEmbedded({ dataDir: directory, durable: false })
  t.teardown(() => server.stop())
  const connection: Connection = { ...server.connection, database: 'register' }
  await query(server.connection, 'create database register')
  const url = `postgres://${connection.user}@localhost/register?host=${encodeURIComponent(connection.host)}`
  return { directory, connection, env: { DATABASE_URL: url, ASSENT_DATA_DIR: join(directory, '..') } }
}

/** The same people at another process. */
function moved(team: Team, { ask }: Service): Team {
  return { ...team, business: personOf(ask, team.business.id, team.business.token) }
}

async function timed<T extends { status: number }>(asking: Promise<T>) {
  const began = performance.now()
  const { status } = await asking
  return { status, tookMs: performance.now() - began }
}

/** PostgreSQL and all its children. */
function processesOf(directory: string): number[] {
  const postmaster = Number.parseInt(readFileSync(join(directory, 'postmaster.pid'), 'utf8'), 10)
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger)
  return [postmaster, ...pids.filter((pid) => parentOf(pid) === postmaster)]
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^PPid:\s+(\d+)/m)?.[1])
  } catch {
    return undefined
  }
}

function resume(processes: number[]): void {
  for (const pid of processes) {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // a session that has ended since
    }
  }
}
