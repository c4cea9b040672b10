import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import t from 'tap'
import { fold, foldOption, oneLine, tidy } from '../../src/imports/wording.js'
import { inventoryHeaders } from '../../src/registers/omb-2025.js'
import { inventoryColumns } from '../../src/registers/omb-2025-columns.js'
import { startApp } from '../app.js'
import { answersFor } from '../committee.js'
import { importFile } from '../imports/importing.js'
import { csv, fetchRegister } from './exports.js'

t.setTimeout(240_000)

/** Folder with the public inventories; see the README of the data. */
const folder = process.env.ASSENT_TEST_DATA
const skip = folder ? false : 'set ASSENT_TEST_DATA to the folder that holds us-federal/'
const read = (name: string) => readFileSync(join(folder ?? '', 'us-federal', name))

interface Described {
  excel_header: string
  column_order_in_original_excel: number
  data_type: string
  valid_selections?: string[]
}

t.test('the columns are those of OMB, in its order and its words', { skip }, async (t) => {
  const dictionary: Record<string, Described> = JSON.parse(read('2025-data-dictionary.json').toString())
  const described = Object.entries(dictionary).map(([field, column]) => ({ field, ...column }))
  described.sort((a, b) => a.column_order_in_original_excel - b.column_order_in_original_excel)
  t.equal(inventoryColumns.length, 36)
  t.same(
    inventoryColumns.slice(0, 2).map(({ field }) => field),
    ['agency', 'agency_name'],
    'two that OMB adds to what agencies report',
  )
  t.same(
    inventoryColumns.slice(2),
    described.map(({ field, excel_header: header, data_type, valid_selections }) => ({
      ...{ field, header },
      ...(data_type === 'multiple_choice' && { one: valid_selections }),
      ...(data_type === 'select_multiple' && { several: valid_selections }),
    })),
  )
})

t.test('what was understood comes out in OMB’s words, what was not as it came', { skip }, async (t) => {
  const server = await startApp(t)
  const admin = await server.person('Ada', { rights: ['administrator'] })
  for (const [name, rows] of Object.entries({
    'sec.cp1252.csv': 60,
    'fdic.cp1252.csv': 50,
    'doe.xlsx': 340,
  })) {
    const applied = await importFile(admin, read(`2025-agency/${name}`), { name })
    t.equal(applied.status, 200, name)
    const id = applied.body.id
    const { rows: sources } = await server.owner.query<{ raw: Record<string, string>; number: string }>(
      `select s.raw, u.number from use_case_source_row s join use_case u on u.id = s.use_case_id
        where s.import_id = $1 order by u.number`,
      [id],
    )
    t.equal(sources.length, rows)
    const exported = await fetchRegister(server, admin, 'use-cases?columns=omb-2025&origin=imported', csv)
    t.equal(exported.status, 200)
    const lines: string[][] = parse(exported.text, { relaxColumnCount: false })
    t.same(lines[0], inventoryHeaders)
    const own = lines.slice(-rows)
    t.same(
      own.flatMap((line, index) => oddities(sources[index]?.raw ?? {}, line)),
      [],
    )
    const stages = own.map((line) => line[7] ?? '')
    t.ok(
      stages.filter((stage) => inventoryColumns[7]?.one?.includes(stage)).length > rows * 0.9,
      'most are understood',
    )
  }
})

t.test('the inventory comes back in as the same register, and nothing is new', { skip }, async (t) => {
  const server = await startApp(t)
  const admin = await server.person('Ada', { rights: ['administrator'] })
  await importFile(admin, read('2025-agency/doe.xlsx'), { name: 'doe.xlsx' })
  const exported = await fetchRegister(server, admin, 'use-cases?columns=omb-2025', csv)
  const again = await importFile(admin, exported.text, { name: 'exported.csv' })
  t.match(again.body, { register: 'us-federal-2025', profileFrom: 'detected' })
  const nothing = { created: 0, needsAttention: 0, refused: 0, gone: 0, newUnits: 0, newSystems: 0 }
  // One cell of Energy's begins with an apostrophe and a dash: it is defused, and OMB's form knows nothing of that.
  t.match(again.body.counts, { ...nothing, rows: 340, updated: 1, unchanged: 339 })
})

t.test('a use case that was registered here fills the columns that its facts answer', async (t) => {
  const server = await startApp(t)
  const agency = await server.unit('treasury')
  const bureau = await server.unit('mint', agency)
  const owner = await server.person('Rui', { rights: ['risk_owner'], unitId: agency })
  const other = { orgUnitId: bureau, riskOwnerId: owner.id, answers: answersFor.high, tags: ['Science'] }
  const { body } = await owner.post('/v1/use-cases', {
    ...{
      title: '=Coin checker',
      purpose: 'Finds flaws',
      stage: 'pilot',
      technique: 'computer_vision',
      ...other,
    },
  })
  const exported = await fetchRegister(server, owner, 'use-cases?columns=omb-2025&format=csv', '*/*')
  t.match(exported.headers['content-disposition'], /omb-2025-use-cases-\d{4}-\d\d-\d\d\.csv/)
  const [headers = [], line = []]: string[][] = parse(exported.text)
  t.same(headers, inventoryHeaders)
  const cell = (field: string) => line[inventoryColumns.findIndex((column) => column.field === field)]
  t.equal(cell('agency'), 'treasury')
  t.equal(cell('agency_bureau'), 'mint')
  t.equal(cell('id'), body.key)
  t.equal(cell('use_case_name'), "'=Coin checker", 'defused')
  t.match(cell('development_stage'), /^b\) Pilot – /)
  t.match(cell('classification'), /^Computer Vision: /)
  t.equal(cell('is_high_impact'), 'c) Not high-impact')
  t.equal(cell('has_pii'), 'Yes')
  t.equal(cell('topic_area'), 'Science')
  t.equal(cell('vendor_name'), '', 'what nobody said is blank')
  for (const accept of ['application/json', 'application/x-ndjson']) {
    t.equal((await fetchRegister(server, owner, 'use-cases?columns=omb-2025', accept)).status, 422)
  }
})

/** Columns in which the import translates what came into a fact, so that OMB's wording of the fact comes out. */
const translated = ['development_stage', 'is_high_impact', 'classification', 'has_pii', 'topic_area']
/** Columns that say more than the row did. */
const added = ['agency', 'agency_name', 'agency_bureau', 'id', 'operational_date']

/** What is neither as it came, nor in OMB's words. */
function oddities(raw: Record<string, string>, line: string[]): string[] {
  const came = new Map(Object.entries(raw).map(([header, cell]) => [fold(header), cell]))
  return inventoryColumns.flatMap(({ field, header, one = [], several = [] }, index) => {
    const cell = came.get(fold(header)) ?? ''
    const sent = (line[index] ?? '').replace(/^'(?='*[=+\-@\t\r\n])/, '')
    const isTheSame =
      sent === cell || (one.length + several.length === 0 && [tidy(cell), oneLine(cell)].includes(sent))
    const isOption =
      one.includes(sent) && (foldOption(cell) === foldOption(sent) || translated.includes(field))
    const isList = sent !== '' && sent.split('; ').every((element) => several.includes(element))
    const isDate = field === 'operational_date' && /^\d{4}(-\d\d){0,2}$/.test(sent)
    const isAdded = added.includes(field) && sent !== '' && (cell === '' || field.startsWith('agency'))
    return isTheSame || isOption || isList || isDate || isAdded ? [] : [`${field}: ${cell} became ${sent}`]
  })
}
