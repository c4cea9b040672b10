// A backup is whole, as of one instant, and comes back row for row; anything less is refused.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type pg from 'pg'
import t, { type Test } from 'tap'
import { digestOf } from '../../src/audit/digest.js'
import { type Member, PART_SIZE, pack, unpack } from '../../src/db/backup/archive.js'
import { type Manifest, sealOf } from '../../src/db/backup/manifest.js'
import { readBackup } from '../../src/db/backup/read.js'
import { assertRestorable, restore } from '../../src/db/backup/restore.js'
import { backUp } from '../../src/db/backup/write.js'
import { migrate, runMigrations, shippedMigrations } from '../../src/db/migrate.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { personOf, startApp } from '../app.js'
import { type Connection, openClient } from '../database-run.js'
import {
  createBlank,
  findMismatches,
  liveThrough,
  makeTeam,
  query,
  readEverything,
  register,
} from './register.js'

t.test('taken while others write, it brings back every row of one instant', async (t) => {
  const folder = t.testdir()
  const evidenceDir = join(folder, 'evidence')
  const app = await startApp(t, { env: { ASSENT_EVIDENCE_DIR: evidenceDir } })
  const team = await makeTeam(app)
  const large = Buffer.alloc(2 * PART_SIZE + 7, 'evidence')
  t.same(
    await liveThrough(team, 'Triage of claims', [Buffer.from('%PDF-1.7 small'), large, Buffer.from('x')]),
    [201, 200, 201, 201, 201, 201, 201, 201, 403],
  )
  for (let i = 0; i < 30; i += 1) await register(team, `Scoring ${i}`, 3000)

  const writers = keepWriting(
    async (n) => void (await liveThrough(team, `Meanwhile ${n}`, [Buffer.from(`${n}`)])),
  )
  const client = await connect(t, app.connections.ownerConnection)
  const store = new FolderStore(evidenceDir)
  let truth: Promise<Record<string, string[]>> | undefined
  const evidence = {
    async open(stored: { digest: string; size: number }) {
      truth ??= readSnapshot(client, app.connections.ownerConnection)
      await truth
      return await store.open(stored)
    },
  }
  const file = join(folder, 'backup.tar')
  const manifest = await backUp({ client, evidence, assent: '0.1.0' }, file)
  t.ok((await writers.stop()) > 0, 'others wrote all the while')

  const other = await createBlank(t)
  const otherStore = new FolderStore(join(folder, 'other'))
  const target = { client: await connect(t, other.ownerConnection), evidence: otherStore }
  t.same(await readBackup(file), manifest)
  await restore(target, file, manifest)

  const restored = await readEverything(target.client)
  t.ok(truth)
  t.strictSame(restored, await truth, 'every table is row for row what it was')
  t.same(Object.keys(restored).sort(), manifest.tables.map(({ name }) => name).sort())
  t.same(await findMismatches(other.ownerConnection), [])
  t.strictSame(
    await listConstraints(other.ownerConnection),
    await listConstraints(app.connections.ownerConnection),
  )
  const [biggest] = await query(other.ownerConnection, 'select digest, size from evidence order by size desc')
  const bytes = await otherStore.open({ digest: biggest.digest, size: Number(biggest.size) })
  t.ok(Buffer.concat(await bytes.toArray()).equals(large))

  const again = await startApp(t, { connections: other, env: { ASSENT_EVIDENCE_DIR: join(folder, 'other') } })
  const business = personOf(again.ask, team.business.id, team.business.token)
  t.match(await register({ ...team, business }, 'After the restore'), {
    status: 201, // the same token signs in
    body: { key: `UC-${Number(manifest.sequences[0]?.lastValue) + 1}` }, // numbers go on where they were
  })
})

