import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readXlsx } from 'hucre/xlsx'
import pg from 'pg'
import t, { type Test } from 'tap'
import { openTable } from '../../src/imports/read.js'
import type { Table } from '../../src/imports/table.js'
import type { Person, TestApp } from '../app.js'
import { approved, startCommittee } from '../committee.js'
import { allRows } from '../imports/files.js'
import { importFile } from '../imports/importing.js'
import { register, startWorld, type World } from '../standing/world.js'
import { cellsOf, csv, fetchRegister, pagesOf } from './exports.js'

t.setTimeout(240_000)

const xlsx = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

/** Texts that a workbook or its reader could trip over. */
const nasty = [
  '=1+1',
  '=HYPERLINK("https://example.org")',
  '@SUM(A1)',
  "'quoted'",
  '_x0041_ and _x000D_',
  '<b>&amp;</b> ]]>',
  'two\nlines, a\ttab and\r\nanother',
  '\u0001 control \u001f',
  'Größe 🚀 \u2028 \u007f',
  '0012',
  '2026-03-01',
]

t.test('a workbook tells the same as the other formats, and no cell of it is a formula', async (t) => {
  const world = await startWorld(t)
  await register(
    world,
    world.salesRisk,
    nasty.map((text) => ({
      ...{ title: `${text} as title`, purpose: `  ${text} as purpose`, benefits: text },
      ...{ orgUnitId: world.units.sales, tags: ['one', 'two'], answers: { personal_data: 'none' } },
    })),
  )
  const { bytes, headers } = await fetchBook(world, world.auditor, 'use-cases?format=xlsx')
  t.match(headers, {
    'content-type': xlsx,
    'content-disposition': 'attachment; filename="use-cases-2026-03-01.xlsx"',
  })
  const { table, rows } = await readBook(t, bytes)
  t.same([table.format, table.sheet, table.headerRow], ['xlsx', 'use-cases', 1])
  const [first] = cellsOf(await fetchRegister(world, world.auditor, 'use-cases', csv))
  t.same(
    table.columns.map(({ header }) => header),
    Object.keys(first ?? {}),
    'the columns are those of the CSV file',
  )
  const records = await pagesOf(world.auditor, 'use-cases', 50)
  t.equal(rows.length, nasty.length)
  for (const [index, record] of records.entries()) {
    const { title, purpose, benefits, key, revision, registeredAt } = record
    t.match(rows[index], {
      ...{ title, purpose, benefits, key, revision: String(revision), registeredAt, tags: 'one; two' },
      ...{ 'answer.personal_data': 'none', businessOwner: '' },
    })
  }
  const book = await readXlsx(bytes)
  const [sheet] = book.sheets
  t.same(sheet?.freezePane, { rows: 1 }, 'its header stays in view')
  t.same(
    [...(sheet?.cells?.values() ?? [])].filter(({ formula }) => formula !== undefined),
    [],
  )
})

t.test('each register comes as a workbook, by its name or by the header Accept', async (t) => {
  const committee = await startCommittee(t)
  await approved(committee)
  for (const name of ['use-cases', 'decisions', 'votes', 'grants']) {
    const asked = await fetchBook(committee, committee.auditor, name, xlsx)
    const { table, rows } = await readBook(t, asked.bytes)
    t.equal(table.sheet, name)
    const cells = cellsOf(await fetchRegister(committee, committee.auditor, name, csv))
    t.same(rows, cells, `${name} holds the cells of the CSV file, none of which needs to be defused`)
  }
  const inventory = await fetchBook(committee, committee.auditor, 'use-cases?columns=omb-2025&format=xlsx')
  const { rows } = await readBook(t, inventory.bytes)
  const query = 'use-cases?columns=omb-2025&format=csv'
  t.same(
    rows.map((row) => Object.values(row)),
    cellsOf(await fetchRegister(committee, committee.auditor, query, csv)).map((row) => Object.values(row)),
  )
})

t.test('a text longer than a cell is cut and says so, and the file still opens', async (t) => {
  const world = await startWorld(t)
  await fill(world, 1)
  await world.owner.query(`update use_case set benefits = repeat('🚀', 20000)`)
  const { bytes } = await fetchBook(world, world.auditor, 'use-cases?format=xlsx')
  const { rows } = await readBook(t, bytes)
  const [{ benefits } = { benefits: '' }] = rows
  t.equal(benefits, `${'🚀'.repeat(16_383)}…`, 'no character is cut in half')
})

