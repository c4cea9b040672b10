import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { bindProfile } from '../../src/imports/bind.js'
import { readDate } from '../../src/imports/dates.js'
import { detectProfile, rankProfiles } from '../../src/imports/detect.js'
import { surveyIdentities } from '../../src/imports/identity.js'
import { inferProfile } from '../../src/imports/infer.js'
import { readList } from '../../src/imports/lists.js'
import { type MappedRow, mapRow } from '../../src/imports/map.js'
import { ImportProfile } from '../../src/imports/profile.js'
import type { Column, RawRow } from '../../src/imports/table.js'
import { Facts } from '../../src/use-cases/use-case.js'
import { questions, type ShippedId, shipped, shippedProfiles } from './files.js'

const columnsOf = (headers: string[]): Column[] =>
  headers.map((header, index) => ({ index, name: header, header }))
const rowOf = (cells: string[], number = 2): RawRow => ({ number, cells, problems: [] })

type Draft = Record<string, unknown>

/** A profile over the columns of a small register; `over` replaces whole members. */
const profileWith = (over: Draft = {}) =>
  ImportProfile.parse({
    version: 1,
    id: 'test',
    title: 'A test',
    about: 'For this test only.',
    register: 'test',
    headers: ['Title'],
    blanks: ['-', 'N/A', 'None', 'TBD'],
    identity: { id: 'Id', name: 'Title', within: ['Unit'] },
    facts: { title: { from: 'Title' } },
    ...over,
  })

/** Maps one row, given as header to cell. */
function map(profile: ImportProfile, cells: Record<string, string>): MappedRow {
  return mapRow(bindProfile(profile, columnsOf(Object.keys(cells))), rowOf(Object.values(cells)))
}

const notesOf = ({ notes }: MappedRow) => notes.map(({ field, message }) => `${field}: ${message}`)

async function identitiesOf(profile: ImportProfile, headers: string[], rows: string[][]) {
  const raw = rows.map((cells, index) => rowOf(cells, index + 2))
  const found = await surveyIdentities(bindProfile(profile, columnsOf(headers)), raw)
  return raw.map(({ number }) => found.get(number))
}

t.test('every answer of a shipped profile is an option of its question', async (t) => {
  const options = new Map(questions.map((question) => [question.id, question.options.map(({ id }) => id)]))
  for (const { id, answers } of shippedProfiles) {
    for (const [question, { values }] of Object.entries(answers)) {
      const strays = Object.values(values).filter(
        (value) => typeof value === 'string' && !options.get(question)?.includes(value),
      )
      t.same(strays, [], `${id} ${question}`)
    }
  }
})

t.test('every column that a shipped profile reads is one of its headers', async (t) => {
  for (const profile of shippedProfiles) {
    const froms = JSON.stringify(profile, (key, value) => (key === 'headers' ? undefined : value)).matchAll(
      /"from":"((?:[^"\\]|\\.)*)"/g,
    )
    const strays = [...froms].map(([, from]) => from).filter((from) => !profile.headers.includes(from ?? ''))
    t.same(strays, [], profile.id)
  }
})

t.test(
  'a profile with an unknown field, an unknown stage or two spellings of one value does not load',
  async (t) => {
    const messages = (over: Draft) => {
      const { success, error } = ImportProfile.safeParse({ ...profileWith(), ...over })
      return success ? [] : error.issues.map(({ path, message }) => `${path.join('/')} ${message}`)
    }
    t.same(messages({}), [])
    t.match(messages({ colour: 'red' }), [/Unrecognized key/])
    const stage = (values: Draft) =>
      messages({ facts: { title: { from: 'T' }, stage: { from: 'S', values } } })
    t.match(stage({ Live: 'running' }), [/^facts\/stage\/values\/Live/])
    t.match(stage({ Live: 'deployed', 'live.': 'pilot' }), [/differ in case or punctuation only/])
  },
)

