// Suspensions that meet something else on one use case. Each waits for its lock on a connection of its own.
import t from 'tap'
import type { Answer, Person } from '../app.js'
import { register, standing, startCommittee, submit, vote } from '../committee.js'
import { assertGapless } from '../gapless.js'
import { meeting } from '../waiting.js'

const committee = await startCommittee(t)
const { owner, businessOwner, riskOwner, seats } = committee

const statuses = (answers: Answer[]) => answers.map(({ status }) => status)
const meet = async (id: string, ...asks: (() => Promise<Answer>)[]) =>
  await meeting(committee, { table: 'use_case', id }, asks)
const suspension = (by: Person, useCaseId: string) => () =>
  by.post(`/v1/use-cases/${useCaseId}/suspensions`, { reason: 'it names prices' })
const lifting = (by: Person, id: string) => () =>
  by.post(`/v1/suspensions/${id}/lifting`, { reason: 'mended' })

async function countLiftings(useCaseId: string): Promise<number> {
  const { rows } = await owner.query(
    'select 1 from suspension_lifting l join suspension s on s.id = l.suspension_id where s.use_case_id = $1',
    [useCaseId],
  )
  return rows.length
}

t.test('R-90: a suspension and the approving vote at once both count, and it is suspended', async (t) => {
  for (const isFirst of [true, false]) {
    const { id } = await register(committee)
    const reviewId = await submit(committee, id)
    await vote(committee, reviewId, 'legal', 'approve')
    const approving = () => vote(committee, reviewId, 'risk', 'approve')
    const asks = [suspension(riskOwner, id), approving]
    const answers = await meet(id, ...(isFirst ? asks : asks.toReversed()))
    t.same(statuses(answers), [201, 201])
    t.equal(answers[isFirst ? 1 : 0]?.body.decision.outcome, 'approved')
    const { standing: word, decisionId } = await standing(committee, id)
    t.equal(word, 'suspended')
    t.type(decisionId, 'string')
    await assertGapless(t, committee, id)
  }
})

t.test('of two liftings at once, one lifts and the other is told', async (t) => {
  const { id } = await register(committee)
  const { body } = await suspension(riskOwner, id)()
  const answers = await meet(id, lifting(seats.risk, body.id), lifting(seats.legal, body.id))
  t.same(statuses(answers), [200, 409])
  t.equal(await countLiftings(id), 1)
  t.equal((await standing(committee, id)).standing, 'unreviewed')
  await assertGapless(t, committee, id)
})

t.test('two liftings of two suspensions at once leave none in force', async (t) => {
  const { id } = await register(committee)
  const one = await suspension(riskOwner, id)()
  const other = await suspension(seats.legal, id)()
  const answers = await meet(id, lifting(seats.risk, one.body.id), lifting(seats.risk, other.body.id))
  t.same(statuses(answers), [200, 200])
  t.match(await standing(committee, id), { standing: 'unreviewed', suspendedAt: null })
  await assertGapless(t, committee, id)
})

t.test('one person who suspends twice at once has suspended once', async (t) => {
  const { id } = await register(committee)
  const answers = await meet(id, suspension(riskOwner, id), suspension(riskOwner, id))
  t.same(statuses(answers), [201, 409])
  const { rows } = await owner.query('select 1 from suspension where use_case_id = $1', [id])
  t.equal(rows.length, 1)
  await assertGapless(t, committee, id)
})

t.test(
  'R-91: a lifting and the closing of its incident at once: only after the closing it is lifted',
  async (t) => {
    for (const isClosedFirst of [true, false]) {
      const { id } = await register(committee)
      const { body: incident } = await businessOwner.post(`/v1/use-cases/${id}/incidents`, {
        title: 'A wrong letter',
        description: 'It named a discount that we do not give',
        severity: 'serious',
        occurredAt: '2026-02-28T09:00:00Z',
      })
      const closing = () =>
        riskOwner.post(`/v1/incidents/${incident.id}/closing`, { learned: 'Numbers are read twice now' })
      const asks = [closing, lifting(seats.risk, incident.suspensionId)]
      const answers = await meet(id, ...(isClosedFirst ? asks : asks.toReversed()))
      t.same(statuses(answers), isClosedFirst ? [200, 200] : [409, 200])
      t.equal((await standing(committee, id)).standing, isClosedFirst ? 'unreviewed' : 'suspended')
      t.equal(await countLiftings(id), isClosedFirst ? 1 : 0)
      await assertGapless(t, committee, id)
    }
  },
)

t.test(
  'R-91: an entry that raises the severity and the closing at once never suspend a closed incident',
  async (t) => {
    const { id } = await register(committee)
    const { body: incident } = await riskOwner.post(`/v1/use-cases/${id}/incidents`, {
      title: 'A wrong letter',
      description: 'It named a discount that we do not give',
      severity: 'minor',
      occurredAt: '2026-02-28T09:00:00Z',
    })
    const answers = await meet(
      id,
      () => riskOwner.post(`/v1/incidents/${incident.id}/closing`, { learned: 'Numbers are read twice now' }),
      () =>
        seats.risk.post(`/v1/incidents/${incident.id}/entries`, { text: 'many more', severity: 'critical' }),
    )
    t.same(statuses(answers), [200, 409])
    t.equal((await standing(committee, id)).standing, 'unreviewed')
    await assertGapless(t, committee, id)
  },
)
