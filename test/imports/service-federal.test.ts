import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Answer, startApp } from '../app.js'
import { apply, register, rowsOf, upload } from './importing.js'

/** Folder with the public inventories; see the README of the data. */
const folder = process.env.ASSENT_TEST_DATA
const skip = folder ? false : 'set ASSENT_TEST_DATA to the folder that holds us-federal/'

t.setTimeout(240_000)

const files = {
  '2023-consolidated.csv': { rows: 710, retired: 0, profile: 'omb-2023', format: 'csv' },
  '2024-consolidated-v2.cp1252.csv': { rows: 2133, retired: 142, profile: 'omb-2024-v2', format: 'csv' },
  '2025-agency/doe.xlsx': { rows: 340, retired: 15, profile: 'omb-2025', format: 'xlsx' },
  '2025-agency/nasa.xlsx': { rows: 425, retired: 5, profile: 'omb-2025', format: 'xlsx' },
  '2025-agency/sec.cp1252.csv': { rows: 60, retired: 12, profile: 'omb-2025', format: 'csv' },
  '2025-agency/fdic.cp1252.csv': { rows: 50, retired: 14, profile: 'omb-2025', format: 'csv' },
}

const bytesOf = (name: string) => readFileSync(join(folder ?? '', 'us-federal', name))

function outcomesOf({ body }: Answer): number {
  const { created, updated, unchanged, needsAttention, refused } = body.counts
  return created + updated + unchanged + needsAttention + refused
}

t.test(
  'every row of every file is accounted for, and the same file again changes nothing',
  { skip },
  async (t) => {
    const server = await startApp(t)
    const admin = await server.person('Ada', { rights: ['administrator'] })
    let registered = 0
    for (const [name, expected] of Object.entries(files)) {
      const began = performance.now()
      const previewed = await upload(admin, bytesOf(name), { name })
      const nothing = await register(server)
      t.match(previewed, { status: 201, body: { state: 'previewed', needsConfirmation: false } }, name)
      t.match(previewed.body, { format: expected.format, profile: { id: expected.profile } }, name)
      t.equal(nothing.sources, registered, `${name}: a preview registers nothing`)
      const applied = await apply(admin, previewed)
      t.comment(`${name}: ${Math.round(performance.now() - began)} ms`)
      t.match(applied, { status: 200, body: { state: 'applied', counts: { rows: expected.rows } } }, name)
      t.equal(outcomesOf(applied), expected.rows, `${name}: the outcomes add up`)
      const { rows: all, registered: kept } = applied.body.counts
      t.equal(kept, all, `${name}: also what needs attention is registered`)
      t.match(applied.body.counts, { updated: 0, unchanged: 0, refused: 0, gone: 0 }, name)
      t.same(applied.body.counts, previewed.body.counts, `${name}: as the dry run said`)
      registered += expected.rows
      t.equal((await register(server)).sources, registered, `${name}: each row has its use case`)
      const retired = `select count(*)::int from use_case c join use_case_source s on s.use_case_id = c.id
      where s.import_id = $1 and c.retired_at is not null`
      const { rows } = await server.owner.query(retired, [applied.body.id])
      t.equal(rows[0].count, expected.retired, `${name}: what the source calls retired is`)
      await changesNothing(t, name, expected.rows)
    }

    async function changesNothing(t: Test, name: string, rows: number) {
      const before = await register(server)
      const began = performance.now()
      const again = await apply(admin, await upload(admin, bytesOf(name), { name }))
      t.comment(`${name} again: ${Math.round(performance.now() - began)} ms`)
      t.match(
        again.body.counts,
        { rows, unchanged: rows, needsAttention: 0, gone: 0, newUnits: 0, newSystems: 0 },
        name,
      )
      t.same(await register(server), before, `${name}: again, the register is what it was`)
    }
  },
)

t.test('the revised file of a register merges with its first release', { skip }, async (t) => {
  const server = await startApp(t)
  const admin = await server.person('Ada', { rights: ['administrator'] })
  const first = await apply(admin, await upload(admin, bytesOf('2024-consolidated-v1.csv')))
  t.match(first.body.counts, { rows: 1757, updated: 0, gone: 0 })
  const second = await apply(admin, await upload(admin, bytesOf('2024-consolidated-v2.cp1252.csv')))
  t.equal(outcomesOf(second), 2133)
  t.match(second.body, { register: 'us-federal-2024', counts: { rows: 2133, refused: 0, gone: 0 } })
  t.ok(second.body.counts.updated > 0 && second.body.counts.unchanged > 0)
  t.equal((await register(server)).sources, 2133, '376 are new, and none is there twice')
  const conflicts = (await rowsOf(admin, second, '&outcome=needs_attention')).filter((row) =>
    row.reasons.some(({ conflict }) => conflict !== null),
  )
  t.same(conflicts, [], 'nobody changed anything here, so nothing conflicts')

  const older = await apply(admin, await upload(admin, bytesOf('2024-consolidated-v1.csv')))
  t.equal(outcomesOf(older), 1757)
  t.equal(older.body.counts.gone, 376, 'the older file lacks what the newer one brought')
  t.equal((await register(server)).sources, 2133, 'and what is gone stays')
})

t.test('a use case shows the row that it came from, as it came', { skip }, async (t) => {
  const server = await startApp(t)
  const admin = await server.person('Ada', { rights: ['administrator'] })
  const applied = await apply(admin, await upload(admin, bytesOf('2025-agency/fdic.cp1252.csv')))
  const rows = await rowsOf(admin, applied)
  t.same(
    rows.map(({ ordinal }) => ordinal),
    rows.map((_, index) => index + 1),
  )
  for (const row of rows.slice(0, 5)) {
    const source = await admin.get(`/v1/use-cases/${row.useCaseId}/source`)
    const { ordinal, rowNumber, identity, raw } = row
    t.match(source, { status: 200, body: { register: 'us-federal-2025', importId: applied.body.id } })
    t.match(source.body, { ordinal, rowNumber, identity, raw })
    t.equal(Object.keys(source.body.raw).length, 25)
  }
  const { rows: shown } = await server.owner.query(
    'select raw from use_case_source_row where use_case_id = $1',
    [rows[0]?.useCaseId],
  )
  t.same(Object.entries(shown[0].raw), Object.entries(rows[0]?.raw ?? {}), 'exports see it in the same order')
})
