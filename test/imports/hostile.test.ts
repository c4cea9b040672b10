// Files made to cost more than they weigh: each is refused in a sentence, or read, in little time and memory.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { RegistryError } from '../../src/errors.js'
import { readDate } from '../../src/imports/dates.js'
import { readList } from '../../src/imports/lists.js'
import { openTable, type ReadOptions } from '../../src/imports/read.js'
import { allRows, bookOf } from './files.js'

const folder = t.testdir()
let files = 0

async function rowsOf(content: string | Uint8Array, options?: ReadOptions) {
  files += 1
  const path = join(folder, `file-${files}`)
  writeFileSync(path, content)
  return await allRows(await openTable(path, options))
}

async function refusalOf(content: string | Uint8Array, options?: ReadOptions): Promise<string> {
  try {
    await rowsOf(content, options)
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'invalid') return error.message
    throw error
  }
  throw new Error('the file was read')
}

/** Far above what the work takes, far below what it took while its cost rose with the square of the file. */
const SOON_MS = 1000

/** Milliseconds that the work takes, which nothing else can use. */
function timeOf(work: () => unknown): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

const inline = (text: string) => `<c t="inlineStr"><is><t>${text}</t></is></c>`
const header = `<row>${inline('Title')}${inline('Purpose')}</row>`

t.test(
  'a header of many equal names is refused by its width, before the names are made distinct',
  async (t) => {
    const start = performance.now()
    const names = Array.from({ length: 200_000 }, () => 'a').join(',')
    t.match(await refusalOf(`${names}\n1\n`), /^the file has 200,000 columns, and 500 is the most/)
    t.ok(performance.now() - start < 5 * SOON_MS)
  },
)

t.test('no row may be wider, or hold more text, than a file may; nor may all of them together', async (t) => {
  t.match(await refusalOf(`Title\n${','.repeat(600)}x\n`), /^the file has 601 columns, and 500 is the most/)
  t.same((await rowsOf(`Title\nA${','.repeat(100_000)}\n`))[0]?.cells, ['A'])
  const limits = { rowLength: 10, textLength: 25 }
  t.match(
    await refusalOf('T,P\nabcdef,ghijkl\n', { limits }),
    /^the cells of row 2 hold more than 10 characters together; shorten them$/,
  )
  t.match(
    await refusalOf(`T\n${'abcdefgh\n'.repeat(4)}`, { limits }),
    /^the cells of the file hold more than 25 characters together; split it$/,
  )
  t.match(
    await refusalOf(`T\n${'\n'.repeat(50)}A\n`, { limits: { records: 40 } }),
    /more than 40 rows, blank/,
  )
})

t.test('a known header row far down does not keep what stands above it', async (t) => {
  const rows = await rowsOf(`${'x\n'.repeat(998)}Title\nA\n`, { headerRow: 999 })
  t.same(
    rows.map(({ cells }) => cells),
    [['A']],
  )
})

