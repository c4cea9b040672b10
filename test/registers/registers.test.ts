import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import pg from 'pg'
import t from 'tap'
import { canonicalize } from '../../src/audit/canonical.js'
import { csvCellsOf } from '../../src/db/cells.js'
import { copyOut } from '../../src/db/copy.js'
import { UseCaseRecord } from '../../src/registers/register.js'
import { csvLine } from '../../src/spreadsheet.js'
import type { Person, TestApp } from '../app.js'
import { approved, register as propose, startCommittee } from '../committee.js'
import { shipped } from '../imports/files.js'
import { importFile } from '../imports/importing.js'
import { register, startWorld, type World } from '../standing/world.js'
import { cellsOf, csv, fetchRegister, linesOf, ndjson, pagesOf } from './exports.js'

t.setTimeout(240_000)

/** Texts that a format could trip over. */
const nasty = [
  '=1+1',
  '+49 30 1234',
  '-5',
  '@SUM(A1)',
  "'=1",
  "''=1",
  "'quoted'",
  '"quoted", twice',
  'semi; colon',
  'two\nlines',
  'Größe 🚀 \u2028 \u007f',
  'back\\slash \\n \\.',
  '＝full width',
  'null',
  '{"a": 1}',
]

t.test('the formats tell the same, and NDJSON is canonical', async (t) => {
  const world = await startWorld(t)
  await register(
    world,
    world.salesRisk,
    nasty.map((text) => ({
      ...{ title: `${text} as title`, purpose: `${text} as purpose`, benefits: text, outputs: '' },
      ...{
        orgUnitId: world.units.sales,
        tags: ['one', 'two'],
        answers: { personal_data: 'none', autonomy: 'unknown' },
      },
    })),
  )
  const lines = linesOf(await fetchRegister(world, world.auditor, 'use-cases', ndjson))
  const records = lines.map((line) => JSON.parse(line))
  t.same(lines, records.map(canonicalize), 'each line is the canonical JSON of its record')
  t.same(await pagesOf(world.auditor, 'use-cases', 4), records)
  t.same(
    records.map(({ benefits }) => benefits),
    nasty,
    'and exact',
  )
  const exported = await fetchRegister(world, world.auditor, 'use-cases?format=csv', 'application/json')
  t.match(exported.headers, {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="use-cases-2026-03-01.csv"',
    'assent-settled': 'false',
  })
  const cells = cellsOf(exported)
  t.equal(cells.length, nasty.length)
  for (const [index, row] of cells.entries()) {
    const { title, purpose, benefits, key } = records[index]
    t.same(
      { title, purpose, benefits, key, tags: 'one; two', personal: 'none' },
      {
        ...{
          title: undone(row.title),
          purpose: undone(row.purpose),
          benefits: undone(row.benefits),
          key: row.key,
        },
        ...{ tags: row.tags, personal: row['answer.personal_data'] },
      },
    )
  }
})

t.test('no cell of a CSV file runs in a spreadsheet, and the text can be had back', async (t) => {
  const { connections, database } = await startWorld(t)
  t.ok(connections)
  const piece = fc.constantFrom(...'\'=+-@＝＋－＠\t\r\n",;ab é🚀\\'.split(''))
  const text = fc.oneof(
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
    fc.string(),
  )
  const storable = text.filter((value) => !value.includes('\u0000') && value.isWellFormed())
  await fc.assert(
    fc.asyncProperty(fc.array(storable, { minLength: 1, maxLength: 40 }), async (texts) => {
      const list = csvCellsOf({ cell: 'text' }, { cell: sql`c` }, [])
      const query = sql`select ${list} from unnest(${sql.param(texts)}::text[]) with ordinality as t (c, n) order by n`
      const written = await textOf(await copyOut(database.exports, query, 'csv'))
      if (written !== 'cell\n' + texts.map((value) => csvLine([value])).join(''))
        throw new Error('SQL and JavaScript write different cells')
      const cells = cellsOf({ text: written, status: 200, headers: {} }).map(({ cell = '' }) => cell)
      for (const [index, cell] of cells.entries()) {
        if (/^[=+\-@\t\r\n＝＋－＠]/.test(cell)) throw new Error(`${JSON.stringify(cell)} would run`)
        if (undone(cell) !== texts[index]) throw new Error(`${JSON.stringify(texts[index])} is lost`)
      }
    }),
    { numRuns: 60 },
  )
})

