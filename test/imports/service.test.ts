import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeXlsx } from 'hucre/xlsx'
import t, { type Test } from 'tap'
import { projectRoot } from '../../src/config.js'
import { type Answer, ifMatch, type Person, startApp } from '../app.js'
import { answersFor, standing, startCommittee, submit } from '../committee.js'
import { openClient } from '../database-run.js'
import { refuses } from '../unchanged.js'
import { meeting } from '../waiting.js'
import { apply, csvOf, importFile, register, rowsOf, stored, upload } from './importing.js'

t.setTimeout(240_000)

const header = ['key', 'title', 'purpose', 'benefits', 'orgUnit', 'stage', 'tags']
const triage = [
  'A-1',
  'Triage of claims',
  'Sorts claims by urgency',
  'Faster help',
  'claims',
  'pilot',
  'home',
]
const letters = ['A-2', 'Letters to clients', 'Drafts letters', '', 'service', 'deployed', '']
const sheet = csvOf(header, triage, letters)

/** A row with some of its cells changed. */
function changed(row: string[], change: Record<string, string>): string[] {
  return row.map((cell, index) => change[header[index] ?? ''] ?? cell)
}

async function startImporter(t: Test) {
  const server = await startApp(t)
  const admin = await server.person('Ada', { rights: ['administrator'] })
  return { ...server, admin }
}

async function useCaseOf(admin: Person, applied: Answer, ordinal = 1): Promise<Answer> {
  const rows = await rowsOf(admin, applied)
  return await admin.get(`/v1/use-cases/${rows[ordinal - 1]?.useCaseId}`)
}

async function revise(person: Person, useCase: Answer, facts: object): Promise<Answer> {
  const { id } = useCase.body
  return await person.patch(`/v1/use-cases/${id}`, { facts, reason: 'as it is' }, ifMatch(useCase))
}

t.test('a dry run says what would become of each row, and applying does it', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const before = await register(server)
  const previewed = await upload(admin, sheet, { name: 'C:\\lists\\Our register.csv' })
  t.match(previewed, { status: 201, body: { state: 'previewed', revision: 2, fileName: 'Our register.csv' } })
  t.match(previewed.headers, { location: `/v1/imports/${previewed.body.id}`, etag: '"2"' })
  t.match(previewed.body, {
    profileFrom: 'detected',
    register: 'assent',
    createdBy: admin.id,
    appliedAt: null,
  })
  const outcomes = { created: 2, updated: 0, unchanged: 0, needsAttention: 0, refused: 0 }
  const planned = { rows: 2, registered: 2, ...outcomes, gone: 0 }
  t.same(previewed.body.counts, { ...planned, newUnits: 2, newSystems: 0 })
  t.same(await register(server), before, 'nothing is registered yet')
  t.match(await rowsOf(admin, previewed), [{ outcome: 'created', useCaseId: null }, { outcome: 'created' }])

  const applied = await apply(admin, previewed)
  t.match(applied, { status: 200, body: { state: 'applied', appliedBy: admin.id, counts: planned } })
  const useCase = await useCaseOf(admin, applied)
  t.match(useCase.body, {
    title: 'Triage of claims',
    stage: 'pilot',
    tags: ['home'],
    origin: 'imported',
    version: 1,
  })
  t.equal(useCase.body.standing.standing, 'unreviewed', 'what was imported was never reviewed here')
  const { body: units } = await admin.get('/v1/org-units')
  t.match(
    units.items.map(({ key }: { key: string }) => key),
    ['claims', 'organisation', 'service'],
  )
  const once = await apply(admin, previewed)
  t.same(once.body, applied.body, 'asked again, it answers the same')
  t.match((await admin.get('/v1/imports')).body, {
    items: [{ id: applied.body.id, state: 'applied' }],
    next: null,
  })
})

