// A profile as a file: what a spreadsheet, a program and a tool for OSCAL get of it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { parse } from 'csv-parse/sync'
import t from 'tap'
import { readOscal } from '../../src/catalogs/oscal.js'
import type { Person } from '../app.js'
import { importing } from '../catalogs/files.js'
import { register } from '../committee.js'
import { give } from '../conditions/world.js'
import { refuses } from '../unchanged.js'
import { look, profileOf, say, startProfiles } from './world.js'

const data = process.env.ASSENT_TEST_DATA
const skip = data === undefined && 'set ASSENT_TEST_DATA to the folder that holds oscal/'

const committee = await startProfiles(t)
const { riskOwner, auditor, app, clock } = committee
const admin = await committee.person('Ann', { rights: ['administrator'] })

/** Ids that OSCAL cannot write, two of which it would write alike. */
const odd = `id,title,text,parent
III.5(c),Life and limb,The wording,
1.1,Begins with a digit,,
A 1,First,,
A-1,Second,,A 1
constructor,Named like a member of every object,,`
const imported = await importing(admin)({ id: 'odd', version: '1', title: 'Odd ids' }, odd)

const { id, key } = await register(committee, {
  title: 'Claims,\n  sorted ',
  jurisdictions: ['US'],
  channels: ['phone'],
})
const accepted = await give(committee, id)
const open = await give(committee, id, {}, 'none')
const ofOdd = { catalog: 'odd', version: '1' }
await say(
  riskOwner,
  id,
  {
    control: 'GOVERN 1.1',
    state: 'in_place',
    note: '=HYPERLINK("x")\nas agreed',
    evidenceIds: [accepted, open],
  },
  { control: 'GOVERN 1.2', state: 'planned' },
  { control: 'GOVERN 1.3', state: 'not_effective', note: 'nobody reads it' },
  { control: 'GOVERN 1.4', state: 'not_applicable', note: '-' },
  { ...ofOdd, function: 'controls', state: 'in_place' },
)

