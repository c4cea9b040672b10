import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { type EmbeddedServer, prepareDatabase, startEmbedded } from '../../src/db/embedded.js'
import { findBinaries, linkLibraries } from '../../src/db/embedded-binaries.js'
import { RegistryError } from '../../src/errors.js'

const asRoot = process.getuid?.() === 0
const onlyRoot = { skip: asRoot ? false : 'needs root' }
const nobody = 65534

/** One directory goes through everything that can happen to it, and loses no row: making one costs most of a second. */
t.test('a data directory through its life', async (t) => {
  const dataDir = join(scratch(t), 'db')

  t.test('what keeps data never leaves out a sync; two stops are one', async (t) => {
    const server = await startEmbedded({ dataDir })
    await query(server, 'create table kept as select 42 as answer')
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums']) {
      t.same(await query(server, `show ${setting}`), [{ [setting]: 'on' }])
    }
    await Promise.all([server.stop(), server.stop()])
    await server.stop()
  })

  t.test('data outlive the stop, and settings are passed on', async (t) => {
    const server = await start(t, dataDir, { work_mem: '5MB' })
    await keeps(t, server)
    t.same(await query(server, 'show work_mem'), [{ work_mem: '5MB' }])
    t.same(await query(server, 'show fsync'), [{ fsync: 'off' }], 'as a test asks for')
  })

  t.test('a setting PostgreSQL refuses is told in its own words', async (t) => {
    const settings = { shared_buffers: 'plenty' }
    await refuses(t, dataDir, /did not start in .+ parameter "shared_buffers"/, settings)
  })

  t.test('nothing listens on the network, and the socket is closed to everybody else', async (t) => {
    const server = await start(t, dataDir)
    t.same(await query(server, 'show listen_addresses'), [{ listen_addresses: '' }])
    t.equal(statSync(server.socketDir).mode & 0o077, 0)
  })

  t.test('the two roles and the database are made once, and own what they should', async (t) => {
    const server = await start(t, dataDir)
    await prepareDatabase(server.connection)
    await prepareDatabase(server.connection)
    const owner = { ...server.connection, user: 'assent_owner', database: 'assent' }
    const app = { ...owner, user: 'assent_app' }
    await queryAs(owner, 'create extension pg_trgm')
    await queryAs(owner, 'create table fact (id int)')
    await t.rejects(queryAs(app, 'select from fact'), { code: '42501' })
    await t.rejects(queryAs(app, 'create table fact_2 (id int)'), { code: '42501' })
    await t.rejects(queryAs(app, 'create role more'), { code: '42501' })
    await t.rejects(queryAs({ ...app, database: 'postgres' }, 'create schema mine'), { code: '42501' })
  })

  t.test('in use it is refused, and its server goes on', async (t) => {
    const server = await start(t, dataDir)
    await refuses(t, dataDir, /^another Assent \(process \d+\) is using .+: stop it first/)
    const elsewhere = await runElsewhere(t, dataDir)
    t.match(elsewhere.line, /another Assent \(process \d+\) is using/)
    await keeps(t, server)
  })

  t.test('after kill -9 of Assent it serves again', async (t) => {
    const { line, child } = await runElsewhere(t, dataDir)
    t.equal(line, 'ready')
    const pid = postmasterOf(dataDir)
    await kill(child)
    const server = await start(t, dataDir)
    t.not(postmasterOf(dataDir), pid)
    await keeps(t, server)
  })

  t.test('an orphan that outlived its Assent is stopped first', async (t) => {
    const { child } = await runElsewhere(t, dataDir)
    const pid = postmasterOf(dataDir)
    process.kill(pid, 'SIGSTOP') // holds back the signal its parent's death sends
    await kill(child)
    const starting = start(t, dataDir)
    process.kill(pid, 'SIGCONT')
    await keeps(t, await starting)
  })

  t.test('a server that dies comes back by itself', async (t) => {
    const server = await start(t, dataDir)
    const pid = postmasterOf(dataDir)
    process.kill(pid, 'SIGKILL')
    for (let back = false; !back; ) {
      const answer = await query(server, 'select 1').catch(() => undefined)
      back = answer !== undefined && postmasterOf(dataDir) !== pid
    }
    await keeps(t, server)
    await server.stop()
    t.notOk(existsSync(join(dataDir, 'postmaster.pid')), 'and stops when asked')
  })

  t.test('a process id that now belongs to another program blocks nothing', async (t) => {
    const pidFile = join(dataDir, 'postmaster.pid')
    const first = await start(t, dataDir)
    const holder = readFileSync(pidFile, 'utf8').replace(/^\d+/, String(process.pid))
    await first.stop()
    writeFileSync(pidFile, holder)
    await keeps(t, await start(t, dataDir))
  })
})

t.test('a path may hold any character, and more bytes than a socket allows', async (t) => {
  const name = `${'deep/'.repeat(20)}it's "a" $(place), größer; & more=`
  const server = await start(t, join(scratch(t), name, 'db'))
  t.same(await query(server, 'select 1 as one'), [{ one: 1 }])
  await server.stop()
  t.notOk(existsSync(join(server.socketDir, '.s.PGSQL.5432')), 'the socket is gone')
})

t.test('a half-made database never counts', async (t) => {
  const dataDir = join(scratch(t), 'db')
  const child = spawnElsewhere(t, dataDir)
  while (!readdirSync(join(dataDir, '..')).some(isBeingMade)) await turn()
  await kill(child)
  t.notOk(existsSync(dataDir))
  const server = await start(t, dataDir)
  t.same(await query(server, 'select 1 as one'), [{ one: 1 }])
  t.same(readdirSync(join(dataDir, '..')).sort(), ['db', 'db.log'], 'and leaves nothing behind')
})