t.test('each import, and each use case it makes, leaves its events', async (t) => {
  const { admin, owner } = await startImporter(t)
  const applied = await importFile(admin, csvOf(header, triage, changed(letters, { stage: 'retired' })))
  const { rows } = await owner.query(
    `select aggregate_kind as kind, event_no as no, type, convert_from(leaf, 'UTF8')::json ->> 'importId' as "importId"
      from audit_event where aggregate_kind in ('import_run', 'use_case', 'org_unit') order by recorded_at, id`,
  )
  const of = (kind: string) => rows.filter((row) => row.kind === kind)
  t.same(
    of('import_run').map(({ no, type }) => [no, type]),
    [
      [1, 'import.uploaded'],
      [2, 'import.advanced'],
      [3, 'import.previewed'],
      [4, 'import.advanced'],
      [5, 'import.applied'],
    ],
  )
  t.match(of('use_case'), [
    { no: 1, type: 'use_case.registered', importId: applied.body.id },
    { no: 1, type: 'use_case.registered', importId: applied.body.id },
    { no: 2, type: 'use_case.retired', importId: applied.body.id },
  ])
  t.equal(of('org_unit').length, 2)
  const { rows: heads } = await owner.query('select last_event_no as no from use_case order by number')
  t.same(heads, [{ no: 1 }, { no: 2 }])
})

t.test('no leaf of the log tells the name of a file, nor the register that is named after it', async (t) => {
  const { admin, owner } = await startImporter(t)
  const previewed = await upload(admin, 'Title,What it is for\nTriage,Sorts claims\n', {
    name: 'Jane Roe.csv',
  })
  const { id, register, profile } = previewed.body
  t.equal(register, 'jane-roe')
  const place = `/v1/imports/${id}`
  t.equal(
    (await admin.patch(place, { profile: { ...profile, id: 'by-jane' } }, ifMatch(previewed))).status,
    200,
  )
  const { rows } = await owner.query(
    `select convert_from(leaf, 'UTF8') as leaf from audit_event where aggregate_kind = 'import_run'`,
  )
  t.ok(rows.length >= 5)
  for (const { leaf } of rows) t.notMatch(leaf, /jane/i)
})

t.test('the same rows come in as CSV, as NDJSON and as a workbook', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const lines = [triage, letters].map((row) =>
    JSON.stringify(Object.fromEntries(row.map((c, i) => [header[i], c]))),
  )
  const workbook = Buffer.from(await writeXlsx({ sheets: [{ name: 'R', rows: [header, triage, letters] }] }))
  t.match((await importFile(admin, sheet)).body, { format: 'csv', counts: { created: 2 } })
  const before = await register(server)
  t.match((await importFile(admin, `${lines.join('\n')}\n`)).body, {
    format: 'ndjson',
    counts: { unchanged: 2 },
  })
  t.match((await importFile(admin, workbook)).body, { format: 'xlsx', counts: { unchanged: 2 } })
  t.same(await register(server), before)
})

t.test('a newer file merges three ways: taken, kept, or put before a person with both values', async (t) => {
  const { admin, person } = await startImporter(t)
  const bea = await person('Bea', { rights: ['business_owner'] })
  const file = (change = {}) =>
    csvOf([...header, 'businessOwner'], [...changed(triage, change), 'Bea'], [...letters, 'Bea'])
  const first = await importFile(admin, file())
  const useCase = await useCaseOf(admin, first)
  const here = await revise(bea, useCase, { benefits: 'Help within a day', tags: ['home', 'auto'] })
  t.equal(here.status, 200)
  const newer = file({ title: 'Triage', benefits: 'Help within an hour', stage: 'deployed' })
  const second = await importFile(admin, newer)
  t.match(second.body.counts, { created: 0, updated: 0, unchanged: 1, needsAttention: 1 })
  const merged = await useCaseOf(admin, second)
  t.match(merged.body, { title: 'Triage', stage: 'deployed', benefits: 'Help within a day', version: 3 })
  t.same(merged.body.tags, ['home', 'auto'])
  const [row] = await rowsOf(admin, second, '&outcome=needs_attention')
  const conflict = { source: 'Help within an hour', here: 'Help within a day' }
  t.match(row?.reasons, [{ field: 'benefits', message: /both in the source and here/, conflict }])

  const before = merged.body
  t.match((await importFile(admin, newer)).body.counts, { unchanged: 2 })
  t.same((await useCaseOf(admin, second)).body, before, 'the same file again changes nothing')
})