t.test('what was exported as CSV can be imported elsewhere, unharmed', async (t) => {
  const { answers: _columnEach, ...columns } = UseCaseRecord.shape
  t.same(shipped('assent').headers, Object.keys(columns), 'by its columns it is recognised')
  const here = await startWorld(t)
  const texts = nasty.map((text) => `${text} and more`)
  await register(
    here,
    here.salesRisk,
    texts.map((text) => ({
      ...{
        title: text.replace(/\s+/g, ' '),
        purpose: text,
        benefits: text,
        outputs: 'A score',
        stage: 'pilot',
      },
      ...{
        orgUnitId: here.units.salesDe,
        tags: ['one', 'two'],
        jurisdictions: ['DE'],
        channels: ['web chat'],
      },
      ...{ answers: { personal_data: 'none', autonomy: 'human_in_loop' }, technique: 'nlp' },
    })),
  )
  const { text } = await fetchRegister(here, here.auditor, 'use-cases', csv)
  const there = await startWorld(t)
  const admin = await there.person('Root', { rights: ['administrator'] })
  const applied = await importFile(admin, text, { name: 'use-cases.csv' })
  t.match(applied.body, { profile: { id: 'assent' }, counts: { rows: nasty.length, created: nasty.length } })
  const kept = [
    'title',
    'purpose',
    'benefits',
    'outputs',
    'stage',
    'technique',
    'orgUnit',
    'tags',
    'answers',
  ] as const
  const factsIn = async (world: World) =>
    (await pagesOf(world.auditor, 'use-cases', 50)).map((record) =>
      Object.fromEntries([...kept, 'jurisdictions', 'channels'].map((name) => [name, record[name]])),
    )
  t.same(await factsIn(there), await factsIn(here))
})

t.test('an export holds what the caller may export and see, and is refused to others', async (t) => {
  const world = await startWorld(t)
  const { units, salesRisk, claimsRisk, salesOwner, nobody, auditor, owner } = world
  await register(world, salesRisk, [
    { orgUnitId: units.sales },
    { orgUnitId: units.salesDe, riskOwnerId: claimsRisk.id },
  ])
  await register(world, claimsRisk, [{ orgUnitId: units.claims }])
  const unitsSeenBy = async (person: Person) => {
    const lines = linesOf(await fetchRegister(world, person, 'use-cases', ndjson)).map((line) =>
      JSON.parse(line),
    )
    t.same(await pagesOf(person, 'use-cases'), lines)
    t.same(
      cellsOf(await fetchRegister(world, person, 'use-cases', csv)).map(({ key }) => key),
      lines.map(({ key }) => key),
    )
    return lines.map(({ orgUnit }) => orgUnit)
  }
  t.same(await unitsSeenBy(auditor), ['sales', 'sales-de', 'claims'])
  t.same(await unitsSeenBy(salesRisk), ['sales', 'sales-de'])
  t.same(await unitsSeenBy(claimsRisk), ['claims'], 'one owned elsewhere is seen, but not exported')
  for (const name of ['use-cases', 'decisions', 'votes', 'grants']) {
    for (const accept of ['application/json', csv, ndjson]) {
      for (const person of [salesOwner, nobody]) {
        const { status, text } = await fetchRegister(world, person, name, accept)
        t.match(
          { status, ...JSON.parse(text) },
          { status: 403, rule: 'DR-09', detail: /export the register/ },
        )
      }
    }
  }
  const { rows } = await owner.query(
    `select count(*)::int as denials from audit_event where type = 'access.denied'`,
  )
  t.ok(rows[0].denials > 0, 'and the refusal is on record')
})