t.test('what is not a whole backup is refused, and nothing is left behind', async (t) => {
  const folder = t.testdir()
  const { file, manifest } = await makeBackup(t, folder)
  const whole = readFileSync(file)
  const blank = await createBlank(t)
  const bad = join(folder, 'bad.tar')
  const refuses = async (bytes: Uint8Array, message: RegExp) => {
    writeFileSync(bad, bytes)
    await t.rejects(readBackup(bad), { name: 'RegistryError', code: 'invalid', message })
  }

  await t.test('altered in any place', async () => {
    for (let at = 7; at < whole.length; at += 97) {
      const altered = Buffer.from(whole)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      await refuses(altered, at < 512 ? /not a backup of Assent/ : /damaged at|not a backup/)
    }
  })

  await t.test('cut off in any place', async () => {
    for (let length = 512; length < whole.length; length += 509) {
      await refuses(whole.subarray(0, length), /cut off before its end/)
    }
    await refuses(whole.subarray(0, whole.length - 1024), /cut off before its end/)
    const packed = gzipSync(whole)
    for (let length = 20; length < packed.length; length += 499) {
      await refuses(packed.subarray(0, length), /cut off before its end/)
    }
  })

  await t.test('packed, and altered in any place that counts', async (t) => {
    const packed = gzipSync(whole)
    for (let at = 10; at < packed.length; at += 211) {
      const altered = Buffer.from(packed)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      await refuses(altered, /damaged|cut off|not a backup/)
    }
    writeFileSync(bad, packed)
    t.same(await readBackup(bad), manifest)
  })

  await t.test('something else', async (t) => {
    await refuses(Buffer.alloc(0), /not a backup of Assent/)
    await refuses(Buffer.from('dear reader'.repeat(100)), /not a backup of Assent/)
    await refuses(gzipSync('dear reader'.repeat(100)), /not a backup of Assent/)
    await refuses(Buffer.alloc(4096), /not a backup of Assent/)
    await refuses(await tarOf({ 'letters/mother': 'dear' }), /not a backup of Assent/)
    await refuses(Buffer.concat([whole, Buffer.from('more')]), /damaged at its end/)
    await t.rejects(readBackup(folder), { code: 'invalid', message: /not a backup of Assent/ })
    await t.rejects(readBackup(join(folder, 'nowhere.tar')), { code: 'invalid', message: /cannot be read/ })
  })

  t.strictSame(await query(blank.ownerConnection, `select from pg_class where relname = 'person'`), [])
})

t.test('a backup that was made up, seal and all, is refused, and nothing is left behind', async (t) => {
  const folder = t.testdir()
  const made = await makeBackup(t, folder)
  const blank = await createBlank(t)
  const client = await connect(t, blank.ownerConnection)
  const target = { client, evidence: new FolderStore(join(folder, 'other')) }
  const refuses = async (change: Change, code: string, message: RegExp) => {
    const forged = join(folder, 'forged.tar')
    writeFileSync(forged, await forge(made.file, change))
    const restoring = readBackup(forged).then(async (manifest) => {
      assertRestorable(manifest)
      await restore(target, forged, manifest)
    })
    await t.rejects(restoring, { name: 'RegistryError', code, message })
    t.strictSame(await readEverything(client), {}, 'no table')
    t.strictSame(filesIn(join(folder, 'other')), [], 'no file')
  }
  const rows = (table: string, change: (rows: string) => string): Change => ({ [`tables/${table}`]: change })
  const manifest = (change: (manifest: Manifest) => void): Change => ({
    'manifest.json': (text) => {
      const parsed = JSON.parse(text)
      change(parsed)
      return JSON.stringify(parsed)
    },
  })

  await refuses(rows('audit_event', withoutLastLine), 'invalid', /lacks events|do not agree|break a rule/)
  await refuses(
    rows('use_case', (text) => text.replace(/^((?:[^\t]*\t){3})\d+/, '$199')), // last_event_no
    'invalid',
    /do not agree|break a rule/,
  )
  await refuses(
    rows('vote', (text) => text.replace('request_changes', 'shrug')),
    'invalid',
    /rows of vote break a rule/,
  )
  await refuses(
    rows('person', () => ''),
    'invalid',
    /damaged|break a rule/,
  )
  await refuses(
    manifest(({ tables }) => void tables.pop()),
    'invalid',
    /damaged/,
  )
  await refuses(
    manifest((made) => void Object.assign(made, { formatVersion: 2 })),
    'invalid',
    /newer Assent/,
  )
  await refuses(
    manifest(({ migrations }) => void migrations.push({ name: '9999_later.sql', digest: digestOf('') })),
    'conflict',
    /whose 9999_later.sql this version does not know/,
  )
})