t.test(
  'a doubtful row is registered with what is certain; one without a title is refused and kept',
  async (t) => {
    const { admin, ...server } = await startImporter(t)
    const doubtful = changed(triage, { stage: 'almost there' })
    const nameless = changed(letters, { title: '' })
    const applied = await importFile(admin, csvOf(header, doubtful, nameless))
    t.match(applied.body.counts, { rows: 2, registered: 1, created: 0, needsAttention: 1, refused: 1 })
    t.equal((await register(server)).sources, 1)
    const [first, second] = await rowsOf(admin, applied)
    t.match(first, { outcome: 'needs_attention', reasons: [{ field: 'stage', raw: 'almost there' }] })
    t.match((await admin.get(`/v1/use-cases/${first?.useCaseId}`)).body, {
      title: 'Triage of claims',
      stage: 'idea',
    })
    t.match(second, { outcome: 'refused', useCaseId: null, rowNumber: 3, raw: { key: 'A-2', title: '' } })
    t.match(second?.reasons, [{ field: null, message: /^row 3 has no title/ }])
    t.match((await importFile(admin, csvOf(header, doubtful, nameless))).body.counts, {
      unchanged: 1,
      refused: 1,
    })
  },
)

t.test('names resolve to whoever is here; somebody unknown is put before a person', async (t) => {
  const { admin, owner, person } = await startImporter(t)
  const columns = ['title', 'purpose', 'orgUnit', 'systems', 'businessOwner', 'riskOwner']
  const bea = await person('Business owner, Claims', { rights: ['business_owner'] })
  const rui = await person('Rui', { rights: ['risk_owner'] })
  await owner.query(`update person set email = 'Rui@example.org' where id = $1`, [rui.id])
  const system = { key: 'triage-model', name: 'Triage Model', kind: 'model' }
  const { body: model } = await admin.post('/v1/systems', system)
  const row = [
    'One',
    'Sorts claims',
    'claims',
    'TRIAGE model; Northlight Notes',
    'business owner, claims',
    'rui@EXAMPLE.org',
  ]
  const file = csvOf(columns, row, ['Two', 'Sorts mail', 'claims', 'northlight notes', 'Nobody', ''])
  const applied = await importFile(admin, file)
  t.match(applied.body.counts, { created: 1, needsAttention: 1, newUnits: 1, newSystems: 1 })
  const [one, two] = [await useCaseOf(admin, applied, 1), await useCaseOf(admin, applied, 2)]
  t.match(one.body, { businessOwnerId: bea.id, riskOwnerId: rui.id })
  t.equal(one.body.systemIds[0], model.id)
  t.same(one.body.systemIds.slice(1), two.body.systemIds, 'a new system is registered once')
  t.equal(two.body.businessOwnerId, null)
  const [, second] = await rowsOf(admin, applied)
  t.match(second?.reasons, [
    { field: 'businessOwner', message: /^nobody here is called “Nobody”/, raw: 'Nobody' },
  ])

  const nobody = await person('Nobody', { rights: ['business_owner'] })
  t.match(
    (await importFile(admin, file)).body.counts,
    { updated: 1, unchanged: 1 },
    'once they are known, they are taken',
  )
  t.equal((await useCaseOf(admin, applied, 2)).body.businessOwnerId, nobody.id)
  t.match((await importFile(admin, file)).body.counts, { unchanged: 2 })
})

t.test('a unit that was renamed and moved here stays the one that the source means', async (t) => {
  const { admin, unit } = await startImporter(t)
  const life = await unit('life')
  const applied = await importFile(admin, sheet)
  const { body } = await admin.get('/v1/org-units')
  const claims = body.items.find(({ key }: { key: string }) => key === 'claims')
  const moved = { name: 'Claims and recovery', parentId: life }
  await admin.patch(`/v1/org-units/${claims.id}`, moved, { 'if-match': `"${claims.revision}"` })
  t.match((await importFile(admin, sheet)).body.counts, { unchanged: 2, newUnits: 0 })
  t.equal((await useCaseOf(admin, applied)).body.orgUnitId, claims.id)
})