t.test('a file without the title column of a profile is refused', async (t) => {
  t.throws(() => bindProfile(shipped('omb-2025'), columnsOf(['Name'])), {
    code: 'invalid',
    message: 'the file has no column “Use Case Name” for the title; choose another mapping',
  })
})

t.test('a header is recognised whatever became of its blanks, dashes and quotes', async (t) => {
  const { headers } = shipped('omb-2025')
  const mangle = (header: string) =>
    `  ${header.replaceAll(' ', '\r\n ').replace(/[’–]/g, '¡').toUpperCase()} `
  const detection = detectProfile(shippedProfiles, columnsOf(headers.map(mangle)))
  t.same([detection?.profile.id, detection?.score, detection?.missing], ['omb-2025', 1, []])
  const fewer = detectProfile(shippedProfiles, columnsOf([...headers.slice(0, 20), 'Comments']))
  t.same([fewer?.profile.id, fewer?.unknown, fewer?.missing.length], ['omb-2025', ['Comments'], 14])
  t.equal(detectProfile(shippedProfiles, columnsOf(['title', 'answer.personal_data']))?.profile.id, 'assent')
})

t.test('a header that no profile knows is not forced upon one', async (t) => {
  t.equal(detectProfile(shippedProfiles, columnsOf(['Title', 'Colour', 'Weight'])), undefined)
  t.same(rankProfiles(shippedProfiles, columnsOf(['Colour'])), [])
})

t.test('blanks of every spelling count as blank', async (t) => {
  const profile = profileWith({ facts: { title: { from: 'Title' }, benefits: { from: 'B' } } })
  for (const blank of ['', ' ', '\u00a0', 'N/A', 'n/a', 'None.', 'TBD ', '[tbd]', '\u200b', '-', '—']) {
    t.equal(map(profile, { Title: 'Use', B: blank }).facts.benefits, '', JSON.stringify(blank))
  }
  t.equal(map(profile, { Title: 'Use', B: 'None of these' }).facts.benefits, 'None of these')
})

t.test('booleans of every spelling are understood, and what is none is left to a person', async (t) => {
  const answers = {
    personal_data: {
      from: 'PII',
      match: 'start',
      values: { Yes: 'personal', True: 'personal', No: 'none', False: 'none' },
    },
  }
  const answer = (PII: string) => map(profileWith({ answers }), { Title: 'Use', PII })
  for (const yes of ['Yes', 'yes ', 'TRUE', 'b) Yes', 'Yes - with a reason behind it', 'Yes, partly']) {
    t.equal(answer(yes).facts.answers?.personal_data, 'personal', yes)
  }
  for (const no of ['No', ' no', 'a) No', 'a) a) No', 'False']) {
    t.equal(answer(no).facts.answers?.personal_data, 'none', no)
  }
  t.same(answer('N/A').facts.answers, { personal_data: 'unknown' })
  const unclear = answer('Nobody knows')
  t.same(
    [unclear.facts.answers, notesOf(unclear)],
    [
      {},
      [
        'answers.personal_data: “Nobody knows” is not a value that this mapping knows; say what answers.personal_data is to be',
      ],
    ],
  )
  t.same(
    map(profileWith({ answers }), { Title: 'Use' }).facts.answers,
    {},
    'a column that is not there says nothing',
  )
})

t.test('an answer in its neighbour’s column is named, not taken', async (t) => {
  const columns = columnsOf(['Use Case Name', 'Agency', 'Use Case Topic Area', 'Stage of Development'])
  const binding = bindProfile(shipped('omb-2024-v2'), columns)
  const row = mapRow(binding, rowOf(['Use', 'NASA', 'In production', 'Law & Justice']))
  t.same(notesOf(row).slice(-2), [
    'tags: “In production” is not a value that this mapping knows; it reads like an answer for stage',
    'stage: “Law & Justice” is not a value that this mapping knows; it reads like an answer for tags',
  ])
  t.same([row.facts.tags, row.facts.stage], [[], undefined])
})

