import { join } from 'node:path'
import t from 'tap'
import { detectProfile } from '../../src/imports/detect.js'
import { openTable } from '../../src/imports/read.js'
import { type ImportedRow, readRegister } from '../../src/imports/register.js'
import { newTally } from '../../src/imports/table.js'
import { shippedProfiles } from './files.js'

/** Folder with the public inventories; see the README of the data. */
const folder = process.env.ASSENT_TEST_DATA
const options = { skip: folder ? false : 'set ASSENT_TEST_DATA to the folder that holds us-federal/' }

interface Register {
  profile: string | undefined
  score: number | undefined
  encoding: string | null
  headerRow: number
  columns: number
  names: string[]
  blankRows: number
  rows: ImportedRow[]
}

async function read(data: string, name: string): Promise<Register> {
  const table = await openTable(join(data, 'us-federal', name))
  const detection = detectProfile(shippedProfiles, table.columns)
  const tally = newTally()
  const rows: ImportedRow[] = []
  if (detection) for await (const row of readRegister(table, detection.profile, tally)) rows.push(row)
  return {
    profile: detection?.profile.id,
    score: detection?.score,
    encoding: table.encoding,
    headerRow: table.headerRow,
    columns: table.columns.length,
    names: table.columns.map(({ name }) => name),
    blankRows: tally.blankRows,
    rows,
  }
}

/** How often each value occurs; `-` where there is none. */
function countBy(rows: ImportedRow[], valuesOf: (row: ImportedRow) => unknown): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of rows.flatMap((row) => [valuesOf(row) ?? '-'].flat())) {
    counts[String(value)] = (counts[String(value)] ?? 0) + 1
  }
  return counts
}

const notedFields = (rows: ImportedRow[]) => countBy(rows, ({ notes }) => notes.map(({ field }) => field))
const datesOf = (rows: ImportedRow[], name: string) =>
  countBy(rows, ({ dates }) => dates[name]?.precision ?? [])
const answersTo = (rows: ImportedRow[], question: string) =>
  countBy(rows, ({ facts }) => facts.answers?.[question])

const files = {
  '2023-consolidated.csv': { rows: 710, profile: 'omb-2023', encoding: 'utf-8', headerRow: 1, columns: 10 },
  '2024-consolidated-v1.csv': {
    rows: 1757,
    profile: 'omb-2024-v1',
    encoding: 'utf-8',
    headerRow: 1,
    columns: 62,
  },
  '2024-consolidated-v2.cp1252.csv': {
    rows: 2133,
    profile: 'omb-2024-v2',
    encoding: 'windows-1252',
    headerRow: 1,
    columns: 62,
  },
  '2025-agency/doe.xlsx': { rows: 340, profile: 'omb-2025', encoding: null, headerRow: 2, columns: 33 },
  '2025-agency/nasa.xlsx': { rows: 425, profile: 'omb-2025', encoding: null, headerRow: 2, columns: 34 },
  '2025-agency/sec.cp1252.csv': {
    rows: 60,
    profile: 'omb-2025',
    encoding: 'windows-1252',
    headerRow: 2,
    columns: 34,
  },
  '2025-agency/fdic.cp1252.csv': {
    rows: 50,
    profile: 'omb-2025',
    encoding: 'windows-1252',
    headerRow: 2,
    columns: 25,
  },
}
const registers = new Map<string, Register>()
if (folder) for (const name of Object.keys(files)) registers.set(name, await read(folder, name))

function rowsOf(name: keyof typeof files): ImportedRow[] {
  return registers.get(name)?.rows ?? []
}

t.test('every row of every file is accounted for, once, by its own identity', options, async (t) => {
  for (const [name, expected] of Object.entries(files)) {
    const register = registers.get(name)
    const { rows, ...shape } = expected
    t.match(register, { ...shape, score: 1, blankRows: 0 }, name)
    t.equal(register?.rows.length, rows, name)
    t.equal(
      new Set(register?.rows.map(({ identity }) => `${identity.kind} ${identity.value}`)).size,
      rows,
      name,
    )
    t.equal(new Set(register?.rows.map(({ number }) => number)).size, rows, name)
    t.same(
      register?.rows.filter(({ refused }) => refused !== undefined),
      [],
      `${name}: none is refused`,
    )
    const bare = register?.rows.filter(({ facts }) => !facts.title || !facts.purpose || !facts.orgUnit)
    t.same(bare, [], `${name}: each can be registered`)
  }
})