t.test('rows that are gone from a newer file are reported, and stay', async (t) => {
  const { admin } = await startImporter(t)
  const first = await importFile(admin, sheet)
  const other = await importFile(admin, csvOf(header, changed(triage, { key: 'B-1', title: 'Another list' })))
  t.equal(other.body.counts.gone, 0, 'a file that shares no row is another part of the register')
  const second = await importFile(admin, csvOf(header, triage))
  t.match(second.body.counts, { rows: 1, unchanged: 1, gone: 1 })
  const { body } = await admin.get(`/v1/imports/${second.body.id}/gone`)
  const letter = await useCaseOf(admin, first, 2)
  t.match(body, {
    items: [{ useCaseId: letter.body.id, key: letter.body.key, title: 'Letters to clients' }],
    next: null,
  })
  t.equal(letter.body.standing.standing, 'unreviewed')
  t.equal((await importFile(admin, csvOf(header, triage))).body.counts.gone, 1, 'it is still gone')
  t.match((await importFile(admin, sheet)).body.counts, { unchanged: 2, gone: 0 }, 'it is back')
})

t.test('what the source calls retired registers as retired, or becomes it, for good', async (t) => {
  const { admin } = await startImporter(t)
  const ended = changed(letters, { stage: 'retired' })
  const first = await importFile(admin, csvOf(header, triage, ended))
  t.equal((await useCaseOf(admin, first, 2)).body.standing.standing, 'retired')
  const second = await importFile(admin, csvOf(header, changed(triage, { stage: 'Retired' }), ended))
  t.match(second.body.counts, { updated: 1, unchanged: 1 })
  t.match((await useCaseOf(admin, second)).body, { version: 1, standing: { standing: 'retired' } })
  const third = await importFile(admin, csvOf(header, changed(triage, { title: 'Triage, again' }), ended))
  t.match(third.body.counts, { needsAttention: 1, unchanged: 1 })
  const [row] = await rowsOf(admin, third)
  t.match(row?.reasons, [
    { message: /no longer calls it retired/ },
    { message: /title.* retired here and stays/ },
  ])
  t.equal((await useCaseOf(admin, third)).body.title, 'Triage of claims')
})

t.test(
  'while a review is open, what it rests on stays; the row is tried again by the next import',
  async (t) => {
    const committee = await startCommittee(t)
    const { unitId, businessOwner, riskOwner } = committee
    const admin = await committee.person('Adi', { rights: ['administrator'] })
    const columns = [
      ...header,
      'businessOwner',
      'riskOwner',
      ...Object.keys(answersFor.limited).map((id) => `answer.${id}`),
    ]
    const full = [...triage, 'Bea', 'Rui', ...Object.values(answersFor.limited)]
    const first = await importFile(admin, csvOf(columns, full), { orgUnitId: unitId })
    const useCase = await useCaseOf(admin, first)
    t.match(useCase.body, { orgUnitId: unitId, businessOwnerId: businessOwner.id, riskOwnerId: riskOwner.id })
    const { id } = useCase.body
    const reviewId = await submit(committee, id)

    const material = csvOf(columns, changed(full, { purpose: 'Decides claims alone', benefits: 'Cheaper' }))
    const second = await importFile(admin, material, { orgUnitId: unitId })
    t.match(second.body.counts, { needsAttention: 1, updated: 0 })
    const [row] = await rowsOf(admin, second)
    t.match(row?.reasons, [{ message: /^a review of UC-\d+ that rests on purpose is open/ }])
    t.match((await useCaseOf(admin, second)).body, {
      purpose: 'Sorts claims by urgency',
      benefits: 'Faster help',
    })
    const immaterial = csvOf(columns, changed(full, { benefits: 'Faster help for all' }))
    t.match((await importFile(admin, immaterial, { orgUnitId: unitId })).body.counts, { updated: 1 })
    const retired = csvOf(columns, changed(full, { stage: 'retired' }))
    t.match((await importFile(admin, retired, { orgUnitId: unitId })).body.counts, { needsAttention: 1 })

    await riskOwner.post(`/v1/reviews/${reviewId}/withdrawal`, { reason: 'the source changed' })
    t.match((await importFile(admin, material, { orgUnitId: unitId })).body.counts, { updated: 1 })
    t.match((await useCaseOf(admin, second)).body, { purpose: 'Decides claims alone', benefits: 'Cheaper' })
    t.equal((await standing(committee, id)).standing, 'unreviewed')
  },
)

