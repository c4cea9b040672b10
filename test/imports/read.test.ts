import { createWriteStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { type WriteSheet, writeXlsx } from 'hucre/xlsx'
import t from 'tap'
import { RegistryError } from '../../src/errors.js'
import { openTable, type ReadOptions } from '../../src/imports/read.js'
import { newTally, rawRecord } from '../../src/imports/table.js'
import { allRows, archiveOf, bookOf, type Part } from './files.js'

const folder = t.testdir()
let files = 0

function fileOf(content: string | Uint8Array): string {
  files += 1
  const path = join(folder, `file-${files}`)
  writeFileSync(path, content)
  return path
}

async function read(content: string | Uint8Array, options?: ReadOptions) {
  const table = await openTable(fileOf(content), options)
  const tally = newTally()
  const cells: string[][] = []
  for await (const row of table.rows(tally)) cells.push(row.cells)
  return { table, tally, cells, names: table.columns.map(({ name }) => name) }
}

async function refusalOf(content: string | Uint8Array, options?: ReadOptions): Promise<string> {
  try {
    await read(content, options)
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'invalid') return error.message
    throw error
  }
  throw new Error('the file was read')
}

const workbookOf = (sheets: WriteSheet[]) => writeXlsx({ sheets })

t.test('CSV is read in the encoding it has, and says which', async (t) => {
  const text = 'Title,Purpose\nNaïve “quotes” – €5,it’s done\n'
  const expected = [['Naïve “quotes” – €5', 'it’s done']]
  const cp1252 = Buffer.from(
    text.replace(
      /[“”–€’]/g,
      (c) => ({ '“': '\x93', '”': '\x94', '–': '\x96', '€': '\x80', '’': '\x92' })[c] ?? '',
    ),
    'latin1',
  )
  for (const [bytes, encoding] of [
    [Buffer.from(text), 'utf-8'],
    [Buffer.from(`\ufeff${text}`), 'utf-8'],
    [cp1252, 'windows-1252'],
  ] as const) {
    const { table, cells, names } = await read(bytes)
    t.same([table.encoding, names, cells], [encoding, ['Title', 'Purpose'], expected])
  }
})

t.test('a character that is cut in two by the end of a piece is read whole', async (t) => {
  const long = `${'x'.repeat(65_535 - 'Title\n'.length)}é`
  t.same((await read(`Title\n${long}\n`)).cells, [[long]])
  t.equal((await read(Buffer.from('Title\nabc\xc3', 'latin1'))).table.encoding, 'windows-1252')
})

t.test('the encoding that a profile states is used although the bytes would also be UTF-8', async (t) => {
  t.same((await read('Title\nné\n', { encoding: 'windows-1252' })).cells, [['nÃ©']])
})

t.test('UTF-16, with or without its mark, and what is not text are refused in a sentence', async (t) => {
  const utf16 = Buffer.from('Title,Purpose\nA,B\n', 'utf16le')
  const advice = 'the file is UTF-16; save it as “CSV UTF-8” and import that'
  t.equal(await refusalOf(utf16), advice)
  t.equal(await refusalOf(Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])), advice)
  t.equal(await refusalOf(Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])), advice)
  t.match(await refusalOf(`Title\n${'a'.repeat(20)}\u0000\n`), /not text: byte 27 is NUL/)
  t.match(await refusalOf(Buffer.from('d0cf11e0a1b11ae1', 'hex')), /old or password-protected workbook/)
  t.match(await refusalOf('%PDF-1.7'), /is a PDF/)
  t.match(await refusalOf(Buffer.from('1f8b0800', 'hex')), /gzip/)
})

t.test('an empty file has no header, a header alone has no rows', async (t) => {
  t.match(await refusalOf(''), /the file is empty/)
  t.match(await refusalOf('\n\n  \n'), /no header/)
  const { cells, names, tally } = await read('Title,Purpose\r\n')
  t.same([cells, names, tally], [[], ['Title', 'Purpose'], { rows: 0, blankRows: 0, brokenRows: 0 }])
})

