// What was asked then and what is asked now about then come to the same; and what is asked about later comes true.
import t from 'tap'
import { addDays } from '../../src/instant.js'
import { ifMatch } from '../app.js'
import { approve, approved, register, revise, startCommittee, submit, vote } from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { clock, riskOwner, auditor, seats } = committee

const queries = [
  '',
  '&standing=cleared',
  '&standing=lapsed&standing=blocked&standing=suspended',
  '&tier=limited',
  '&tag=pilot',
  '&q=letters',
  '&sort=title',
]
const list = async (query: string) => (await auditor.get(`/v1/use-cases?limit=100${query}`)).body.items
const one = async (id: string, at?: string) =>
  (await auditor.get(`/v1/use-cases/${id}/standing${at ? `?at=${at}` : ''}`)).body

/** What every list says at this moment. */
async function look() {
  const seen = new Map<string, unknown>()
  for (const query of queries) seen.set(query, await list(query))
  return { at: clock.at, seen }
}

const wait = (days: number) => {
  clock.at = addDays(clock.at, days)
}

t.test('R-70: a past instant is answered as it was answered then', async (t) => {
  const moments: Awaited<ReturnType<typeof look>>[] = []
  const then = async () => {
    moments.push(await look())
    wait(1)
  }
  const first = await approved(committee, { title: 'Drafts of letters', tags: ['pilot'] })
  await then()
  const second = await register(committee, { title: 'Fraud score' })
  await then()
  await revise(committee, first.id, { purpose: 'Sends letters by itself', tags: [] })
  await then()
  const reviewId = await submit(committee, second.id)
  await then()
  await vote(committee, reviewId, 'legal', 'abstain')
  await vote(committee, reviewId, 'risk', 'block')
  await then()
  await riskOwner.post(`/v1/use-cases/${first.id}/suspensions`, { reason: 'wrong prices' })
  await then()
  await approve(committee, await submit(committee, first.id))
  await then()
  const place = `/v1/use-cases/${second.id}`
  await riskOwner.post(`${place}/retirement`, { reason: 'replaced' }, ifMatch(await riskOwner.get(place)))
  await then()
  for (const { at, seen } of moments) {
    for (const query of queries) t.same(await list(`${query}&at=${at}`), seen.get(query), `${at} ${query}`)
    for (const entry of seen.get('') as {
      id: string
      standing: string
      reasons: string[]
      revision: number
    }[]) {
      const { standing, reasons, revision } = entry
      t.match(await one(entry.id, at), { at, standing, reasons, revision })
    }
  }
})

t.test('R-63, R-70: a later instant is answered as the clock will have it', async (t) => {
  const { id, standing } = await approved(committee, { title: 'Routing of complaints' })
  const ends = standing.validUntil
  const before = new Date(Date.parse(ends) - 1).toISOString()
  t.match(await one(id, before), { standing: 'cleared', reasons: [] })
  t.match(await one(id, ends), { standing: 'lapsed', reasons: ['expired'] })
  const keys = async (query: string) => (await list(query)).map((entry: { id: string }) => entry.id)
  t.ok((await keys(`&standing=cleared&at=${before}`)).includes(id))
  t.notOk((await keys(`&standing=cleared&at=${ends}`)).includes(id))
  t.ok((await keys(`&standing=lapsed&at=${ends}`)).includes(id))
})

t.test('before it was registered it is not there', async (t) => {
  const { id } = await register(committee)
  const before = addDays(clock.at, -400)
  const ask = () => auditor.get(`/v1/use-cases/${id}/standing?at=${before}`)
  await refuses(t, committee, ask, { status: 404, detail: /registered/ })
  t.same(await list(`&at=${before}`), [])
})

t.test('what somebody may see is of today, whatever the instant', async (t) => {
  const { id } = await register(committee)
  const stranger = await committee.person('Stan', {
    rights: ['risk_owner'],
    unitId: await committee.unit('other'),
  })
  wait(1)
  t.same((await stranger.get(`/v1/use-cases?at=${addDays(clock.at, -1)}`)).body.items, [])
  t.equal((await stranger.get(`/v1/use-cases/${id}/standing?at=${clock.at}`)).status, 404)
  const pages = await seats.risk.get(`/v1/use-cases?limit=2&at=${addDays(clock.at, -1)}`)
  const next = await seats.risk.get(
    `/v1/use-cases?limit=2&at=${addDays(clock.at, -1)}&cursor=${pages.body.next}`,
  )
  t.equal(next.status, 200)
  const ids = [...pages.body.items, ...next.body.items].map((entry: { id: string }) => entry.id)
  t.equal(new Set(ids).size, ids.length)
})