t.test('an inferred mapping waits until a person has confirmed or corrected it', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const columns = ['Ref', 'Name of the use case', 'What is it for', 'Division', 'Remarks']
  const file = csvOf(
    columns,
    ['1', 'Triage', 'Sorts claims', 'claims', 'none'],
    ['2', 'Letters', 'Drafts', 'service', ''],
  )
  const previewed = await upload(admin, file, { name: 'Our list 2026.csv' })
  t.match(previewed.body, { profileFrom: 'inferred', needsConfirmation: true, register: 'our-list-2026' })
  const title = previewed.body.columns.find(({ name }: { name: string }) => name === 'Name of the use case')
  t.match(title, { fields: ['title'] })
  t.ok(title.confidence > 0.5 && title.confidence <= 1)
  const place = `/v1/imports/${previewed.body.id}`
  const tooEarly = async () => await apply(admin, previewed)
  await refuses(t, server, tooEarly, { status: 409, detail: /inferred.*confirm or correct it/ })

  const { profile } = previewed.body
  const facts = { ...profile.facts, purpose: { from: 'What is it for' }, orgUnit: [{ from: 'Division' }] }
  const corrected = {
    ...profile,
    register: 'our-list',
    identity: { id: 'Ref', name: profile.identity.name },
    facts,
  }
  await refuses(t, server, async () => await admin.patch(place, { profile: corrected }), { status: 428 })
  const stale = { 'if-match': '"1"' }
  await refuses(t, server, async () => await admin.patch(place, { profile: corrected }, stale), {
    status: 412,
  })
  const unasked = { ...corrected, answers: { mood: { from: 'Remarks', values: { none: 'good' } } } }
  const ask = async () => await admin.patch(place, { profile: unasked }, ifMatch(previewed))
  await refuses(t, server, ask, { status: 422, detail: /answers\/mood: nobody asks this question/ })
  const elsewhere = { ...corrected, facts: { ...facts, title: { from: 'Headline' } } }
  const lost = async () => await admin.patch(place, { profile: elsewhere }, ifMatch(previewed))
  await refuses(t, server, lost, { status: 422, detail: /no column “Headline” for the title/ })

  const confirmed = await admin.patch(place, { profile: corrected }, ifMatch(previewed))
  t.match(confirmed, {
    status: 200,
    body: { profileFrom: 'confirmed', needsConfirmation: false, register: 'our-list' },
  })
  t.match(confirmed.body.counts, { rows: 2, created: 2, newUnits: 2 })
  const applied = await apply(admin, confirmed)
  t.match(applied.body.counts, { created: 2, needsAttention: 0 })
  t.match((await useCaseOf(admin, applied)).body, { title: 'Triage', purpose: 'Sorts claims' })
  const again = async () => await admin.patch(place, { profile: corrected }, ifMatch(applied))
  await refuses(t, server, again, { status: 409, detail: /upload the file again/ })
})

t.test('an inferred mapping is confirmed as proposed without sending it back', async (t) => {
  const { admin } = await startImporter(t)
  const file = csvOf(['Ref', 'Title', 'Purpose'], ['1', 'Triage', 'Sorts claims'])
  const previewed = await upload(admin, file, { name: 'Our list 2026.csv' })
  t.match(previewed.body, { profileFrom: 'inferred', needsConfirmation: true })
  const { id, profile, counts } = previewed.body
  const confirmed = await admin.patch(`/v1/imports/${id}`, {}, ifMatch(previewed))
  t.match(confirmed, { status: 200, body: { profileFrom: 'confirmed', needsConfirmation: false } })
  t.same([confirmed.body.profile, confirmed.body.counts], [profile, counts])
  t.match((await apply(admin, confirmed)).body, { state: 'applied', counts: { rows: 1 } })
})

