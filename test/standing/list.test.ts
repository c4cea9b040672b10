import t from 'tap'
import { newId } from '../../src/ids.js'
import { lockUseCase, raiseTier, saveUseCase } from '../../src/use-cases/service.js'
import type { Facts } from '../../src/use-cases/use-case.js'
import type { Person } from '../app.js'
import { act, register, START, startWorld } from './world.js'

const world = await startWorld(t)
const { units, auditor, salesOwner, salesRisk, claimsRisk, nobody } = world
const system = await makeSystem('letter-writer')

const sales = await register(world, salesRisk, [
  { title: 'Drafting renewal letters', orgUnitId: units.sales, tags: ['letters'], systemIds: [system] },
  { title: 'Scoring of leads', orgUnitId: units.salesDe, stage: 'pilot', technique: 'classical_ml' },
  {
    ...{
      title: 'Chat assistant for brokers',
      purpose: 'Answers questions about cover',
      orgUnitId: units.sales,
    },
    ...{
      channels: ['chat'],
      jurisdictions: ['DE'],
      technique: 'generative' as const,
      stage: 'deployed' as const,
    },
    businessOwnerId: salesOwner.id,
  },
])
const claims = await register(world, claimsRisk, [
  {
    title: 'Triage of incoming claims',
    orgUnitId: units.claims,
    tags: ['letters', 'triage'],
    origin: 'imported',
  },
  {
    ...{ title: 'Fraud signals', outputs: 'A score with reasons for the adjuster', orgUnitId: units.claims },
    ...{ answers: safeAnswers(), riskOwnerId: salesRisk.id },
  },
])
const [renewals, leads, chat, triage, fraud] = [...sales, ...claims].map(({ number }) => `UC-${number}`)