t.test('several values must agree, neutral ones aside', async (t) => {
  const technique = {
    from: 'T',
    separators: [',', ';'],
    values: {
      NLP: 'nlp',
      'Text mining': 'nlp',
      Vision: 'computer_vision',
      'Big data': null,
      Secret: { doubt: 'ask them' },
    },
  }
  const row = (T: string) =>
    map(profileWith({ facts: { title: { from: 'Title' }, technique } }), { Title: 'Use', T })
  t.equal(row('Big data, NLP; text mining').facts.technique, 'nlp')
  t.equal(row('["NLP","Big data"]').facts.technique, 'nlp')
  t.equal(row('Big Data').facts.technique, null)
  t.equal(row('').facts.technique, null)
  for (const [cell, message] of [
    ['NLP, Vision', 'technique: “NLP, Vision” names nlp and computer_vision; choose one'],
    ['Secret', 'technique: ask them'],
  ] as const) {
    t.same([row(cell).facts.technique, notesOf(row(cell))], [undefined, [message]])
  }
})

t.test('the longest of the listed beginnings decides', async (t) => {
  const stage = { from: 'S', match: 'start', values: { Pilot: 'pilot', 'Pilot ended': 'deployed' } }
  const profile = profileWith({ facts: { title: { from: 'Title' }, stage } })
  t.equal(map(profile, { Title: 'Use', S: 'b)  Pilot ñ in a limited test' }).facts.stage, 'pilot')
  t.equal(map(profile, { Title: 'Use', S: 'Pilot ended - in use' }).facts.stage, 'deployed')
  t.equal(map(profile, { Title: 'Use', S: 'Pilots' }).facts.stage, undefined)
})

t.test('lists: JSON, as Python prints them, by separator, by line with bullets', async (t) => {
  t.same(readList('["Race/Ethnicity","Age"]', [';']), ['Race/Ethnicity', 'Age'])
  t.same(readList(`['b) Sex', 'c) Age', "l) Other's"]`, [';']), ['b) Sex', 'c) Age', "l) Other's"])
  t.same(readList('a; b;;c ', [';']), ['a', 'b', 'c'])
  t.same(readList('- a\r\n• b\n\n-c', [';', '\n']), ['a', 'b', '-c'])
  t.same(readList('-5 is no bullet', []), ['-5 is no bullet'])
  t.same(readList('[draft] notes', []), ['[draft] notes'])
  t.same(readList('', [';']), [])
})

t.test('dates keep the precision they have, and doubtful ones are not repaired', async (t) => {
  const us = { order: 'mdy', asks: 'day' } as const
  for (const [raw, precision, value] of [
    ['2024-07-31', 'day', '2024-07-31'],
    ['2024-07-31T00:00:00Z', 'day', '2024-07-31'],
    ['07/01/2020 00:00:00', 'day', '2020-07-01'],
    ['8/29/2023', 'day', '2023-08-29'],
    ['2024-7', 'month', '2024-07'],
    ['01/2018', 'month', '2018-01'],
    ['Jul 2024', 'month', '2024-07'],
    ['September-2024', 'month', '2024-09'],
    ['Q3FY24', 'quarter', 'FY2024-Q3'],
    ['Q4 2024', 'quarter', '2024-Q4'],
    ['FY25 Q1', 'quarter', 'FY2025-Q1'],
    ['FY25', 'year', 'FY2025'],
    ['2018', 'year', '2018'],
  ] as const) {
    t.same(readDate(raw, us), { raw, precision, value })
  }
  const doubts = [
    'Jul-24',
    '24-Nov',
    'Pre-2018',
    '7/1/23',
    '13/13/2024',
    '2/30/2024',
    '10/12023',
    '2022-08 (estimated)',
    'Ongoing',
    '45000',
    'Q3 24',
  ]
  for (const raw of doubts) t.type(readDate(raw, us), 'string', raw)
  t.match(readDate('24-Nov', us), /may be a month of a year or a day of a month/)
  t.match(readDate('7/16/1905', us), /may be the year 2024 that a spreadsheet took for a date/)
  t.same(readDate('10/1/2023', { order: 'mdy', asks: 'month' }), {
    raw: '10/1/2023',
    precision: 'month',
    value: '2023-10',
  })
  t.same(readDate('10/2/2023', { order: 'dmy', asks: 'month' }), {
    raw: '10/2/2023',
    precision: 'day',
    value: '2023-02-10',
  })
})