t.test('of two imports of one file at once exactly one creates, the other finds them there', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const many = csvOf(header, ...Array.from({ length: 700 }, (_, n) => changed(triage, { key: `A-${n}` })))
  const [one, two] = [await upload(admin, many), await upload(admin, many)]
  t.match([one.body.counts, two.body.counts], [{ created: 700 }, { created: 700 }])
  const applied = await Promise.all([apply(admin, one), apply(admin, two)])
  t.same(
    applied.map(({ status }) => status),
    [200, 200],
  )
  const sum = (outcome: string) => applied.reduce((total, { body }) => total + body.counts[outcome], 0)
  t.same([sum('created'), sum('unchanged'), sum('newUnits')], [700, 700, 1])
  t.equal((await register(server)).sources, 700)
})

t.test('one import applied by two at once is applied once', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const previewed = await upload(admin, sheet)
  const row = { table: 'import_run', id: previewed.body.id }
  const ask = async () => await apply(admin, previewed)
  const [one, two] = await meeting(server, row, [ask, ask])
  t.match([one, two], [{ status: 200 }, { status: 200 }])
  t.same(one?.body, two?.body)
  t.match(one?.body.counts, { created: 2, unchanged: 0 })
  t.equal((await register(server)).sources, 2)
})

t.test('an import that failed in the middle goes on where it stopped', async (t) => {
  const { admin, owner, ...server } = await startImporter(t)
  const many = csvOf(header, ...Array.from({ length: 1200 }, (_, n) => changed(triage, { key: `A-${n}` })))
  const previewed = await upload(admin, many)
  await owner.query('alter table use_case_source add constraint full_disk check (ordinal <= 700)')
  t.equal((await apply(admin, previewed)).status, 500)
  const stopped = await admin.get(`/v1/imports/${previewed.body.id}`)
  t.match(stopped.body, { state: 'applying', appliedAt: null })
  t.equal((await register({ owner })).sources, 500, 'the first batch is there, whole')
  await owner.query('alter table use_case_source drop constraint full_disk')
  const applied = await apply(admin, previewed)
  t.match(applied.body, { state: 'applied', counts: { rows: 1200, created: 1200, newUnits: 1 } })
  t.equal((await register({ owner })).sources, 1200)
  const { rows } = await owner.query(
    `select count(*)::int as events from audit_event where type = 'use_case.registered'`,
  )
  t.same(rows, [{ events: 1200 }], 'and no row was registered twice')
  t.match(await server.ask({ url: '/healthz' }), { status: 200 })
})

t.test('a preview that was interrupted is seen as such, and can be begun again', async (t) => {
  const { admin, owner } = await startImporter(t)
  const previewed = await upload(admin, sheet)
  const place = `/v1/imports/${previewed.body.id}`
  const { profile } = previewed.body
  const interrupt = async (rowCount: number) =>
    await owner.query(`update import_run set state = 'reading', row_count = $1`, [rowCount])
  await interrupt(0)
  const halfway = { status: 409, detail: /reading them was interrupted; wait, or upload it again/ }
  await refuses(t, { owner }, async () => await apply(admin, previewed), halfway)
  const map = async () => await admin.patch(place, { profile }, ifMatch(await admin.get(place)))
  await refuses(t, { owner }, map, halfway)
  await interrupt(2)
  const mapped = await map()
  t.match(mapped, { status: 200, body: { state: 'previewed', counts: { created: 2 } } })
  t.match((await apply(admin, mapped)).body, { state: 'applied' })
  t.equal((await register({ owner })).sources, 2)
})

