import t from 'tap'
import { startApp } from '../app.js'
import { refuses } from '../unchanged.js'
import { csv, formType, importing, oscal, oscalFile } from './files.js'

const server = await startApp(t)
const admin = await server.person('Ada', { rights: ['administrator'] })
const human = await server.person('Hal', { rights: [] })
const pipeline = await server.person('Pip', { rights: ['pipeline'], kind: 'service' })
const upload = importing(admin)

t.test('everybody who is signed in reads the catalogs of the policy in force', async (t) => {
  for (const reader of [human, pipeline, admin]) {
    const { body } = await reader.get('/v1/catalogs')
    t.same(
      body.items.map(({ id, version, origin }: { id: string; version: string; origin: string }) =>
        [id, version, origin].join(' '),
      ),
      [
        ...['eu-ai-act 2024 policy', 'nist-ai-600-1 1.0 policy'],
        ...['nist-ai-rmf 1.0 policy', 'us-insurers 2026-09 policy'],
      ],
    )
  }
  const { body } = await human.get('/v1/catalogs/nist-ai-600-1')
  t.match(body, { controls: 212, tiesTo: 'nist-ai-rmf', versions: [{ version: '1.0', origin: 'policy' }] })
  t.equal(body.risks.length, 12)
  t.match(await human.get('/v1/catalogs/iso-42001'), { status: 404 })
  t.match(await human.get('/v1/catalogs/nist-ai-rmf?version=2.0'), { status: 404 })
})

t.test(
  'controls come in the order of their catalog, page by page, by function, category, risk and tie',
  async (t) => {
    t.same((await idsOf('nist-ai-rmf', 'category=MEASURE+2')).slice(-2), ['MEASURE 2.12', 'MEASURE 2.13'])
    t.equal((await idsOf('nist-ai-rmf', '')).length, 72)
    t.equal((await idsOf('nist-ai-rmf', 'function=GOVERN')).length, 19)
    t.equal((await idsOf('nist-ai-600-1', 'risk=cbrn')).length, 31)
    t.same(await idsOf('nist-ai-600-1', 'serves=GOVERN+1.1'), ['GV-1.1-001'])
    t.same(await idsOf('nist-ai-600-1', 'serves=GOVERN+9'), [])
  },
)

t.test('what an action of the generative AI profile serves meets it, too', async (t) => {
  const action = await human.get('/v1/catalogs/nist-ai-600-1/mappings?control=MS-2.11-002')
  t.same(action.body.items, [
    { control: 'MS-2.11-002', relation: 'intersects', catalog: 'nist-ai-rmf', other: 'MEASURE 2.11' },
  ])
  const back = await human.get('/v1/catalogs/nist-ai-rmf/mappings?control=MEASURE+2.11&to=nist-ai-600-1')
  t.equal(back.body.items.length, (await idsOf('nist-ai-600-1', 'serves=MEASURE+2.11')).length)
})

t.test('a control shows what meets it in other frameworks, whichever of the two one asks', async (t) => {
  const { body } = await human.get('/v1/catalogs/us-insurers/mappings?control=CO+1.2')
  t.same(body.items, [
    { control: 'CO 1.2', relation: 'subset', catalog: 'nist-ai-rmf', other: 'MEASURE 2.11' },
  ])
  const back = await human.get(
    '/v1/catalogs/nist-ai-rmf/mappings?control=MEASURE+2.11&to=us-insurers&limit=200',
  )
  t.match(
    back.body.items.find(({ other }: { other: string }) => other === 'CO 1.2'),
    { relation: 'superset' },
  )
  const all: unknown[] = []
  let cursor = ''
  do {
    const page = await human.get(`/v1/catalogs/nist-ai-rmf/mappings?limit=7&to=eu-ai-act${cursor}`)
    all.push(...page.body.items)
    cursor = page.body.next === null ? '' : `&cursor=${page.body.next}`
  } while (cursor !== '')
  const whole = await human.get('/v1/catalogs/nist-ai-rmf/mappings?limit=200&to=eu-ai-act')
  t.same(all, whole.body.items)
})