t.test('a backup of an earlier version comes back as this one', async (t) => {
  const folder = t.testdir()
  const evidence = new FolderStore(join(folder, 'evidence'))
  const shipped = shippedMigrations()
  for (const count of [3, shipped.length - 1]) {
    const earlier = await connect(t, (await createBlank(t)).ownerConnection)
    await earlier.query('begin')
    await runMigrations(earlier, shipped.slice(0, count))
    await earlier.query('commit')
    await earlier.query(`update org_unit set name = 'Ours since ${count}'`)
    const file = join(folder, `${count}.tar`)
    const manifest = await backUp({ client: earlier, evidence, assent: '0.0.1' }, file)
    t.equal(manifest.migrations.length, count)

    const client = await connect(t, (await createBlank(t)).ownerConnection)
    assertRestorable(manifest)
    await restore({ client, evidence }, file, manifest)
    t.match((await client.query('select name from org_unit')).rows, [{ name: `Ours since ${count}` }])
    t.strictSame(await migrate(client), [], 'and nothing is left to migrate')
  }
})

t.test('a restore into a database that holds anything is refused', async (t) => {
  const folder = t.testdir()
  const { file, manifest, connections } = await makeBackup(t, folder)
  const client = await connect(t, connections.ownerConnection)
  const before = await readEverything(client)
  const target = { client, evidence: new FolderStore(join(folder, 'other')) }
  await t.rejects(restore(target, file, manifest), { code: 'conflict', message: /is not empty/ })
  t.strictSame(await readEverything(client), before)
  t.strictSame(filesIn(join(folder, 'other')), [])
})

t.test('a restore that cannot be finished leaves nothing behind', async (t) => {
  const folder = t.testdir()
  const { file, manifest } = await makeBackup(t, folder)
  const { ownerConnection } = await createBlank(t)
  const store = new FolderStore(join(folder, 'other'))
  const fails = async (put: Put, message: RegExp) => {
    const client = await connect(t, ownerConnection)
    const has = async (digest: string) => await store.has(digest)
    const remove = async (digest: string) => await store.remove(digest)
    const restoring = restore({ client, evidence: { has, put, remove } }, file, manifest)
    await t.rejects(restoring, { name: 'RegistryError', code: 'unavailable', message })
    t.strictSame(filesIn(join(folder, 'other')), [])
    t.strictSame(await query(ownerConnection, `select from pg_class where relname = 'person'`), [])
  }

  await fails(async (bytes, digest) => {
    await store.put(bytes, digest)
    await query(ownerConnection, endIdle)
  }, /did not finish .*connection/i)
  await fails(async () => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }, /did not finish .*no space left/)

  const client = await connect(t, ownerConnection)
  await restore({ client, evidence: store }, file, manifest)
  t.strictSame(await findMismatches(ownerConnection), [], 'so the next attempt succeeds')
})