async function keys(person: Person, query: string): Promise<string[]> {
  const { status, body } = await person.get(`/v1/use-cases?${query}`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body.items.map(({ key }: { key: string }) => key)
}

t.test('a list shows what the caller may see, and nothing else', async (t) => {
  t.same(await keys(auditor, 'sort=number'), [renewals, leads, chat, triage, fraud])
  t.same(await keys(salesOwner, 'sort=number'), [renewals, leads, chat], 'the unit and what is below it')
  t.same(
    await keys(salesRisk, 'sort=number'),
    [renewals, leads, chat, fraud],
    'and a case of their own elsewhere',
  )
  t.same(await keys(claimsRisk, `sort=number&orgUnit=${units.sales}`), [], 'no filter reaches further')
  t.same(await keys(claimsRisk, `sort=number&q=${chat}`), [], 'nor does a key')
  t.same(await keys(nobody, ''), [])
})

t.test('each filter narrows the list, several values widen it', async (t) => {
  const found = async (query: string) => await keys(auditor, `sort=number&${query}`)
  t.same(await found(`orgUnit=${units.sales}`), [renewals, leads, chat], 'everything below a unit counts')
  t.same(await found(`orgUnit=${units.salesDe}`), [leads])
  t.same(await found(`owner=${salesOwner.id}`), [chat], 'as business owner')
  t.same(await found(`owner=${salesRisk.id}`), [fraud], 'as risk owner')
  t.same(await found('stage=pilot&stage=deployed'), [leads, chat])
  t.same(await found('technique=generative'), [chat])
  t.same(await found('tag=letters'), [renewals, triage])
  t.same(await found('tag=letters&tag=triage&stage=idea'), [renewals, triage])
  t.same(await found('channel=chat'), [chat])
  t.same(await found('jurisdiction=DE'), [chat])
  t.same(await found(`system=${system}`), [renewals])
  t.same(await found('origin=imported'), [triage])
  t.same(await found('tier=minimal'), [fraud], 'unknown answers count as the riskier ones')
  t.same(await found('tier=high&origin=imported'), [triage], 'several filters must all hold')
  t.same(
    await found('tier=high&tierUnknownOnly=true'),
    [renewals, leads, chat, triage],
    'to be answered first',
  )
  t.same(await found('tierUnknownOnly=false'), [fraud])
  t.same(await found('tag=nothing'), [])
})

t.test('the tier that counts is the one it was raised to', async (t) => {
  const id = claims[1]?.id ?? ''
  const raised = await act(world, salesRisk, (tx) => raiseTier(tx, id, 1, 'high', 'Touches payments'))
  t.equal(raised.tier.computed, 'minimal')
  t.same(await keys(auditor, 'tier=minimal'), [])
  t.ok((await keys(auditor, 'tier=high')).includes(fraud ?? ''))
})

t.test('search finds words in any form, titles much alike, and a key exactly', async (t) => {
  t.same(await keys(auditor, 'q=letter'), [renewals], 'by the stem of a word')
  t.same(await keys(auditor, 'q=cover'), [chat], 'in the purpose')
  t.same(await keys(auditor, 'q=adjusters'), [fraud], 'in the outputs')
  t.same(await keys(auditor, 'q=renewl'), [renewals], 'with a slip of the finger')
  t.same(await keys(auditor, 'q=broker -chat'), [], 'without a word')
  t.same(await keys(auditor, `q=${leads?.toLowerCase()}`), [leads])
  t.same(await keys(auditor, 'q=UC-1'), [], 'a key is not the beginning of another')
  for (const q of ['%27', '"', '((', '!!', ':*', '%25', '\\', '-', 'a%00b']) {
    const { status } = await auditor.get(`/v1/use-cases?q=${q}`)
    t.ok([200, 422].includes(status), `${q} breaks nothing`)
  }
})

t.test('R-63, R-70: standing is that of the moment, up to the very millisecond', async (t) => {
  const validUntil = '2026-09-01T00:00:00.000Z'
  await act(world, salesRisk, async (tx) => {
    const before = await lockUseCase(tx, sales[0]?.id ?? '')
    const reason = {
      right: 'DR-22',
      from: 'high',
      to: 'high',
      sealed: { reason: 'as if it was approved' },
    } as const
    tx.record(before, { type: 'tier.raised', ...reason })
    const approval = {
      approvalId: newId(),
      approvedTier: 'high',
      lastOutcome: 'approved',
      validUntil,
    } as const
    return await saveUseCase(tx, before, approval)
  })
  const standings = async () => {
    const { body } = await auditor.get(`/v1/use-cases?q=${renewals}`)
    return body.items.map((item: Record<string, unknown>) => [item.standing, item.reasons, item.validUntil])
  }
  world.clock.at = '2026-08-31T23:59:59.999Z'
  t.same(await standings(), [['cleared', [], validUntil]])
  t.same(await keys(auditor, 'standing=cleared'), [renewals])
  world.clock.at = validUntil
  t.same(await standings(), [['lapsed', ['expired'], validUntil]])
  t.same(await keys(auditor, 'standing=cleared&standing=lapsed'), [renewals])
  t.equal((await keys(auditor, 'standing=unreviewed')).length, 4)
  world.clock.at = START
})

t.test('pages hold every use case once, in every order', async (t) => {
  const numbers = Array.from({ length: 23 }, (_, index) => index)
  await register(
    world,
    salesRisk,
    numbers.map((n) => ({ title: `Page ${n % 3}`, orgUnitId: units.salesDe, tags: ['paged'] })),
  )
  for (const sort of ['-updatedAt', 'updatedAt', 'number', '-number', 'title']) {
    const all = await keys(auditor, `tag=paged&limit=200&sort=${sort}`)
    const seen = await walk(`tag=paged&limit=4&sort=${sort}`)
    t.same(seen, all, sort)
    t.equal(new Set(seen).size, 23)
    t.same(
      await walk(`limit=5&sort=${sort}`),
      await keys(auditor, `limit=200&sort=${sort}`),
      `${sort}, unfiltered`,
    )
  }
  const byTitle = await auditor.get('/v1/use-cases?tag=paged&sort=title&limit=200')
  const titles = byTitle.body.items.map((item: Facts) => item.title)
  t.same(titles, [...titles].sort())
})

t.test('a cursor of another list, or of another person, is refused', async (t) => {
  const { body } = await auditor.get('/v1/use-cases?limit=1')
  const next = encodeURIComponent(body.next)
  const refusals = [
    await auditor.get(`/v1/use-cases?limit=1&sort=title&cursor=${next}`),
    await auditor.get(`/v1/use-cases?limit=1&tag=letters&cursor=${next}`),
    await salesRisk.get(`/v1/use-cases?limit=1&cursor=${next}`),
    await auditor.get(`/v1/use-cases?limit=1&cursor=${next.replace('W', 'X')}`),
    await auditor.get('/v1/use-cases?sort=secret'),
    await auditor.get('/v1/use-cases?standing=fine'),
    await auditor.get('/v1/use-cases?colour=red'),
    await auditor.get('/v1/use-cases?limit=201'),
    await auditor.get('/v1/use-cases?orgUnit=sales'),
  ]
  t.same(
    refusals.map(({ status }) => status),
    refusals.map(() => 422),
  )
})

async function walk(query: string): Promise<string[]> {
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const { body } = await auditor.get(`/v1/use-cases?${query}${cursor}`)
    seen.push(...body.items.map(({ key }: { key: string }) => key))
    if (body.next === null) return seen
    cursor = `&cursor=${encodeURIComponent(body.next)}`
  }
}

async function makeSystem(key: string): Promise<string> {
  const id = newId()
  await world.owner.query(
    `insert into system (id, key, name, kind, created_at) values ($1, $2, $2, 'tool', now())`,
    [id, key],
  )
  return id
}

/** The least risky answer to every question. */
function safeAnswers(): Record<string, string> {
  const risky = {
    customer_facing: 'no',
    regulated_language: 'no',
    personal_data: 'none',
    decision_role: 'none',
  }
  const rest = {
    autonomy: 'human_in_loop',
    affected: 'nobody',
    vulnerable_people: 'no',
    annex_iii_area: 'none',
  }
  return { ...risky, ...rest, omb_high_impact: 'no', prohibited_practice: 'none' }
}