t.test(
  'an OSCAL catalog is imported with its wording, by an administrator of the whole organisation',
  async (t) => {
    const fields = { id: 'nist-ai-rmf', version: '1.0-official', ids: 'label' }
    const local = await server.person('Lou', {
      rights: ['administrator'],
      unitId: await server.unit('sales'),
    })
    for (const stranger of [human, pipeline, local]) {
      await refuses(t, server, () => importing(stranger)(fields, oscalFile), { status: 403, rule: 'DR-98' })
    }
    const answer = await upload(fields, oscalFile)
    t.match(answer, {
      status: 201,
      body: {
        ...{ id: 'nist-ai-rmf', version: '1.0-official', title: 'Sample', origin: 'imported', controls: 3 },
        ...{ importedBy: admin.id, source: { date: '2024-05-01' } },
        functions: [{ id: 'govern' }, { id: 'map' }],
        categories: [
          { id: 'govern-1', function: 'govern' },
          { id: 'map', function: 'map' },
        ],
      },
    })
    t.equal(answer.headers.location, '/v1/catalogs/nist-ai-rmf?version=1.0-official')
    const { body } = await human.get('/v1/catalogs/nist-ai-rmf/controls')
    t.same(
      body.items,
      [
        {
          ...{ id: 'GOVERN 1.1', function: 'govern', category: 'govern-1', title: 'Legal requirements' },
          text: 'Requirements are reviewed [each quarter].\na. By counsel.',
        },
        {
          id: 'GOVERN 1.1(1)',
          function: 'govern',
          category: 'govern-1',
          title: 'Part',
          parent: 'GOVERN 1.1',
        },
        { id: 'MAP 1', function: 'map', category: 'map', title: 'Context' },
      ],
      'without the one that was withdrawn',
    )
    t.equal(
      (await human.get('/v1/catalogs/nist-ai-rmf?version=1.0')).body.origin,
      'policy',
      'beside that of policy',
    )
    const { rows } = await server.owner.query(
      `select type, leaf from audit_event where type = 'catalog.imported'`,
    )
    t.equal(rows.length, 1)
    t.match(JSON.parse(rows[0].leaf), { key: 'nist-ai-rmf', controls: 3, right: 'DR-98' })

    await t.test('and a version that is there never changes', async (t) => {
      await refuses(t, server, () => upload(fields, oscalFile), { status: 409 })
      await refuses(t, server, () => upload({ ...fields, version: '1.0' }, oscalFile), {
        status: 409,
        detail: /there is a version 1.0 of nist-ai-rmf already, and versions never change/,
      })
    })
  },
)

t.test('a table is imported, with ties and risks', async (t) => {
  const fields = { id: 'house', version: '1', title: 'House rules', tiesTo: 'nist-ai-rmf' }
  t.match(await upload(fields, csv), {
    status: 201,
    body: { controls: 3, risks: [{ id: 'fire' }, { id: 'flood' }] },
  })
  t.same((await human.get('/v1/catalogs/house/controls')).body.items, [
    {
      ...{
        id: 'H 1',
        function: 'HOUSE',
        category: 'DOORS',
        title: 'Lock; always',
        ties: ['MAP 1.1', 'MAP 1.2'],
      },
      risks: ['fire', 'flood'],
    },
    { id: 'H 1.1', function: 'HOUSE', category: 'DOORS', title: 'The back door', parent: 'H 1' },
    { id: 'H 2', function: 'HOUSE', category: 'HOUSE', title: 'Say "hello"', text: 'To all\nwho come' },
  ])
  t.same(await idsOf('house', 'serves=MAP+1.2'), ['H 1'])
  t.same(await idsOf('house', 'risk=flood'), ['H 1'])
  t.match((await human.get('/v1/catalogs/house')).body.functions, [{ id: 'HOUSE', title: 'In the house' }])
})