t.test('the header is found below a title and below the names of sections', async (t) => {
  const below = 'Register of 2025,,,\n"Section 1\nfill in",,Section 2,\nId,Title,Purpose,Stage\n1,A,B,C\n'
  const { table, names, cells } = await read(below)
  t.same([table.headerRow, names, cells], [3, ['Id', 'Title', 'Purpose', 'Stage'], [['1', 'A', 'B', 'C']]])
  const told = await read('A,B\nTitle,Purpose\n1,2\n', { headerRow: 2 })
  t.same([told.names, told.cells], [['Title', 'Purpose'], [['1', '2']]])
  t.match(await refusalOf('Title\nA\n', { headerRow: 9 }), /no header/)
})

t.test('equal headers stay distinct, and none takes the name of another', async (t) => {
  const { names, table } = await read('If Other,X,If  Other,If Other (2),,If\nOther,,\n1,2,3,4,5,6,,\n')
  t.same(names, ['If Other', 'X', 'If Other (2)', 'If Other (2) (2)', '(column 5)', 'If'])
  t.same((await read('Note,"Note",N,Note\na,b,c,d\n')).names, ['Note', 'Note (2)', 'N', 'Note (3)'])
  t.equal(table.columns[2]?.header, 'If  Other')
})

t.test(
  'a ragged row carries its reason and loses nothing; blank rows and empty columns are counted',
  async (t) => {
    const table = await openTable(fileOf('Title,Purpose,,\nA,B,,\n\n , \u00a0,,\nC\nD,E,F\nG,H,,\n'))
    const tally = newTally()
    const rows = []
    for await (const row of table.rows(tally)) rows.push(row)
    t.same(tally, { rows: 4, blankRows: 2, brokenRows: 2 })
    t.equal(table.emptyColumns, 2)
    t.same(
      rows.map(({ number, problems }) => [number, problems]),
      [
        [2, []],
        [5, ['row 5 has 1 cells, and the header names 2; correct the row']],
        [6, ['row 6 fills 3 cells, and the header names 2 columns; correct the row']],
        [7, []],
      ],
    )
    t.same(rows.map((row) => rawRecord(table.columns, row.cells)).slice(1, 3), [
      { Title: 'C' },
      { Title: 'D', Purpose: 'E', '(column 3)': 'F' },
    ])
  },
)

t.test('quotes and line feeds inside cells, lone quotes, and every separator and line end', async (t) => {
  const { cells } = await read('Title,Purpose\n"a ""b""\nc","5"" pipe"\n5" pipe,-1 is a bullet\n=1+1,"x"y\n')
  t.same(cells, [
    ['a "b"\nc', '5" pipe'],
    ['5" pipe', '-1 is a bullet'],
    ['=1+1', '"x"y'],
  ])
  t.same((await read('Title;Purpose, in words;Id\r\nA;B,C;1\r\n')).cells, [['A', 'B,C', '1']])
  t.same((await read('Title\tPurpose\rA\tB\rC\tD\r')).cells, [
    ['A', 'B'],
    ['C', 'D'],
  ])
})

t.test(
  'a quote that is never closed is named by its row, and swallows no more than one record',
  async (t) => {
    t.match(await refusalOf('Title,Purpose\nA,B\nC,"D\nE,F\n'), /^row 3 opens a quote that is never closed/)
    const long = `Title,Purpose\nA,"B\n${'C,D\n'.repeat(5000)}`
    t.match(await refusalOf(long, { limits: { recordBytes: 1000 } }), /^row 2 is longer than 1,000 bytes/)
  },
)

t.test('wide files are read; more columns, rows, characters or bytes than allowed are refused', async (t) => {
  const wide = (width: number) => Array.from({ length: width }, (_, index) => `c${index}`).join(',')
  t.equal((await read(`${wide(200)}\n${wide(200)}\n`)).cells[0]?.length, 200)
  t.match(await refusalOf(`${wide(501)}\n`), /the file has 501 columns, and 500 is the most/)
  t.match(await refusalOf('Title\nA\nB\nC\n', { limits: { rows: 2 } }), /more than 2 rows; split it/)
  t.match(
    await refusalOf(`Title,Purpose\nA,${'x'.repeat(100_001)}\n`),
    /the cell under “Purpose” in row 2 is longer than 100,000 characters/,
  )
  t.match(
    await refusalOf(`Title\n${'A\n'.repeat(600_000)}`, { limits: { fileBytes: 2 ** 20 } }),
    /has 2 MB, and 1 MB/,
  )
})