t.test('a doubtful date is a note, a good one is kept beside the facts', async (t) => {
  const dates = { begun: { from: 'Begun', order: 'mdy' }, ended: { from: 'Ended', order: 'mdy' } }
  const row = map(profileWith({ dates }), { Title: 'Use', Begun: '2024', Ended: 'Ongoing' })
  t.same(row.dates, { begun: { raw: '2024', precision: 'year', value: '2024' } })
  t.match(notesOf(row), [/^dates.ended: “Ongoing” is no date/])
})

t.test('what is missing is asked for, unless the source calls the use case retired', async (t) => {
  const profile = profileWith({
    retired: { from: 'Stage', match: 'start', values: ['Retired'] },
    facts: {
      title: { from: 'Title' },
      purpose: { from: 'Purpose', otherwise: 'Not stated.' },
      stage: {
        from: 'Stage',
        values: { Live: 'deployed', 'Retired – it ended': null },
        missing: 'say the stage',
      },
    },
  })
  const open = map(profile, { Title: 'Use', Purpose: 'TBD', Stage: '' })
  t.same([open.retired, open.facts.purpose, open.facts.stage], [false, 'Not stated.', undefined])
  t.same(notesOf(open), [
    'purpose: the source leaves “Purpose” blank, and “Not stated.” stands in for it; write the purpose',
    'stage: say the stage',
  ])
  const retired = map(profile, { Title: 'Use', Purpose: '', Stage: 'Retired – it ended' })
  t.same([retired.retired, retired.facts.purpose, retired.notes], [true, 'Not stated.', []])
})

t.test(
  'texts: line feeds and blanks are tidied, a lost character is pointed out, nothing overflows a fact',
  async (t) => {
    const profile = profileWith({ facts: { title: { from: 'Title' }, purpose: { from: 'P' } } })
    const tidy = map(profile, { Title: ' A\r\n  use ', P: ' - one\r\n- two\u00a0 ' })
    t.same([tidy.facts.title, tidy.facts.purpose, tidy.notes], ['A use', '- one\n- two', []])
    const long = map(profile, { Title: 'x'.repeat(301), P: 'lost \ufffd' })
    t.same([long.facts.title?.length, long.facts.title?.at(-1)], [300, '…'])
    t.same(notesOf(long), [
      'title: only the first 300 characters were taken; shorten the text',
      'purpose: a character was lost before this file was made; look at the text',
    ])
  },
)

t.test('org units: a way down, an agency out of an id, several units left to a person', async (t) => {
  const orgUnit = [
    { from: 'Id', before: '-' },
    { from: 'Unit', several: [';'] },
  ]
  const profile = profileWith({ facts: { title: { from: 'Title' }, orgUnit } })
  const unit = (Id: string, Unit: string) => map(profile, { Title: 'Use', Id, Unit })
  t.same(unit('FDIC – 3', 'Finance').facts.orgUnit, ['FDIC', 'Finance'])
  t.same(unit('FDIC-3', ' fdic ').facts.orgUnit, ['FDIC'])
  t.same(unit('3', 'Finance').facts.orgUnit, ['Finance'])
  t.equal(unit('TBD', '').facts.orgUnit, undefined)
  const several = unit('SEC-1', 'Enforcement; Analysis')
  t.same(
    [several.facts.orgUnit, notesOf(several)],
    [['SEC'], ['orgUnit: “Enforcement; Analysis” names several units; choose the one that answers for it']],
  )
})