t.test('rows are written as they were previewed to whoever applies, or not at all', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const previewed = await upload(admin, sheet)
  const { id, profile } = previewed.body
  const place = `/v1/imports/${id}`
  const unseen = async () => await admin.post(`${place}/application`)
  await refuses(t, server, unseen, { status: 428 })
  const facts = { ...profile.facts, title: { from: 'purpose' } }
  const mapped = await admin.patch(place, { profile: { ...profile, facts } }, ifMatch(previewed))
  t.equal(mapped.status, 200)
  const late = async () => await apply(admin, previewed)
  await refuses(t, server, late, { status: 412, detail: /this changed since you read it/ })
  const applied = await apply(admin, mapped)
  t.match(applied.body, { state: 'applied', counts: { created: 2 } })
  for (const seen of [mapped, applied]) t.same((await apply(admin, seen)).body, applied.body, 'asked again')
  await refuses(t, server, late, { status: 412 })
})

t.test('of two mappings at once the second takes the place of the first, whole', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const previewed = await upload(admin, sheet)
  const { id, profile } = previewed.body
  const map = (register: string) => async () =>
    await admin.patch(`/v1/imports/${id}`, { profile: { ...profile, register } }, ifMatch(previewed))
  const answers = await meeting(server, { table: 'import_run', id }, [map('one'), map('two')])
  t.same(answers.map(({ status }) => status).sort(), [200, 412])
  const { register: winner } = (await admin.get(`/v1/imports/${id}`)).body
  t.equal(winner, answers.find(({ status }) => status === 200)?.body.register)
})

t.test(
  'the service itself cannot change a row as it came, nor forget where a use case came from',
  async (t) => {
    const { admin, connections } = await startImporter(t)
    await importFile(admin, sheet)
    const attacker = await openClient(connections.appConnection)
    t.teardown(async () => await attacker.end())
    for (const attack of [
      `update import_row set cells = '[]'`,
      'delete from import_row',
      'delete from use_case_source',
      `update use_case_source set identity = 'id:X'`,
      'delete from import_run',
      `update import_run set file_digest = 'sha256:0'`,
    ]) {
      await t.rejects(attacker.query(attack), /permission denied/, attack)
    }
  },
)

t.test('under one Idempotency-Key a file is uploaded once', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const headers = { 'idempotency-key': 'one-upload' }
  const first = await upload(admin, sheet, { headers })
  const second = await upload(admin, sheet, { headers })
  t.same([second.status, second.headers['idempotency-replayed'], second.body], [201, 'true', first.body])
  t.equal((await stored(server)).imports, 1)
  const other = async () => await upload(admin, csvOf(header, triage), { headers })
  await refuses(t, server, other, { status: 409, detail: /Idempotency-Key was used for another request/ })
})

t.test('who does not import is told the right, and nothing is stored', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const previewed = await upload(admin, sheet)
  for (const rights of [['business_owner'], ['risk_owner'], ['committee_member', 'seat:risk']]) {
    const somebody = await server.person(rights.join(), { rights })
    const refusal = {
      status: 403,
      rule: 'DR-58',
      detail: /^Administrators import registers into their units/,
    }
    await refuses(t, server, async () => await upload(somebody, sheet), refusal)
    for (const place of ['', '/rows', '/gone']) {
      const read = async () => await somebody.get(`/v1/imports/${previewed.body.id}${place}`)
      await refuses(t, server, read, { status: 404 })
    }
    await refuses(t, server, async () => await apply(somebody, previewed), { status: 404 })
  }
  const auditor = await server.person('Auditor', { rights: ['auditor'] })
  t.equal((await auditor.get(`/v1/imports/${previewed.body.id}`)).status, 200)
  await refuses(t, server, async () => await apply(auditor, previewed), { status: 403, rule: 'DR-85' })
})