t.test('NDJSON: columns from all lines, nested answers side by side, lists as JSON', async (t) => {
  const { table, names, cells } = await read(
    '{"title":"A","answers":{"personal_data":"none"},"tags":["x","y"]}\n\n{"title":"B","stage":null,"n":1,"ok":true}',
  )
  t.same([table.format, table.headerRow], ['ndjson', 0])
  t.same(names, ['title', 'answers.personal_data', 'tags', 'stage', 'n', 'ok'])
  t.same(cells, [
    ['A', 'none', '["x","y"]', '', '', ''],
    ['B', '', '', '', '1', 'true'],
  ])
})

t.test('a line that is no JSON object, or cannot be stored, is kept with its reason', async (t) => {
  const table = await openTable(
    fileOf('{"title":"A"}\n[1]\n{"title":"x\\u0000y"}\n{"title":"\\ud800"}\n{oops\n'),
  )
  const rows = await allRows(table)
  t.same(
    rows.map(({ number, problems }) => [number, problems[0] ?? null]),
    [
      [1, null],
      [2, 'line 2 is not a JSON object; correct it'],
      [3, 'the cell under “title” in row 3 holds a character that cannot be stored; remove it'],
      [4, 'the cell under “title” in row 4 holds a character that cannot be stored; remove it'],
      [5, 'line 5 is not a JSON object; correct it'],
    ],
  )
  t.same(rows.map((row) => rawRecord(table.columns, row.cells)).slice(1), [
    { title: '', '(column 2)': '[1]' },
    { title: 'x\ufffdy' },
    { title: '\ufffd' },
    { title: '', '(column 2)': '{oops' },
  ])
  t.match(await refusalOf(Buffer.from('{"title":"n\xe9"}\n', 'latin1')), /not UTF-8, as NDJSON must be/)
  t.match(
    await refusalOf(`{"a":"${'x'.repeat(99)}"}\n`, { limits: { recordBytes: 50 } }),
    /^line 1 is longer/,
  )
})

t.test('XLSX: the first visible sheet that holds anything, or the one that is named', async (t) => {
  const workbook = await workbookOf([
    { name: 'Lists', hidden: true, rows: [['Yes'], ['No']] },
    { name: 'Cover', rows: [] },
    {
      name: 'Register',
      rows: [
        ['All uses of AI', null, null, null, null],
        ['Title', 'Date', 'Number', 'Flag', 'Note'],
        ['A', new Date('2024-10-01T00:00:00Z'), 3.5, true, '- a bullet'],
        [],
        ['B'],
      ],
    },
    { name: 'Other', rows: [['X'], ['1']] },
  ])
  const { table, cells, names, tally } = await read(workbook)
  t.same([table.format, table.sheet, table.headerRow], ['xlsx', 'Register', 2])
  t.same(names, ['Title', 'Date', 'Number', 'Flag', 'Note'])
  t.same(cells, [['A', '2024-10-01', '3.5', 'true', '- a bullet'], ['B']])
  t.equal(tally.brokenRows, 0)
  t.same((await read(workbook, { sheet: 'Other' })).cells, [['1']])
  t.match(await refusalOf(workbook, { sheet: 'Nope' }), /no sheet “Nope”; choose one of “Lists”, “Cover”/)
  t.match(await refusalOf(await workbookOf([{ name: 'Empty', rows: [] }])), /no visible sheet/)
})

t.test('a workbook bomb is refused by its directory, before anything is inflated', async (t) => {
  const book: Part = { name: 'xl/workbook.xml', content: Buffer.from('<workbook/>') }
  const zeros: Part = { name: 'xl/worksheets/sheet1.xml', content: Buffer.alloc(50 * 2 ** 20) }
  t.match(
    await refusalOf(archiveOf([book, zeros])),
    /a part of the workbook unpacks to more than 200 times its size/,
  )
  t.match(
    await refusalOf(archiveOf([book, zeros]), { limits: { workbookBytes: 2 ** 20, workbookRatio: 2000 } }),
    /unpacks to 51 MB/,
  )
  const many = Array.from({ length: 2001 }, (_, index) => ({
    name: `part-${index}`,
    content: Buffer.from('x'),
  }))
  t.match(await refusalOf(archiveOf([book, ...many])), /more than 2,000 parts/)
  t.match(await refusalOf(archiveOf([book, { ...zeros, claims: 0 }])), /does not say how large its parts are/)
  t.match(await refusalOf(archiveOf([book, { ...zeros, claims: 0xffffffff }])), /does not say how large/)
})