t.test(
  'words and systems that a fact could not hold are notes; a flag asks about another fact',
  async (t) => {
    const profile = profileWith({
      facts: {
        title: { from: 'Title' },
        tags: { from: 'Tags', separators: [';'], always: ['imported'] },
        systems: { from: 'Systems', separators: [';', '\n'] },
      },
      flags: [
        {
          from: 'Features',
          separators: [','],
          values: ['Race'],
          field: 'answers.personal_data',
          message: 'is it special?',
        },
      ],
    })
    const row = map(profile, {
      Title: 'Use',
      Tags: 'sales; N/A; (odd); Sales',
      Systems: `Copilot\nCopilot;${'y'.repeat(201)}`,
      Features: 'a) Race, Age',
    })
    t.same([row.facts.tags, row.facts.systems], [['imported', 'sales'], ['Copilot']])
    t.match(notesOf(row), [
      /^systems: “y+…” cannot stand/,
      /^tags: “\(odd\)” cannot stand/,
      'answers.personal_data: is it special?',
    ])
  },
)

t.test(
  'a row without a title, and a broken one, are refused with their reason and keep what was understood',
  async (t) => {
    const profile = profileWith()
    t.equal(map(profile, { Title: 'N/A' }).refused, 'row 2 has no title; fill the cell under “Title”')
    const broken = {
      number: 7,
      cells: ['Use'],
      problems: ['row 7 has 1 cells, and the header names 2; correct the row'],
    }
    const mapped = mapRow(bindProfile(profile, columnsOf(['Title', 'Unit'])), broken)
    t.same([mapped.refused, mapped.facts.title], [broken.problems[0], 'Use'])
    t.notOk('refused' in map(profile, { Title: 'Use' }))
  },
)

t.test(
  'whatever a row holds, it is mapped to facts that can be stored, and always to the same',
  async (t) => {
    const listed = shippedProfiles.flatMap(({ facts, answers }) =>
      [facts.stage, facts.technique, ...Object.values(answers)].flatMap((rule) =>
        Object.keys(rule?.values ?? {}),
      ),
    )
    const cell = fc.oneof(
      fc.string(),
      fc.constantFrom(...listed, '', 'N/A', "['a', 'b']", '["x"]', '24-Nov', 'x'.repeat(25_000)),
    )
    const row = fc
      .constantFrom(...shippedProfiles)
      .chain((profile) =>
        fc.tuple(
          fc.constant(profile),
          fc.array(cell, { minLength: profile.headers.length, maxLength: profile.headers.length }),
        ),
      )
    const { title, purpose, benefits, outputs, tags, stage, technique, answers } = Facts.shape
    const storable = z
      .object({ title, purpose, benefits, outputs, tags, stage, technique, answers })
      .partial()
    fc.assert(
      fc.property(row, ([profile, cells]) => {
        const binding = bindProfile(profile, columnsOf(profile.headers))
        const mapped = mapRow(binding, rowOf(cells))
        t.same(mapRow(binding, rowOf(cells)), mapped)
        if (mapped.refused === undefined) storable.parse(mapped.facts)
      }),
      { seed: 1, numRuns: 200 },
    )
  },
)

t.test('our own columns come back as they went out, defused cells included', async (t) => {
  const row = map(shipped('assent'), {
    key: 'UC-1042',
    title: "'=cmd",
    purpose: "it's an apostrophe",
    orgUnit: 'claims',
    stage: 'pre_deployment',
    technique: 'nlp',
    systems: 'Summo; Fraudo',
    jurisdictions: 'US-NY; DE',
    businessOwner: 'owner@example.com',
    riskOwner: '',
    tags: 'sales',
    'answer.decision_role': 'Assists',
    'answer.autonomy': 'human in loop',
    'answer.affected': '',
    'answer.prohibited_practice':
      'Nobody has looked at this yet, and it will take some time until somebody does',
  })
  t.match(notesOf(row), [/^answers.prohibited_practice: “Nobody .*…?” is no option; write the id of one$/])
  t.same(
    { ...row, notes: [] },
    {
      facts: {
        title: '=cmd',
        purpose: "it's an apostrophe",
        orgUnit: ['claims'],
        jurisdictions: ['US-NY', 'DE'],
        systems: ['Summo', 'Fraudo'],
        tags: ['sales'],
        stage: 'pre_deployment',
        technique: 'nlp',
        answers: { decision_role: 'assists', autonomy: 'human_in_loop', affected: 'unknown' },
        businessOwner: 'owner@example.com',
        riskOwner: null,
      },
      retired: false,
      dates: {},
      notes: [],
    },
  )
})