t.test('an importer of one unit reaches no other', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const [claims, sales] = [await server.unit('claims'), await server.unit('sales')]
  const scoped = await server.person('Scoped', { rights: ['administrator'], unitId: claims })
  const refused = { status: 403, rule: 'DR-58' }
  await refuses(t, server, async () => await upload(scoped, sheet), refused)
  await refuses(t, server, async () => await upload(scoped, sheet, { orgUnitId: sales }), refused)

  const first = await importFile(admin, csvOf(header, changed(triage, { orgUnit: 'sales' })))
  t.equal((await useCaseOf(admin, first)).body.orgUnitId, sales)
  const before = (await useCaseOf(admin, first)).body
  const taken = changed(triage, { title: 'Mine now', orgUnit: 'claims' })
  const mine = changed(letters, { orgUnit: 'claims' })
  const applied = await importFile(scoped, csvOf(header, taken, mine), { orgUnitId: claims })
  t.match(applied.body.counts, { created: 1, refused: 1 })
  const [stranger, own] = await rowsOf(scoped, applied)
  t.match(stranger, {
    outcome: 'refused',
    useCaseId: null,
    reasons: [{ message: /that you may not import into/ }],
  })
  t.same((await useCaseOf(admin, first)).body, before, 'what lies elsewhere is what it was')
  t.equal(
    (await scoped.get(`/v1/use-cases/${own?.useCaseId}`)).body.orgUnitId,
    claims,
    'its name is the unit itself',
  )
  await importFile(scoped, csvOf(header, changed(mine, { key: 'A-3', orgUnit: 'sales' })), {
    orgUnitId: claims,
  })
  const { body } = await admin.get('/v1/org-units')
  const made = body.items.filter(({ name }: { name: string }) => name === 'sales')
  t.match(
    made,
    [{ key: 'claims-sales', parentId: claims }, { id: sales }],
    'a unit is made below, not reached across',
  )
  t.match((await scoped.get('/v1/imports')).body.items.length, 2)
  await refuses(t, server, async () => await scoped.get(`/v1/imports/${first.body.id}`), { status: 404 })
})

t.test('a declared use case has no source', async (t) => {
  const { admin, ...server } = await startImporter(t)
  const orgUnitId = await server.unit('claims')
  const bea = await server.person('Bea', { rights: ['business_owner'] })
  const { body } = await bea.post('/v1/use-cases', { title: 'Triage', purpose: 'Sorts claims', orgUnitId })
  const ask = async () => await admin.get(`/v1/use-cases/${body.id}/source`)
  await refuses(t, server, ask, { status: 404, detail: /was not imported/ })
})

t.test('what a source says of its own decision is kept and clears nothing', async (t) => {
  const { admin } = await startImporter(t)
  const columns = [...header, 'Approved by', 'Decision']
  const previewed = await upload(admin, csvOf(columns, [...triage, 'The board', 'approved']), {
    profile: 'assent',
  })
  t.equal(previewed.body.profileFrom, 'chosen')
  const applied = await apply(admin, previewed)
  const useCase = await useCaseOf(admin, applied)
  t.match(useCase.body.standing, { standing: 'unreviewed' })
  const source = await admin.get(`/v1/use-cases/${useCase.body.key}/source`)
  t.match(source.body.raw, { 'Approved by': 'The board', Decision: 'approved' })
})

t.test('the sample portfolio comes in whole', async (t) => {
  const { admin, person } = await startImporter(t)
  for (const unit of ['Sales', 'Claims', 'Service', 'Marketing']) {
    await person(`Business owner, ${unit}`, { rights: ['business_owner'] })
    await person(`Risk owner, ${unit}`, { rights: ['risk_owner'] })
  }
  const portfolio = readFileSync(join(projectRoot, 'src/cli/demo/portfolio.csv'))
  const applied = await importFile(admin, portfolio, { name: 'portfolio.csv' })
  t.match(applied.body, { profileFrom: 'detected', counts: { refused: 0 } })
  t.ok(applied.body.counts.rows >= 60)
  const rows = await rowsOf(admin, applied)
  t.same(
    rows.filter(({ outcome }) => outcome !== 'created').map(({ ordinal, reasons }) => [ordinal, reasons]),
    [],
    'none needs a person',
  )
  const before = await thirtieth(applied)
  t.match((await importFile(admin, portfolio)).body.counts, { unchanged: rows.length })
  t.same(await thirtieth(applied), before)

  async function thirtieth(of: Answer) {
    return (await useCaseOf(admin, of, 30)).body
  }
})