t.test('the same file again, with the same key, is one import', async (t) => {
  const fields = { id: 'again', version: '1', title: 'Again' }
  const first = await upload(fields, 'id,title\nA,First\n', { 'idempotency-key': 'once' })
  const second = await upload(fields, 'id,title\nA,First\n', { 'idempotency-key': 'once' })
  t.same([first.status, second.status], [201, 201])
  t.same(second.body, first.body)
  await refuses(t, server, () => upload(fields, 'id,title\nB,Other\n', { 'idempotency-key': 'once' }), {
    status: 409,
  })
})

t.test('a list that began with one version goes on with it', async (t) => {
  const rows = (word: string) => `id,title\n${[1, 2, 3].map((n) => `C${n},${word}`).join('\n')}`
  await upload({ id: 'moving', version: '1', title: 'Moving' }, rows('first'))
  const begun = await human.get('/v1/catalogs/moving/controls?limit=2')
  await upload({ id: 'moving', version: '2', title: 'Moving' }, rows('second'))
  const rest = await human.get(`/v1/catalogs/moving/controls?limit=2&cursor=${begun.body.next}`)
  t.match(rest.body, { items: [{ id: 'C3', title: 'first' }], next: null })
  t.match((await human.get('/v1/catalogs/moving/controls?limit=1')).body.items, [{ title: 'second' }])
})

t.test('of two who import a version at once, one does', async (t) => {
  const fields = { id: 'race', version: '1', title: 'Race' }
  const answers = await Promise.all(['A', 'B', 'C'].map((id) => upload(fields, `id,title\n${id},One\n`)))
  t.same(answers.map(({ status }) => status).sort(), [201, 409, 409])
  const won = answers.findIndex(({ status }) => status === 201)
  t.match((await human.get('/v1/catalogs/race/controls')).body.items, [{ id: ['A', 'B', 'C'][won] }])
})

t.test('catalogs of policy and imported ones are one list, without a gap', async (t) => {
  const listed: string[] = []
  let cursor = ''
  do {
    const { body } = await human.get(`/v1/catalogs?limit=2${cursor}`)
    listed.push(...body.items.map(({ id, version }: { id: string; version: string }) => `${id} ${version}`))
    cursor = body.next === null ? '' : `&cursor=${body.next}`
  } while (cursor !== '')
  t.same(listed, [
    ...[
      'again 1',
      'eu-ai-act 2024',
      'house 1',
      'moving 1',
      'moving 2',
      'nist-ai-600-1 1.0',
      'nist-ai-rmf 1.0',
    ],
    ...['nist-ai-rmf 1.0-official', 'race 1', 'us-insurers 2026-09'],
  ])
})

t.test('what is imported cannot be changed by the service, whatever it does', async (t) => {
  const app = await server.database.pool.connect()
  t.teardown(() => app.release())
  for (const attack of [
    `update catalog set title = 'x'`,
    'delete from catalog',
    `update catalog_control set title = 'x'`,
    'delete from catalog_control',
    'truncate catalog_control',
  ]) {
    await t.rejects(app.query(attack), { code: '42501' }, attack)
  }
})