t.test('2023: 27 spellings of the stage, and what they leave open', options, async (t) => {
  const rows = rowsOf('2023-consolidated.csv')
  t.same(
    countBy(rows, ({ facts }) => facts.stage),
    { idea: 81, pre_deployment: 91, pilot: 51, deployed: 157, '-': 330 },
  )
  const notes = rows.flatMap(({ notes }) => notes.filter(({ field }) => field === 'stage'))
  t.equal(notes.filter(({ raw }) => raw === '').length, 321, 'left blank')
  t.equal(notes.filter(({ raw }) => raw !== '').length, 9, 'fits two stages')
  t.equal(
    rows.filter(({ notes }) => notes.some(({ message }) => message.startsWith('a character was lost')))
      .length,
    10,
  )
  t.same(
    countBy(rows, ({ identity }) => identity.kind),
    { id: 710 },
  )
  t.same(
    countBy(rows, ({ facts }) => facts.technique === 'reinforcement_learning'),
    { true: 1, false: 709 },
  )
  t.same(rows[0]?.facts.orgUnit?.[0], 'Department of Homeland Security')
})

t.test('2024: both releases, with the same rules', options, async (t) => {
  const [first, revised] = [rowsOf('2024-consolidated-v1.csv'), rowsOf('2024-consolidated-v2.cp1252.csv')]
  const stage = ({ facts }: ImportedRow) => facts.stage
  t.same(countBy(first, stage), { idea: 349, pre_deployment: 351, pilot: 275, deployed: 645, '-': 137 })
  t.same(countBy(revised, stage), { idea: 399, pre_deployment: 404, pilot: 287, deployed: 892, '-': 151 })
  t.same(
    [countBy(first, ({ retired }) => retired), countBy(revised, ({ retired }) => retired)],
    [
      { true: 133, false: 1624 },
      { true: 142, false: 1991 },
    ],
  )
  t.same(answersTo(first, 'omb_high_impact'), { yes: 227, no: 1491, unknown: 39 })
  t.same(answersTo(revised, 'omb_high_impact'), { yes: 351, no: 1722, unknown: 39, '-': 21 })
  t.same(answersTo(first, 'personal_data'), { personal: 171, none: 810, unknown: 776 })
  t.same(answersTo(revised, 'personal_data'), { personal: 175, none: 874, unknown: 1084 })
  t.same(
    countBy(revised, ({ facts }) =>
      Object.keys(facts.answers ?? {})
        .sort()
        .join(),
    ),
    {
      'autonomy,omb_high_impact,personal_data': 2108,
      'autonomy,personal_data': 21,
      'omb_high_impact,personal_data': 4,
    },
  )
})

t.test('2024: dates that a spreadsheet mangled are neither read nor lost', options, async (t) => {
  const rows = rowsOf('2024-consolidated-v2.cp1252.csv')
  t.same(datesOf(rows, 'initiated'), { month: 750, day: 438, quarter: 2 })
  t.same(datesOf(rows, 'acquired'), { month: 580, day: 338 })
  t.same(datesOf(rows, 'implemented'), { month: 348, day: 271 })
  t.same(datesOf(rows, 'retired'), { month: 60, day: 39 })
  const disguised = rows.flatMap(({ notes }) =>
    notes.filter(({ message }) => message.includes('took for a date')),
  )
  t.equal(disguised.length, 48 + 38 + 31 + 17)
  t.ok(disguised.every(({ raw }) => raw.endsWith('/1905')))
})

t.test(
  '2024: a row without an id goes by agency, name and ordinal; the revision finds the first release',
  options,
  async (t) => {
    const [first, revised] = [rowsOf('2024-consolidated-v1.csv'), rowsOf('2024-consolidated-v2.cp1252.csv')]
    t.same(
      countBy(revised, ({ identity }) => identity.kind),
      { name: 2133 },
    )
    t.equal(
      revised.filter(({ identity }) => !identity.value.endsWith('#1')).length,
      81,
      'repeat agency and name',
    )
    const known = new Set(revised.map(({ identity }) => identity.value))
    t.equal(first.filter(({ identity }) => !known.has(identity.value)).length, 0)
    t.equal(known.size - new Set(first.map(({ identity }) => identity.value)).size, 376, 'are new')
  },
)

