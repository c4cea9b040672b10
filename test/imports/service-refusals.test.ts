import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeXlsx } from 'hucre/xlsx'
import t, { type Test } from 'tap'
import { startApp } from '../app.js'
import { refuses } from '../unchanged.js'
import { archiveOf } from './files.js'
import { csvOf, importFile, rowsOf, upload } from './importing.js'

t.setTimeout(240_000)

const header = ['key', 'title', 'purpose', 'benefits', 'orgUnit', 'stage', 'tags']
const row = ['A-1', 'Triage of claims', 'Sorts claims by urgency', 'Faster help', 'claims', 'pilot', 'home']
const sheet = csvOf(header, row)

async function startImporter(t: Test, env: Record<string, string> = {}) {
  const dataDir = t.testdir()
  const server = await startApp(t, { env: { ASSENT_DATA_DIR: dataDir, ...env } })
  const admin = await server.person('Ada', { rights: ['administrator'] })
  return { ...server, admin, waiting: () => readdirSync(join(dataDir, 'uploads')) }
}

t.test('what cannot be read is refused in a sentence, and leaves nothing behind', async (t) => {
  const { admin, waiting, ...server } = await startImporter(t)
  await upload(admin, sheet)
  const book = { name: 'xl/workbook.xml', content: Buffer.from('<workbook/>') }
  const bomb = archiveOf([book, { name: 'xl/sheet1.xml', content: Buffer.alloc(64 * 2 ** 20) }])
  const wide = csvOf(
    Array.from({ length: 501 }, (_, n) => `column ${n}`),
    [],
  )
  const unclosed = `${header.join()}\n"A-1,${'x'.repeat(6_000_000)}`
  const cases: [what: string, bytes: Buffer | string, detail: RegExp][] = [
    ['nothing at all', '', /the file is empty; choose the one that you mean/],
    ['blank lines only', '\n\n \n', /the file has no header/],
    ['a header and no rows', `${header.join()}\n`, /a header and no rows under it/],
    ['UTF-16', Buffer.from(sheet, 'utf16le'), /the file is UTF-16; save it as “CSV UTF-8”/],
    ['an image', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), /./],
    ['an old workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /old or password-protected workbook/],
    ['an archive that is no workbook', archiveOf([{ name: 'a.txt', content: Buffer.from('a') }]), /workbook/],
    ['a workbook bomb', bomb, /a part of the workbook unpacks to more than 200 times its size/],
    ['too many columns', wide, /the file has 501 columns, and 500 is the most/],
    ['a quote that is never closed', unclosed, /a quote that is never closed/],
    ['no column for a title', 'a,b\n1,2\n', /no column reads like a title/],
  ]
  for (const [what, bytes, detail] of cases) {
    await t.test(what, async (t) => {
      await refuses(t, server, async () => await upload(admin, bytes), { status: 422, detail })
    })
  }
  t.same(waiting(), [], 'no file lies on disk')
})

t.test('what the form says wrongly is refused in a sentence', async (t) => {
  const { admin, waiting, ...server } = await startImporter(t)
  await upload(admin, sheet)
  const nowhere = '00000000-0000-7000-8000-00000000dead'
  const cases: [fields: Record<string, string>, detail: RegExp][] = [
    [{ profile: 'omb-1999' }, /there is no mapping profile omb-1999; choose from assent, omb-2023/],
    [{ profile: 'omb-2025' }, /the file has no column .* for the title; choose another mapping/],
    [{ register: 'Our Register' }, /register/],
    [{ orgUnitId: 'claims' }, /orgUnitId/],
    [{ orgUnitId: nowhere }, /there is no org unit with this id/],
    [{ encoding: 'utf-7' }, /encoding/],
    [{ headerRow: '0' }, /headerRow/],
    [{ headerRow: '900' }, /the file has no header/],
    [{ mood: 'good' }, /mood/],
  ]
  for (const [fields, detail] of cases) {
    await refuses(t, server, async () => await upload(admin, sheet, fields), { status: 422, detail })
  }
  const json = { title: 'Triage' }
  await refuses(t, server, async () => await admin.post('/v1/imports', json), { status: 415 })
  t.same(waiting(), [])
})