t.test('what was exported as a workbook can be imported elsewhere', async (t) => {
  const here = await startWorld(t)
  const texts = nasty.slice(0, 6).map((text) => `${text} and more`)
  await register(
    here,
    here.salesRisk,
    texts.map((text) => ({
      ...{ title: text, purpose: text, orgUnitId: here.units.salesDe, stage: 'pilot', tags: ['one'] },
    })),
  )
  const { bytes } = await fetchBook(here, here.auditor, 'use-cases?format=xlsx')
  const there = await startWorld(t)
  const admin = await there.person('Root', { rights: ['administrator'] })
  const applied = await importFile(admin, bytes, { name: 'use-cases.xlsx' })
  t.match(applied.body, { profile: { id: 'assent' }, counts: { rows: 6, created: 6 } })
  t.same(
    (await pagesOf(there.auditor, 'use-cases', 50)).map(({ title, purpose }) => [title, purpose]),
    texts.map((text) => [text, text]),
  )
})

t.test('a workbook that breaks off does not look complete, and holds up nobody', async (t) => {
  const world = await startWorld(t)
  await fill(world, 1500)
  await world.app.listen({ port: 0, host: '127.0.0.1' })
  for (let turn = 0; turn < 3; turn += 1) {
    t.equal(await receiveWhile(world, () => breakExports(world)), false, 'the database went')
  }
  for (let turn = 0; turn < 3; turn += 1) await walkAway(world)
  const again = [1, 2, 3].map(async () => (await fetchRegister(world, world.auditor, 'grants', csv)).status)
  t.same(await Promise.all(again), [200, 200, 200], 'all connections for exports are back')
})

/** Use cases whose texts can hardly be compressed, so that a workbook is far larger than what sockets hold back. */
async function fill({ owner, units }: World, count: number): Promise<void> {
  await owner.query(
    `insert into use_case (id, created_at, updated_at, origin, version, title, purpose, benefits, outputs,
        org_unit_id, jurisdictions, channels, stage, system_ids, answers, tags, author_ids, computed_tier, fired,
        policy_digest)
      select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '2026-01-01', '2026-01-01', 'declared', 1,
        'Use ' || n, (select string_agg(md5(n || '.' || i), '') from generate_series(1, 900) i), '', '', $1, '{}',
        '{}', 'idea', '{}', '{}', '{}', '{}', 'limited', '[]', ''
      from generate_series(1, $2) n`,
    [units.sales, count],
  )
}

async function fetchBook({ app }: Pick<TestApp, 'app'>, { token }: Person, path: string, accept = '*/*') {
  const headers = { authorization: `Bearer ${token}`, accept }
  const answer = await app.inject({ url: `/v1/registers/${path}`, headers })
  if (answer.statusCode !== 200) throw new Error(answer.payload)
  return { bytes: answer.rawPayload, headers: answer.headers }
}

/** As the import reads it: rows by header. */
async function readBook(
  t: Test,
  bytes: Buffer,
): Promise<{ table: Table; rows: Record<string, string | undefined>[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'assent-book-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'register.xlsx')
  writeFileSync(path, bytes)
  const table = await openTable(path)
  const rows = (await allRows(table)).map(({ cells }) =>
    Object.fromEntries(table.columns.map(({ name, index }) => [name, cells[index] ?? ''])),
  )
  return { table, rows }
}

/** False when it broke off. */
async function receiveWhile(world: World, disturb: () => Promise<void>): Promise<boolean> {
  return await new Promise<boolean>((resolve, reject) => {
    const request = ask(world)
    request.once('error', reject)
    request.once('response', (response) => {
      response.once('data', () => void disturb().then(() => response.resume(), reject))
      response.once('error', () => resolve(false))
      response.once('end', () => resolve(response.complete))
    })
  })
}

async function walkAway(world: World): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = ask(world)
    request.once('response', (response) => {
      response.once('data', () => {
        response.destroy()
        resolve()
      })
    })
    request.once('error', reject)
  })
}

function ask({ app, auditor }: World) {
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/v1/registers/use-cases?format=xlsx`
  return get(url, { headers: { authorization: `Bearer ${auditor.token}` } })
}

async function breakExports({ connections }: TestApp): Promise<void> {
  const client = new pg.Client(connections.appConnection)
  await client.connect()
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'assent exports' and datname = current_database()`,
  )
  await client.end()
}