t.test('a list whose quotes never close takes no longer than one whose do', async (t) => {
  const cell = `['${"\\'".repeat(500_000)}"]`
  t.ok(timeOf(() => readList(cell, [';'])) < SOON_MS)
  t.ok(timeOf(() => readList(`["${`'"`.repeat(500_000)}]`, [';'])) < SOON_MS)
  t.same(readList(`['b) Sex', "it's", 'a \\'b\\' \\\\ c',  "", 'l']`, [';']), [
    ...['b) Sex', "it's", "a 'b' \\ c", 'l'],
  ])
})

t.test('a long text in the place of a date is told at once', async (t) => {
  const text = `q1${' '.repeat(90_000)}x`
  t.ok(timeOf(() => t.match(readDate(text, { order: 'mdy', asks: 'day' }), /is no date/)) < SOON_MS)
})

t.test('rows of one cell far to the right are refused by the ratio of a small part', async (t) => {
  const far = '<row><c r="XFD1"/></row>'
  t.match(await refusalOf(bookOf({ rows: header + far.repeat(12_000) })), /more than 200 times its size/)
})

t.test('one shared string named in every cell is refused by the text of its row', async (t) => {
  const long = randomBytes(37_000).toString('hex')
  const cells = '<c t="s"><v>0</v></c>'.repeat(499)
  const rows = `${header}<row>${inline('A')}${cells}</row>`
  const refused = await refusalOf(bookOf({ rows, sharedStrings: `<sst><si><t>${long}</t></si></sst>` }))
  t.match(refused, /^the cells of row 2 hold more than 1,048,576 characters together; shorten them$/)
})

const tooCostly =
  /^the workbook takes too much time or memory to read; save the sheet as CSV and import that$/

t.test(
  'a workbook that slips through ends by its heap or its time, and the service answers on',
  async (t) => {
    const noise = `<!--${randomBytes(60_000).toString('hex')}-->`
    const strings = `<sst>${noise}${'<si/>'.repeat(2_200_000)}</sst>`
    const bomb = bookOf({ rows: header, sharedStrings: strings })
    let [last, longest] = [performance.now(), 0]
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    t.match(await refusalOf(bomb, { limits: { workbookHeap: 64 * 2 ** 20 } }), tooCostly)
    clearInterval(beat)
    t.ok(longest < SOON_MS, `silent for ${longest} ms`)
    t.match(await refusalOf(bomb, { limits: { workbookMs: 1 } }), tooCostly)
  },
)

t.test('rows without a number of their own that rises are refused', async (t) => {
  for (const number of ['x', '1', '0', '2.5']) {
    const rows = `${header}<row r="${number}">${inline('A')}</row>`
    t.match(await refusalOf(bookOf({ rows })), /^the workbook cannot be read/)
  }
})

t.test('a workbook has one directory: ZIP64, a second one, and bytes around it are refused', async (t) => {
  const book = bookOf({ rows: `${header}<row>${inline('A')}${inline('B')}</row>` })
  t.equal((await rowsOf(book)).length, 1)
  const end = book.length - 22
  const changed = (change: (bytes: Buffer) => void) => {
    const copy = Buffer.from(book)
    change(copy)
    return copy
  }
  const zip64 = /ZIP64 archive; save it again/
  for (const bytes of [
    changed((copy) => copy.writeUInt32LE(0xffffffff, end + 12)),
    changed((copy) => copy.writeUInt32LE(0xffffffff, end + 16)),
    Buffer.concat([book.subarray(0, end), locator(), book.subarray(end)]),
  ]) {
    t.match(await refusalOf(bytes), zip64)
  }
  const damaged = /damaged or cut short/
  const size = book.readUInt32LE(end + 12)
  t.match(await refusalOf(changed((copy) => copy.writeUInt32LE(size - 1, end + 12))), damaged)
  t.match(
    await refusalOf(Buffer.concat([book.subarray(0, end), Buffer.alloc(9), book.subarray(end)])),
    damaged,
  )
  t.match(await refusalOf(Buffer.concat([book, Buffer.from('more')])), damaged)
  t.match(await refusalOf(changed((copy) => copy.writeUInt16LE(4, end + 10))), damaged)
})

function locator(): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt32LE(0x07064b50, 0)
  return bytes
}

t.test('a part that is stored, or whose sizes only follow it, gains nothing by a small claim', async (t) => {
  const book = bookOf({ rows: header })
  const entry = book.lastIndexOf('xl/worksheets/sheet1.xml') - 46
  const follows = Buffer.from(book)
  follows.writeUInt16LE(0b1000, entry + 8)
  follows.writeUInt32LE(0, entry + 20)
  t.match(await refusalOf(follows), /does not say how large its parts are/)
  const stored = Buffer.from(book)
  stored.writeUInt16LE(0, entry + 10)
  stored.writeUInt32LE(1, entry + 24)
  t.match(await refusalOf(stored, { limits: { workbookBytes: 100 } }), /the workbook unpacks to/)
})