async function fileOf(person: Person, url: string) {
  const { statusCode, payload, headers } = await app.inject({
    url,
    headers: { authorization: `Bearer ${person.token}` },
  })
  return {
    status: statusCode,
    text: payload,
    type: headers['content-type'],
    name: headers['content-disposition'],
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as in an Answer
async function documentOf(url: string): Promise<any> {
  return JSON.parse((await fileOf(auditor, url)).text)
}

function validator() {
  const schema = readFileSync(join(data ?? '', 'oscal', 'oscal_complete_schema-1-1-3.json'), 'utf8')
  const ajv = new Ajv({ strict: false })
  formats.default(ajv)
  return ajv.compile(JSON.parse(schema))
}

t.test('as OSCAL it is a valid plan, with a valid profile over valid catalogs', { skip }, async (t) => {
  t.equal(imported.status, 201)
  const isValid = validator()
  const valid = (document: object, what: string) =>
    t.ok(isValid(document), `${what} ${JSON.stringify(isValid.errors?.slice(0, 3))}`)
  const plan = await documentOf(profileOf(id, '?format=oscal'))
  valid(plan, 'the plan')
  const profile = await documentOf(profileOf(id, '?format=oscal-profile'))
  valid(profile, 'the profile')
  for (const catalog of ['nist-ai-rmf', 'nist-ai-600-1', 'eu-ai-act', 'us-insurers', 'odd'])
    valid(await documentOf(`/v1/catalogs/${catalog}/oscal`), catalog)
  const blank = await register(committee)
  valid(await documentOf(profileOf(blank.id, '?format=oscal')), 'a plan of which nothing was said')
  delete plan['system-security-plan'].metadata.title
  t.notOk(isValid(plan), 'the schema is looked at')
})

t.test('a plan says of each control how far it is, and claims nothing of what nobody assessed', async (t) => {
  const { 'system-security-plan': plan } = await documentOf(profileOf(id, '?format=oscal'))
  const stated = plan['control-implementation']['implemented-requirements'].map(
    // biome-ignore lint/suspicious/noExplicitAny: as in an Answer
    (one: any) => [one['control-id'], one['by-components']?.[0]['implementation-status'].state],
  )
  t.same(stated, [
    ['GOVERN-1.1', 'implemented'],
    ['GOVERN-1.2', 'planned'],
    ['GOVERN-1.3', 'partial'],
    ['GOVERN-1.4', 'not-applicable'],
    ...['GOVERN-1.5', 'GOVERN-1.6', 'GOVERN-1.7', 'MEASURE-2.11'].map((control) => [control, undefined]),
    ...['III.5-c', '_1.1', 'A-1', 'A-1_2', 'constructor'].map((control) => [control, 'implemented']),
  ])
  const uses = plan['control-implementation']['implemented-requirements'][0]['by-components'][0].links
  const resources = new Map(
    plan['back-matter'].resources.map((one: { uuid: string }) => [`#${one.uuid}`, one]),
  )
  t.match(
    uses.map(({ href }: { href: string }) => resources.get(href)),
    [
      {
        rlinks: [
          {
            href: `/v1/evidence/${accepted}/content`,
            hashes: [{ algorithm: 'SHA-256', value: /^[0-9a-f]{64}$/ }],
          },
        ],
      },
      { rlinks: [{ href: `/v1/evidence/${open}/content` }] },
    ],
  )
  const { base64 } = resources.get(plan['import-profile'].href) as { base64: { value: string } }
  const within = JSON.parse(Buffer.from(base64.value, 'base64').toString())
  t.same(
    within,
    await documentOf(profileOf(id, '?format=oscal-profile')),
    'it holds the profile that it imports',
  )
  t.match(plan.metadata.parties, [{ name: 'Bea' }, { name: 'Rui' }])
})

t.test('the ids of a profile are those of the catalogs, as each of them is written', async (t) => {
  const { profile } = await documentOf(profileOf(id, '?format=oscal-profile'))
  const hrefs = new Map(
    profile['back-matter'].resources.map((one: { uuid: string; rlinks: { href: string }[] }) => [
      `#${one.uuid}`,
      one.rlinks[0]?.href,
    ]),
  )
  for (const one of profile.imports) {
    const catalog = JSON.stringify(await documentOf(String(hrefs.get(one.href))))
    for (const control of one['include-controls'][0]['with-ids']) t.match(catalog, `{"id":"${control}"`)
  }
  const again = readOscal(JSON.stringify(await documentOf('/v1/catalogs/nist-ai-rmf/oscal')), {
    id: 'again',
    ids: 'label',
  })
  const { items } = (await auditor.get('/v1/catalogs/nist-ai-rmf/controls?limit=200')).body
  t.same(
    again.controls.map((control) => [control.id, control.title]),
    items.map((control: { id: string; title: string }) => [control.id, control.title]),
    'what goes out as OSCAL comes in again',
  )
})

t.test('the same profile gives the same document, and another one another', async (t) => {
  const first = await fileOf(auditor, profileOf(id, '?format=oscal'))
  clock.at = '2026-03-01T10:00:00.000Z'
  const second = await fileOf(auditor, profileOf(id, '?format=oscal'))
  t.equal(first.text, second.text)
  t.match(first, {
    type: /^application\/oscal.ssp\+json/,
    name: `attachment; filename="${key}-controls-2026-03-01.oscal-ssp.json"`,
  })
  const { 'system-security-plan': whole } = JSON.parse(first.text)
  const { 'system-security-plan': part } = await documentOf(profileOf(id, '?format=oscal&catalog=odd'))
  t.not(part.uuid, whole.uuid)
  const uuidOf = ({ 'control-implementation': { 'implemented-requirements': all } }: typeof whole) =>
    all.find((one: { 'control-id': string }) => one['control-id'] === '_1.1').uuid
  t.equal(uuidOf(part), uuidOf(whole), 'a control keeps its id')
})

t.test('OSCAL knows no empty plan, and says so', async (t) => {
  const minimal = await register(committee, { answers: { customer_facing: 'no' } })
  await refuses(t, committee, () => auditor.get(profileOf(minimal.id, '?format=oscal&catalog=odd')), {
    status: 409,
    detail: /no empty plan; assess one first/,
  })
})

t.test('as CSV it is a control a line, with cells that no spreadsheet runs', async (t) => {
  const { text, type } = await fileOf(auditor, profileOf(id, '?format=csv'))
  t.match(type, /^text\/csv/)
  const rows: Record<string, string>[] = parse(text, { columns: true })
  const profile = await look(auditor, id)
  t.equal(rows.length, profile.controls.length)
  t.match(rows[0], {
    ...{ useCase: key, control: 'GOVERN 1.1', note: `'=HYPERLINK("x")\nas agreed`, assessor: 'Rui' },
    ...{ evidenceIds: `${accepted}; ${open}`, evidenceCounting: '1', applies: 'yes', requirements: 'RQ-01' },
  })
  t.match(rows[3], { note: `'-`, state: 'not_applicable' })
  t.same(
    rows.map(({ control }) => control),
    profile.controls.map(({ control }: { control: string }) => control),
  )
  const { text: few } = await fileOf(auditor, profileOf(id, '?format=csv&state=planned'))
  t.equal(parse(few, { columns: true }).length, 1)
})
