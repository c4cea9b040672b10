// What policy requires shows in every form of the register, as of whichever day it is asked for.
import { readXlsx } from 'hucre/xlsx'
import t from 'tap'
import { addDays } from '../../src/instant.js'
import { policyAsking } from '../app.js'
import { approve, register, START, startCommittee, submit } from '../committee.js'
import { give } from '../conditions/world.js'
import { cellsOf, csv, fetchRegister, linesOf, ndjson } from './exports.js'

const committee = await startCommittee(
  t,
  {},
  policyAsking({
    ...{ id: 'RQ-10', when: { tiers: ['limited'] }, because: 'It was tried.', ifMissing: 'refuse' },
    evidence: { kind: 'test_report', freshForDays: 30 },
  }),
)
const { auditor, clock, riskOwner, app } = committee
const { id, key } = await register(committee, { jurisdictions: ['EU'] })
const evidenceId = await give(committee, id, { kind: 'test_report' })
clock.at = addDays(START, 1)
await approve(committee, await submit(committee, id))
clock.at = addDays(START, 40)

/** The one use case, in each form. */
async function rowsAsOf(day: number) {
  const path = `use-cases?asOf=${addDays(START, day)}`
  const [line = ''] = linesOf(await fetchRegister(committee, auditor, path, ndjson))
  const [cells] = cellsOf(await fetchRegister(committee, auditor, path, csv))
  const page = (await auditor.get(`/v1/registers/${path}`)).body.items[0]
  const headers = { authorization: `Bearer ${auditor.token}` }
  const { rawPayload } = await app.inject({ url: `/v1/registers/${path}&format=xlsx`, headers })
  const [names = [], values = []] = (await readXlsx(rawPayload)).sheets[0]?.rows ?? []
  const sheet = Object.fromEntries(names.map((name, index) => [String(name), values[index]]))
  return { line: JSON.parse(line), cells, page, sheet }
}

t.test('evidence that goes stale shows from that day on, and not before', async (t) => {
  const staleAt = addDays(START, 30)
  const before = await rowsAsOf(29)
  for (const row of [before.line, before.page]) {
    t.match(row, { key, standing: 'cleared', reasons: [], evidenceCount: 1, evidenceStaleAt: staleAt })
  }
  for (const row of [before.cells, before.sheet]) {
    t.match(row, { key, standing: 'cleared', evidenceStaleAt: staleAt })
  }
  const after = await rowsAsOf(30)
  for (const row of [after.line, after.page]) {
    t.match(row, { standing: 'lapsed', reasons: ['evidence_stale'], evidenceStaleAt: staleAt })
  }
  for (const row of [after.cells, after.sheet]) {
    t.match(row, { standing: 'lapsed', reasons: 'evidence_stale', evidenceStaleAt: staleAt })
  }
  const registered = await rowsAsOf(0)
  t.match(registered.line, { standing: 'unreviewed', evidenceStaleAt: null })
  const annex = await fetchRegister(committee, auditor, `use-cases?columns=eu-annex-viii`, csv)
  t.equal(annex.status, 200)
})

t.test('evidence that took its place cures it, from the day it was accepted', async (t) => {
  await give(committee, id, { kind: 'test_report', supersedesId: evidenceId })
  t.match((await rowsAsOf(39)).line, { standing: 'lapsed', reasons: ['evidence_stale'] })
  t.match((await rowsAsOf(40)).line, {
    ...{ standing: 'cleared', reasons: [], evidenceCount: 1, evidenceStaleAt: addDays(START, 70) },
  })
  t.equal((await riskOwner.get(`/v1/use-cases/${id}`)).body.standing.standing, 'cleared')
})