t.test('a workbook that lies about its sizes, or is damaged, or is none, is refused', async (t) => {
  const honest = await workbookOf([{ name: 'Register', rows: [['Title'], ['A']] }])
  t.same((await read(honest)).cells, [['A']])
  t.match(await refusalOf(Buffer.from(honest).subarray(0, honest.length - 40)), /damaged or cut short/)
  t.match(
    await refusalOf(archiveOf([{ name: 'word/document.xml', content: Buffer.from('x') }])),
    /not a workbook/,
  )
  t.equal((await read(sheetOf(3))).tally.rows, 2)
  t.match(await refusalOf(sheetOf(1_000_000, 1024)), /the workbook cannot be read/)
})

/** A workbook whose sheet may claim another size than it has. */
function sheetOf(rowCount: number, claims?: number): Buffer {
  return bookOf({ rows: '<row><c t="inlineStr"><is><t>A</t></is></c></row>'.repeat(rowCount), claims })
}

t.test('whatever bytes a file holds, it is read or refused in a sentence', async () => {
  const soup = fc.array(
    fc.constantFrom(
      'a',
      ',',
      ';',
      '\t',
      '"',
      '\n',
      '\r',
      '{',
      '}',
      '[1]',
      '\u0000',
      'é',
      '\u00a0',
      '{"a":"b"}',
    ),
  )
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    soup.map((parts) => Buffer.from(parts.join(''))),
    soup.map((parts) => Buffer.from(parts.join(''), 'latin1')),
  )
  await fc.assert(fc.asyncProperty(anything, readOrRefuse), { seed: 1, numRuns: 300 })
})

t.test('a workbook with any byte broken is read or refused in a sentence', async () => {
  const workbook = await workbookOf([
    {
      name: 'Register',
      rows: [
        ['Title', 'Date'],
        ['A', new Date(0)],
      ],
    },
  ])
  const broken = fc.tuple(fc.nat(workbook.length - 1), fc.nat(255)).map(([at, byte]) => {
    const copy = Buffer.from(workbook)
    copy[at] = byte
    return copy
  })
  await fc.assert(fc.asyncProperty(broken, readOrRefuse), { seed: 1, numRuns: 40 })
})

async function readOrRefuse(bytes: Uint8Array): Promise<void> {
  try {
    await read(bytes)
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'invalid') throw error
  }
}

t.test('a table reads the same twice, and may be left half-way', async (t) => {
  const table = await openTable(fileOf(`Title\n${'A\n'.repeat(50_000)}`))
  for await (const row of table.rows()) {
    if (row.number > 3) break
  }
  t.equal((await allRows(table)).length, 50_000)
  t.equal((await allRows(table)).length, 50_000)
})

t.test('60 MB of CSV pass through flat memory', async (t) => {
  const path = join(folder, 'large.csv')
  const cell = 'x'.repeat(1490)
  function* lines() {
    yield 'Id,Title,Purpose\n'
    for (let id = 0; id < 40_000; id += 1) yield `${id},Use ${id},${cell}\n`
  }
  await pipeline(Readable.from(lines()), createWriteStream(path))
  const table = await openTable(path)
  const held: number[] = []
  let rows = 0
  for await (const _ of table.rows()) {
    rows += 1
    if (rows % 5000 === 0) held.push(heldBytes())
  }
  t.equal(rows, 40_000)
  const rises = held.map((bytes, index) => bytes - Math.min(...held.slice(0, index + 1)))
  t.ok(Math.max(...rises) < 5e6, `held while reading: ${held.join(', ')} bytes`)
})

/** Bytes that are still reachable: garbage is collected first. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