t.test('a directory with other files is refused and left as it was', async (t) => {
  const dataDir = join(scratch(t), 'db')
  mkdirSync(dataDir)
  writeFileSync(join(dataDir, 'letter.txt'), 'dear reader')
  await refuses(t, dataDir, /holds files but no database: empty it/)
  t.same(readdirSync(dataDir), ['letter.txt'])
})

t.test('a database of an older PostgreSQL is refused and left as it was', async (t) => {
  const dataDir = join(scratch(t), 'db')
  mkdirSync(dataDir)
  writeFileSync(join(dataDir, 'PG_VERSION'), '15\n')
  await refuses(t, dataDir, /written by PostgreSQL 15: move it away/)
  t.same(readdirSync(dataDir), ['PG_VERSION'])
})

t.test('a line break in the path is refused', async (t) => {
  await refuses(t, join(scratch(t), 'a\nb'), /line break/)
})

t.test('a platform without binaries is told to bring a database', (t) => {
  t.throws(() => findBinaries('sunos-sparc'), { code: 'unavailable', message: /set DATABASE_URL/ })
  t.throws(() => findBinaries(process.platform === 'linux' ? 'darwin-x64' : 'linux-x64'), {
    code: 'unavailable',
    message: /is not installed: run npm ci/,
  })
  t.end()
})

t.test('libraries are linked when npm ran no script, once and without harm', (t) => {
  const native = join(scratch(t), 'native')
  mkdirSync(join(native, 'lib'), { recursive: true })
  writeFileSync(join(native, 'lib', 'libx.so.1.2'), 'x')
  symlinkSync('libx.so.1.2', join(native, 'lib', 'libx.so'))
  const links = ['libx.so', 'libx.so.1'].map((name) => ({
    source: 'native/lib/libx.so.1.2',
    target: `native/lib/${name}`,
  }))
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links))
  linkLibraries(native)
  linkLibraries(native)
  t.equal(readFileSync(join(native, 'lib', 'libx.so.1'), 'utf8'), 'x')
  t.end()
})

t.test('as root, under a home that is closed to others', onlyRoot, async (t) => {
  const home = scratch(t)
  mkdirSync(join(home, 'closed'), { mode: 0o700 })
  const server = await start(t, join(home, 'closed', 'db'))
  const [row] = await query(server, 'show data_directory_mode')
  t.same(row, { data_directory_mode: '0700' })
  t.not(
    statSync(`/proc/${postmasterOf(join(home, 'closed', 'db'))}`).uid,
    0,
    'PostgreSQL does not run as root',
  )
})

t.test('as a normal user, and root later serves the same data', onlyRoot, async (t) => {
  const home = scratch(t)
  chownSync(home, nobody, nobody)
  const dataDir = join(home, 'db')
  const { line, child } = await runElsewhere(t, dataDir, nobody)
  if (line === '') {
    t.pass('not tried', { skip: 'this checkout is closed to other users' })
    return
  }
  t.equal(line, 'ready')
  await kill(child)
  const server = await start(t, dataDir)
  t.same(await query(server, 'select 1 as one'), [{ one: 1 }])
  const refused = await runElsewhere(t, dataDir, 1)
  t.match(refused.line, /belongs to another user/)
})

function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'assent-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  return folder
}

async function start(t: Test, dataDir: string, settings = {}): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDir, settings, durable: false })
  t.teardown(() => server.stop())
  return server
}

async function refuses(t: Test, dataDir: string, message: RegExp, settings = {}): Promise<void> {
  try {
    await (await startEmbedded({ dataDir, settings, durable: false })).stop()
    t.fail('it started')
  } catch (error) {
    t.type(error, RegistryError)
    t.match(error, { code: 'unavailable', message })
    t.notMatch((error as Error).message, /\n/)
  }
}

async function keeps(t: Test, server: EmbeddedServer): Promise<void> {
  t.same(await query(server, 'select answer from kept'), [{ answer: 42 }], 'with every row')
}

async function query(server: EmbeddedServer, sql: string): Promise<unknown[]> {
  return await queryAs(server.connection, sql)
}

async function queryAs(connection: pg.ClientConfig, sql: string): Promise<unknown[]> {
  const client = new pg.Client(connection)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Starts a server in a process of its own, which prints `ready` or why it refused. */
function spawnElsewhere(t: Test, dataDir: string, uid = process.getuid?.()): ChildProcess {
  const script = `
    const { startEmbedded } = await import(process.argv[1])
    const started = startEmbedded({ dataDir: process.argv[2], durable: false })
    console.log(await started.then(() => 'ready', (error) => error.message))
    setInterval(() => {}, 1000)`
  const module = new URL('../../src/db/embedded.js', import.meta.url).href
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, dataDir], {
    cwd: '/',
    uid,
    gid: uid,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => kill(child))
  return child
}

/** The first line that process prints, or nothing when it died before. */
async function runElsewhere(t: Test, dataDir: string, uid?: number) {
  const child = spawnElsewhere(t, dataDir, uid)
  let line = ''
  for await (const chunk of child.stdout ?? []) {
    line += chunk
    if (line.endsWith('\n')) break
  }
  return { line: line.trim(), child }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
}

function isBeingMade(name: string): boolean {
  return name.startsWith('db.draft-')
}

function postmasterOf(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8'), 10)
}