t.test('bytes that are not the encoding somebody states, or any, come in as what they can be', async (t) => {
  const { admin } = await startImporter(t)
  const text = csvOf(header, ['A-1', 'Triage – fast', ...row.slice(2)])
  const cp1252 = Buffer.from(text.replace('–', '\x96'), 'latin1')
  const guessed = await importFile(admin, cp1252)
  t.match(guessed.body, { encoding: 'windows-1252', counts: { created: 1 } })
  t.equal((await rowsOf(admin, guessed))[0]?.raw.title, 'Triage – fast')
  const stated = await upload(admin, cp1252, { encoding: 'utf-8' })
  t.match(stated, { status: 422, body: { detail: /the file is not UTF-8; leave its encoding out/ } })
})

t.test('ragged rows are refused one by one, the others come in, and nothing of them is lost', async (t) => {
  const { admin } = await startImporter(t)
  const short = row.slice(0, 4)
  const long = [...row, 'one too many']
  const applied = await importFile(admin, csvOf(header, short, long, row))
  t.match(applied.body.counts, { rows: 3, created: 1, refused: 2 })
  const rows = await rowsOf(admin, applied)
  t.match(rows[0]?.reasons, [{ message: /row 2 has 4 cells, and the header names 7/ }])
  t.same(Object.values(rows[0]?.raw ?? {}), short)
  t.match(rows[1]?.reasons, [{ message: /row 3 fills 8 cells, and the header names 7 columns/ }])
  t.same(Object.values(rows[1]?.raw ?? {}), long)
})

t.test('a file of 200 columns comes in, and keeps every cell', async (t) => {
  const { admin } = await startImporter(t)
  const columns = [...header, ...Array.from({ length: 193 }, (_, n) => `Extra ${n}`)]
  const cells = [...row, ...Array.from({ length: 193 }, (_, n) => `cell ${n}`)]
  const applied = await importFile(admin, csvOf(columns, cells), { profile: 'assent' })
  t.match(applied.body.counts, { created: 1 })
  t.same(Object.values((await rowsOf(admin, applied))[0]?.raw ?? {}), cells)
})

t.test('text that facts cannot hold is cut with a reason, and kept whole with the row', async (t) => {
  const { admin } = await startImporter(t)
  const [title, purpose] = ['T'.repeat(400), 'p'.repeat(30_000)]
  const applied = await importFile(admin, csvOf(header, ['A-1', title, purpose, ...row.slice(3)]))
  t.match(applied.body.counts, { needsAttention: 1 })
  const [kept] = await rowsOf(admin, applied)
  t.match(kept, { raw: { title, purpose } })
  t.match(kept?.reasons, [
    { field: 'title', message: /only the first 300 characters were taken/ },
    { field: 'purpose', message: /only the first 20000 characters were taken/ },
  ])
})

t.test('a file beyond the limit is refused, before it is read', async (t) => {
  const { admin, ...server } = await startImporter(t, { ASSENT_UPLOAD_LIMIT: '2000' })
  await upload(admin, sheet)
  const many = csvOf(header, ...Array.from({ length: 100 }, () => row))
  await refuses(t, server, async () => await upload(admin, many), {
    status: 413,
    detail: /larger than 2000 bytes/,
  })
})

t.test('a CSV of 60 MB is either read to its end or refused with what is too much', async (t) => {
  const { admin, waiting, ...server } = await startImporter(t)
  await upload(admin, sheet)
  const line = `${row.join()}\n`
  const many = Buffer.from(`${header.join()}\n${line.repeat(Math.ceil((60 * 2 ** 20) / line.length))}`)
  const began = process.memoryUsage().rss
  const tooMany = { status: 422, detail: /the file has more than 200,000 rows; split it/ }
  await refuses(t, server, async () => await upload(admin, many), tooMany)
  t.comment(`RSS grew by ${Math.round((process.memoryUsage().rss - began) / 2 ** 20)} MB`)
  t.same(waiting(), [])
})

t.test('a workbook without rows, and one whose sheet is not there, are refused', async (t) => {
  const { admin, waiting, ...server } = await startImporter(t)
  await upload(admin, sheet)
  const bookOf = async (...rows: string[][]) =>
    Buffer.from(await writeXlsx({ sheets: [{ name: 'Register', rows }] }))
  const empty = await bookOf(header)
  await refuses(t, server, async () => await upload(admin, empty), {
    status: 422,
    detail: /no rows under it/,
  })
  const book = await bookOf(header, row)
  const lost = async () => await upload(admin, book, { sheet: 'Rows' })
  await refuses(t, server, lost, { status: 422, detail: /no sheet “Rows”; choose one of “Register”/ })
  t.same(waiting(), [])
})