t.test('a backup that cannot be finished is not kept', async (t) => {
  const folder = t.testdir()
  const { file, evidenceDir, connections } = await makeBackup(t, folder)
  const evidence = new FolderStore(evidenceDir)
  const before = readFileSync(file)
  const refuses = async (
    name: string,
    expected: { code: string; message: RegExp },
    { open = async (stored) => await evidence.open(stored), signal, connection }: Obstacle = {},
  ) => {
    const client = await connect(t, connection ?? connections.ownerConnection)
    const source = { client, evidence: { open }, assent: '0.1.0' }
    const backup = backUp(source, join(folder, name), signal?.(client))
    await t.rejects(backup, { name: 'RegistryError', ...expected })
    await client.end()
    t.strictSame(
      filesIn(folder).filter((path) => !path.startsWith('evidence/')),
      ['backup.tar'],
    )
  }

  await refuses('backup.tar', { code: 'conflict', message: /there is a file .* already/ })
  t.ok(readFileSync(file).equals(before), 'the earlier one is as it was')
  await refuses('nowhere/new.tar', { code: 'unavailable', message: /did not finish/ })
  await refuses(
    'new.tar',
    { code: 'unavailable', message: /did not finish .*aborted/ },
    { signal: () => AbortSignal.abort() },
  )
  const lost = new FolderStore(join(folder, 'lost'))
  await refuses(
    'new.tar',
    { code: 'unavailable', message: /missing from the evidence store/ },
    {
      open: async (stored) => await lost.open(stored),
    },
  )
  await refuses(
    'new.tar',
    { code: 'unavailable', message: /sha256:.* was altered in its store/ },
    {
      open: async () => Readable.from([Buffer.from('other bytes')]),
    },
  )
  await refuses(
    'new.tar',
    { code: 'unavailable', message: /did not finish .*connection/i },
    {
      async open(stored) {
        await query(connections.ownerConnection, endIdle)
        return await evidence.open(stored)
      },
    },
  )
  await query(connections.ownerConnection, 'create table scratch (id int)')
  await refuses('new.tar', {
    code: 'unavailable',
    message: /the table scratch is not of this version of Assent/,
  })
  const blank = await createBlank(t)
  await refuses(
    'new.tar',
    { code: 'unavailable', message: /holds no Assent/ },
    { connection: blank.ownerConnection },
  )
})

t.test('a migration and a backup wait for each other', async (t) => {
  const folder = t.testdir()
  const { evidenceDir, connections } = await makeBackup(t, folder)
  const migrating = await connect(t, connections.ownerConnection)
  await migrating.query(
    'begin; lock table schema_migration in exclusive mode; alter table system add note text',
  )
  const client = await connect(t, connections.ownerConnection)
  const evidence = new FolderStore(evidenceDir)
  const backup = backUp({ client, evidence, assent: '0.1.0' }, join(folder, 'new.tar'))
  for (;;) {
    const waiting = await migrating.query('select from pg_locks where not granted')
    if (waiting.rowCount) break
  }
  await migrating.query('commit')
  const { tables } = await backup
  t.match(tables.find(({ name }) => name === 'system')?.columns, /note/, 'it holds what the migration made')
})

t.test('members of any size come out as they went in', async (t) => {
  const sizes = fc.constantFrom(0, 1, 511, 512, 513, PART_SIZE - 1, PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE)
  const cuts = fc.array(fc.integer({ min: 1, max: PART_SIZE }), { maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(sizes, cuts), { minLength: 1, maxLength: 3 }), async (list) => {
      const members = list.map(([size, at], n) => ({
        name: `tables/t${n}`,
        bytes: Buffer.alloc(size, `${n}.`),
        at,
      }))
      const packed = Buffer.concat(await gather(pack(asMembers(members))))
      const found = await gather(contents(unpack(chunksOf(packed, list[0]?.[1] ?? []))))
      t.strictSame(
        found.map(({ name, bytes }) => [name, digestOf(bytes)]),
        members.map(({ name, bytes }) => [name, digestOf(bytes)]),
      )
    }),
    { numRuns: 20 },
  )
})

interface Obstacle {
  open?: (stored: { digest: string; size: number }) => Promise<Readable>
  signal?: (client: pg.Client) => AbortSignal
  connection?: Connection
}

type Put = (bytes: AsyncIterable<Uint8Array>, digest: string) => Promise<void>

/** Ends the owner's sessions that are in the middle of a transaction. */
const endIdle = `select pg_terminate_backend(pid, 5000) from pg_stat_activity
  where datname = current_database() and usename = current_user and state = 'idle in transaction'`

type Change = Record<string, (content: string) => string>