t.test('2024: nine equal headers stay apart, bullets stay text, strays are named', options, async (t) => {
  const rows = rowsOf('2024-consolidated-v2.cp1252.csv')
  const { names = [] } = registers.get('2024-consolidated-v2.cp1252.csv') ?? {}
  const others = names.filter((name) => name.startsWith('If Other, please explain.'))
  t.equal(others.length, 9)
  t.equal(new Set(names).size, 62)
  t.equal(rows.flatMap(({ cells }) => cells).filter((cell) => cell.startsWith('-')).length, 10)
  t.equal(
    rows.filter(({ facts }) => facts.outputs === '').length,
    36 + 11 + 2 + 7,
    'blank, N/A, to be determined, a dash',
  )
  const strays = rows.flatMap(({ notes }) =>
    notes.filter(({ message }) => message.includes('stands in the column')),
  )
  t.equal(strays.length, 16, 'techniques under the topic')
})

t.test('2025: four agencies, four ways to publish one form', options, async (t) => {
  const stages = {
    'doe.xlsx': { pre_deployment: 149, pilot: 57, deployed: 119, '-': 15 },
    'nasa.xlsx': { pre_deployment: 373, pilot: 21, deployed: 26, '-': 5 },
    'sec.cp1252.csv': { pre_deployment: 23, pilot: 5, deployed: 20, '-': 12 },
    'fdic.cp1252.csv': { pre_deployment: 17, pilot: 3, deployed: 16, '-': 14 },
  }
  const impact = {
    'doe.xlsx': { yes: 29, presumed_not: 5, no: 306 },
    'nasa.xlsx': { yes: 1, presumed_not: 3, no: 421 },
    'sec.cp1252.csv': { no: 60 },
    'fdic.cp1252.csv': { yes: 1, no: 49 },
  }
  const personal = {
    'doe.xlsx': { personal: 13, none: 222, unknown: 105 },
    'nasa.xlsx': { none: 47, unknown: 378 },
    'sec.cp1252.csv': { personal: 6, none: 17, unknown: 37 },
    'fdic.cp1252.csv': { personal: 13, none: 6, unknown: 31 },
  }
  for (const [file, counts] of Object.entries(stages)) {
    const rows = registers.get(`2025-agency/${file}`)?.rows ?? []
    t.same(
      countBy(rows, ({ facts }) => facts.stage),
      counts,
      file,
    )
    t.equal(
      rows.filter(({ retired }) => retired).length,
      counts['-'],
      `${file}: without a stage is who retired`,
    )
    t.same(answersTo(rows, 'omb_high_impact'), impact[file as keyof typeof impact], file)
    t.same(answersTo(rows, 'personal_data'), personal[file as keyof typeof personal], file)
    t.same(
      countBy(rows, ({ identity }) => identity.kind),
      { id: rows.length },
      file,
    )
  }
})

t.test('2025: techniques, units and dates as each agency wrote them', options, async (t) => {
  t.same(
    countBy(rowsOf('2025-agency/doe.xlsx'), ({ facts }) => facts.technique),
    {
      generative: 150,
      classical_ml: 105,
      other: 24,
      nlp: 20,
      agentic: 13,
      computer_vision: 8,
      reinforcement_learning: 5,
      '-': 15,
    },
  )
  const [sec, fdic] = [rowsOf('2025-agency/sec.cp1252.csv'), rowsOf('2025-agency/fdic.cp1252.csv')]
  t.same(
    rowsOf('2025-agency/doe.xlsx').find(({ identity }) => identity.value === 'DOE-10')?.facts.orgUnit?.[0],
    'DOE',
  )
  t.same(
    countBy(fdic, ({ facts }) => facts.orgUnit?.[0]),
    { FDIC: 50 },
  )
  t.same(
    fdic.slice(0, 3).map(({ identity }) => identity.value),
    ['FDIC-3', 'FDIC-4', 'FDIC-9'],
  )
  t.same(notedFields(sec), { orgUnit: 18, 'dates.operational': 23 })
  t.same(datesOf(sec, 'operational'), {}, 'all of them are months that may be days')
  t.same([datesOf(fdic, 'operational'), notedFields(fdic)['dates.operational']], [{ month: 15 }, 3])
  t.same(datesOf(rowsOf('2025-agency/doe.xlsx'), 'operational'), { day: 198 })
  t.same(datesOf(rowsOf('2025-agency/nasa.xlsx'), 'operational'), { day: 39 })
})