t.test('a file that is no catalog changes nothing, and is told what is wrong', async (t) => {
  const fields = { id: 'bad', version: '1', title: 'Bad' }
  const control = { id: 'a', title: 'A' }
  const deep = `{"catalog":${'{"groups":['.repeat(5000)}${']}'.repeat(5000)}}`
  const cases: [string, string | Buffer, RegExp][] = [
    ['no JSON', '{"catalog":', /not JSON/],
    ['another document', JSON.stringify({ profile: {} }), /no OSCAL catalog/],
    ['no controls', oscal({ controls: [] }), /at \/functions: it must have at least 1 entry/],
    [
      'an id twice',
      oscal({ controls: [control, control] }),
      /\/controls\/1\/id: it is a, which is there before/,
    ],
    [
      'a group twice',
      oscal({
        groups: [
          { id: 'g', title: 'G', controls: [control] },
          { id: 'g', title: 'H' },
        ],
      }),
      /functions\/1\/id/,
    ],
    ['depth', deep, /nested deeper than 60 levels/],
    ['depth without end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, /nested deeper than 60 levels/],
    [
      'prototype',
      oscal({ controls: [{ id: '__proto__', title: 'A' }] }),
      /must begin with a letter or digit/,
    ],
    ['NUL', oscal({ controls: [{ id: 'a', title: '\u0000' }] }), /cannot be stored/],
    ['no label', JSON.stringify(JSON.parse(oscal({ controls: [control] }))), /has no label/],
    ['a cycle', 'id,title,parent\na,A,b\nb,B,a\n', /comes back to this control/],
    ['its own parent', 'id,title,parent\na,A,a\n', /comes back to this control/],
    ['a parent that is not there', 'id,title,parent\na,A,z\n', /is z, which is no control here/],
    [
      'a category in two functions',
      'id,title,function,category\na,A,F,C\nb,B,G,C\n',
      /must be F, the function of its category/,
    ],
    ['ties to nowhere', 'id,title,ties\na,A,MAP 1.1\n', /lead nowhere; name the catalog in tiesTo/],
    ['an unknown column', 'id,title,owner\na,A,me\n', /no column "owner"/],
    ['a column twice', 'id,title,Title\na,A,B\n', /column title is there twice/],
    ['no titles', 'id\na\n', /no column title/],
    ['an open quote', 'id,title\na,"A\n', /cannot be read/],
    ['a cell too many', 'id,title\na,A,B\n', /cannot be read near line 2/],
    [
      'too many',
      `id,title\n${Array.from({ length: 5001 }, (_, n) => `c${n},C`).join('\n')}`,
      /at most 5000 entries/,
    ],
    ['another encoding', Buffer.from([0x69, 0xe9, 0x0a]), /not UTF-8/],
    ['a workbook', Buffer.from('PK\u0003\u0004rest'), /no column "PK/],
  ]
  for (const [what, file, detail] of cases) {
    const asked = what === 'no label' ? { ...fields, ids: 'label' } : fields
    await t.test(what, async (t) => {
      await refuses(t, server, () => upload(asked, file), { status: 422, detail })
    })
  }
  await refuses(t, server, () => upload({ id: 'bad' }, 'id,title\na,A\n'), {
    status: 422,
    detail: /does not say its version/,
  })
  await refuses(
    t,
    server,
    () => upload({ ...fields, tiesTo: 'nist-ai-rmf' }, 'id,title,ties\na,A,MAP 99\n'),
    {
      status: 422,
      detail: /MAP 99 is no control of nist-ai-rmf/,
    },
  )
  await refuses(t, server, () => upload({ ...fields, id: '../etc' }, csv), { status: 422 })
  await refuses(t, server, () => upload({ ...fields, sourceUrl: 'javascript:alert(1)' }, csv), {
    status: 422,
  })
  await refuses(t, server, () => upload(fields, Buffer.alloc(17 * 2 ** 20, 0x20)), { status: 413 })
  await refuses(t, server, () => admin.post('/v1/catalogs', { id: 'bad' }), { status: 415 })
  await refuses(t, server, () => admin.post('/v1/catalogs', 'x', formType), { status: 400 })
  t.match(await human.get('/v1/catalogs/constructor'), { status: 404 })
})

t.test('a catalog as large as may be is imported and read to its end', async (t) => {
  const rows = Array.from({ length: 5000 }, (_, n) => `c-${n},${'Title '.repeat(20)},${'Text '.repeat(100)}`)
  const file = ['id,title,text', ...rows].join('\n')
  t.match(await upload({ id: 'large', version: '1', title: 'Large' }, file), {
    status: 201,
    body: { controls: 5000 },
  })
  const last = await human.get('/v1/catalogs/large/controls?limit=200&category=controls')
  t.equal(last.body.items.length, 200)
})

async function idsOf(catalog: string, query: string): Promise<string[]> {
  const ids: string[] = []
  let cursor = ''
  do {
    const { body } = await human.get(`/v1/catalogs/${catalog}/controls?limit=5&${query}${cursor}`)
    ids.push(...body.items.map(({ id }: { id: string }) => id))
    cursor = body.next === null ? '' : `&cursor=${body.next}`
  } while (cursor !== '')
  return ids
}