t.test(
  'a row is known by its id where that is unique and says something, else by unit, name and ordinal',
  async (t) => {
    const rows = [
      ['FDIC – 3', 'A', 'Use'],
      ['TBD', 'A', 'Use'],
      ['X-1', 'A', 'Other'],
      ['X-1', 'A', ' Use '],
      ['', 'B', 'Use'],
    ]
    t.same(await identitiesOf(profileWith(), ['Id', 'Unit', 'Title'], rows), [
      { kind: 'id', value: 'FDIC-3' },
      { kind: 'name', value: '["A","Use"]#1' },
      { kind: 'name', value: '["A","Other"]#1' },
      { kind: 'name', value: '["A","Use"]#2' },
      { kind: 'name', value: '["B","Use"]#1' },
    ])
    t.same(
      await identitiesOf(
        profileWith(),
        ['Unit', 'Title'],
        [
          ['A', 'Use – “x”'],
          ['A', 'Use - "x"'],
        ],
      ),
      [
        { kind: 'name', value: '["A","Use - \\"x\\""]#1' },
        { kind: 'name', value: '["A","Use - \\"x\\""]#2' },
      ],
    )
  },
)

t.test(
  'unknown headers: columns are proposed by header and by values, each with its confidence',
  async (t) => {
    const headers = [
      'Ref No',
      'Use case name',
      'Business unit',
      'What problem does it solve?',
      'Status',
      'AI type',
      'Owner e-mail',
      'Countries',
      'Customer facing?',
      'Comments',
    ]
    const sample = [
      rowOf([
        'A-1',
        'Call summaries',
        'Service',
        'Saves time',
        'In production',
        'GenAI',
        'a@example.com',
        'US; DE',
        'Yes',
        '',
      ]),
      rowOf(
        ['A-2', 'Fraud score', 'Claims', 'Finds fraud', 'Retired', 'Machine learning', '', 'US', 'No', 'Old'],
        3,
      ),
    ]
    const { profile, proposals, unused } = inferProfile(columnsOf(headers), sample, questions, 'our-list')
    t.same(Object.fromEntries(proposals.map(({ field, column }) => [field, column])), {
      id: 'Ref No',
      title: 'Use case name',
      orgUnit: 'Business unit',
      purpose: 'What problem does it solve?',
      stage: 'Status',
      technique: 'AI type',
      businessOwner: 'Owner e-mail',
      jurisdictions: 'Countries',
      'answers.customer_facing': 'Customer facing?',
    })
    t.ok(proposals.every(({ confidence }) => confidence >= 0.5 && confidence <= 1))
    t.same([unused, profile.register], [['Comments'], 'our-list'])
    const binding = bindProfile(profile, columnsOf(headers))
    const [first, second] = sample.map((row) => mapRow(binding, row))
    t.match(first?.facts, {
      stage: 'deployed',
      technique: 'generative',
      jurisdictions: ['US', 'DE'],
      answers: { customer_facing: 'yes' },
    })
    t.same([second?.retired, second?.facts.businessOwner], [true, null])
  },
)

t.test('without a column that reads like a title nothing is inferred', async (t) => {
  t.throws(() => inferProfile(columnsOf(['Colour', 'Weight']), [], questions, 'x'), {
    code: 'invalid',
    message: /no column reads like a title/,
  })
})

t.test(
  'the ids of shipped profiles are their file names, and no two are one register by accident',
  async (t) => {
    const registers = Object.fromEntries(shippedProfiles.map(({ id, register }) => [id, register])) as Record<
      ShippedId,
      string
    >
    t.equal(registers['omb-2024-v1'], registers['omb-2024-v2'], 'the revision updates the first release')
    t.equal(new Set(Object.values(registers)).size, 4)
  },
)