t.test('grants of other units, and votes and decisions about them, stay out of sight', async (t) => {
  const committee = await startCommittee(t)
  await approved(committee)
  const elsewhere = await committee.unit('elsewhere')
  const outsider = await committee.person('Otto', { rights: ['auditor'], unitId: elsewhere })
  const whole = await committee.person('Ada', { rights: ['auditor'] })
  for (const [name, count] of Object.entries({ decisions: 1, votes: 2, 'use-cases': 1 })) {
    t.equal((await pagesOf(whole, name)).length, count, name)
    t.equal((await pagesOf(committee.auditor, name)).length, count, name)
    t.same(await pagesOf(outsider, name), [], name)
    t.equal((await pagesOf(whole, `${name}?orgUnit=${committee.unitId}`)).length, count)
    t.same(await pagesOf(whole, `${name}?orgUnit=${elsewhere}`), [])
  }
  t.same(
    (await pagesOf(outsider, 'grants')).map(({ person }) => person),
    ['Otto'],
  )
  const [decision] = await pagesOf(whole, 'decisions')
  const votes = await pagesOf(whole, 'votes')
  t.same(
    decision?.voteIds,
    votes.map(({ id }) => id),
  )
  t.match(votes, [
    { seat: 'legal', person: 'Lea', choice: 'approve', round: 1, ordinal: 1 },
    { person: 'Rae' },
  ])
})

t.test('filters narrow the register as they do the list', async (t) => {
  const committee = await startCommittee(t)
  const cleared = await approved(committee)
  await propose(committee, { title: 'Another use', stage: 'pilot', tags: ['new'] })
  const found = async (query: string) =>
    (await pagesOf(committee.auditor, `use-cases?${query}`)).map(({ title }) => title)
  t.same(await found('standing=cleared'), [cleared.title])
  t.same(await found('tag=new&stage=pilot'), ['Another use'])
  t.same(await found(`tier=limited&owner=${committee.riskOwner.id}`), [cleared.title, 'Another use'])
  const past = `asOf=${committee.clock.at}`
  t.same(await found(`standing=unreviewed&${past}`), ['Another use'])
  const { status } = await committee.auditor.get('/v1/registers/use-cases?q=use')
  t.equal(status, 422, 'a search is no way to cut a register')
})

t.test('a stream that breaks off does not look complete, and holds up nobody', async (t) => {
  const world = await startWorld(t)
  await fill(world)
  await world.app.listen({ port: 0, host: '127.0.0.1' })
  for (let turn = 0; turn < 4; turn += 1) {
    const isComplete = await new Promise<boolean>((resolve, reject) => {
      const request = get(urlOf(world), { headers: { authorization: `Bearer ${world.auditor.token}` } })
      request.once('error', reject)
      request.once('response', (response) => {
        response.once('data', () => void breakExports(world).then(() => response.resume(), reject))
        response.once('error', () => resolve(false))
        response.once('end', () => resolve(response.complete))
      })
    })
    t.equal(isComplete, false)
  }
  for (let turn = 0; turn < 4; turn += 1) await walkAway(world)
  t.equal((await pagesOf(world.auditor, 'grants', 200)).length > 0, true, 'the service goes on')
  const again = [1, 2, 3].map(async () => (await fetchRegister(world, world.auditor, 'grants', csv)).status)
  t.same(await Promise.all(again), [200, 200, 200], 'with all its connections for exports')
})

/** Use cases that together are far larger than what sockets hold back. */
async function fill({ owner, units }: World): Promise<void> {
  await owner.query(
    `insert into use_case (id, created_at, updated_at, origin, version, title, purpose, benefits, outputs,
        org_unit_id, jurisdictions, channels, stage, system_ids, answers, tags, author_ids, computed_tier, fired,
        policy_digest)
      select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '2026-01-01', '2026-01-01', 'declared', 1,
        'Use ' || n, repeat('long ', 20000), '', '', $1, '{}', '{}', 'idea', '{}', '{}', '{}', '{}', 'limited', '[]', ''
      from generate_series(1, 300) n`,
    [units.sales],
  )
}

function urlOf({ app }: TestApp): string {
  const { port } = app.server.address() as AddressInfo
  return `http://127.0.0.1:${port}/v1/registers/use-cases?format=ndjson`
}

async function breakExports({ connections }: TestApp): Promise<void> {
  const client = new pg.Client(connections.appConnection)
  await client.connect()
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'assent exports' and datname = current_database()`,
  )
  await client.end()
}

/** Reads a little, then goes. */
async function walkAway(world: World): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = get(urlOf(world), { headers: { authorization: `Bearer ${world.auditor.token}` } })
    request.once('response', (response) => {
      response.once('data', () => {
        response.destroy()
        resolve()
      })
    })
    request.once('error', reject)
  })
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** As the import of Assent's own columns takes the apostrophe off. */
function undone(cell = ''): string {
  return cell.replace(/^'(?='*[=+\-@\t\r\n＝＋－＠])/, '')
}