/** A small register and its backup. */
async function makeBackup(t: Test, folder: string) {
  const evidenceDir = join(folder, 'evidence')
  const app = await startApp(t, { env: { ASSENT_EVIDENCE_DIR: evidenceDir } })
  await liveThrough(await makeTeam(app), 'Triage of claims', [Buffer.from('%PDF-1.7')])
  const { connections } = app
  const client = await connect(t, connections.ownerConnection)
  const file = join(folder, 'backup.tar')
  const evidence = new FolderStore(evidenceDir)
  const manifest = await backUp({ client, evidence, assent: '0.1.0' }, file)
  await client.end()
  return { file, manifest, evidenceDir, connections }
}

async function connect(t: Test, connection: Connection): Promise<pg.Client> {
  const client = await openClient(connection)
  client.on('error', () => {})
  t.teardown(() => client.end())
  return client
}

/** What the backup's own transaction sees, read beside it while others write. */
async function readSnapshot(backup: pg.Client, connection: Connection): Promise<Record<string, string[]>> {
  const { rows } = await backup.query('select pg_export_snapshot() as id')
  const client = await openClient(connection)
  await client.query('begin isolation level repeatable read')
  await client.query(`set transaction snapshot '${rows[0].id}'`)
  return await readEverything(client).finally(() => client.end())
}

/** Writes again and again until it is told to stop; says how often. */
function keepWriting(write: (n: number) => Promise<void>) {
  let count = 0
  let isOver = false
  const writer = async () => {
    while (!isOver) await write(++count)
  }
  const writers = [writer(), writer()]
  return {
    async stop(): Promise<number> {
      isOver = true
      await Promise.all(writers)
      return count
    },
  }
}

async function listConstraints(connection: Connection) {
  return await query(
    connection,
    `select conrelid::regclass::text, conname, convalidated, pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace order by 1, 2`,
  )
}

/** Changes members of a backup and seals it anew. */
async function forge(file: string, changes: Change): Promise<Buffer> {
  const members = new Map<string, string>()
  for await (const { name, bytes } of contents(unpack(Readable.from([readFileSync(file)])))) {
    const change = changes[name] ?? ((content: string) => content)
    members.set(name, name === 'manifest.json' ? bytes.toString() : change(bytes.toString()))
  }
  const manifest: Manifest = JSON.parse(members.get('manifest.json') ?? '')
  for (const table of manifest.tables) {
    const rows = members.get(`tables/${table.name}`) ?? ''
    Object.assign(table, { rows: rows.split('\n').length - 1, digest: digestOf(rows) })
  }
  const change = changes['manifest.json'] ?? ((content: string) => content)
  const text = change(JSON.stringify(manifest))
  members.set('manifest.json', text)
  members.set('manifest.json.sha256', sealOf(digestOf(text)))
  return await tarOf(Object.fromEntries(members))
}

async function tarOf(members: Record<string, string>): Promise<Buffer> {
  const list = Object.entries(members).map(([name, content]) => ({
    name,
    bytes: Buffer.from(content),
    at: [],
  }))
  return Buffer.concat(await gather(pack(asMembers(list))))
}

async function* asMembers(list: { name: string; bytes: Buffer; at: number[] }[]): AsyncGenerator<Member> {
  for (const { name, bytes, at } of list) yield { name, bytes: chunksOf(bytes, at) }
}

/** Cuts bytes into chunks of these lengths, and the rest. */
async function* chunksOf(bytes: Buffer, lengths: number[]): AsyncGenerator<Buffer> {
  let start = 0
  for (const length of lengths) {
    yield bytes.subarray(start, start + length)
    start += length
  }
  yield bytes.subarray(start)
}

async function* contents(members: AsyncIterable<Member>): AsyncGenerator<{ name: string; bytes: Buffer }> {
  for await (const { name, bytes } of members) {
    yield { name, bytes: Buffer.concat(await gather(bytes)) }
  }
}

async function gather<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

function withoutLastLine(rows: string): string {
  return rows.replace(/[^\n]*\n$/, '')
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}
