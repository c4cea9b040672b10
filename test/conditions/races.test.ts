// Deeds that meet on one condition. Each waits for the use case on a connection of its own.
import t, { type Test } from 'tap'
import { addDays } from '../../src/instant.js'
import type { Answer } from '../app.js'
import { standing, startCommittee } from '../committee.js'
import { meeting } from '../waiting.js'
import { approvedWith, fulfil, give, headOn, opinion, report } from './world.js'

const committee = await startCommittee(t)
const { owner, clock, riskOwner, seats, inUnit } = committee

const meet = async (id: string, ...asks: (() => Promise<Answer>)[]) =>
  await meeting(committee, { table: 'use_case', id }, asks)
const statuses = (answers: Answer[]) => answers.map(({ status }) => status)
const pass = (conditionId: string, ownerId: string) => () =>
  riskOwner.post(`/v1/conditions/${conditionId}/owner`, { ownerId, reason: 'moved on' })

/** Every event of a use case has the next number, and every revision its state. */
async function assertGapless(t: Test, id: string): Promise<void> {
  const { rows } = await owner.query(
    `select revision, last_event_no as last,
      (select array_agg(event_no order by event_no) from audit_event where aggregate_id = c.id) as events,
      (select array_agg(revision order by revision) from use_case_state where use_case_id = c.id) as states
      from use_case c where id = $1`,
    [id],
  )
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
  const { revision, last, events, states } = rows[0]
  t.same({ events, states }, { events: upTo(last), states: upTo(revision) })
}

t.test('R-80: of two who say at once that it is met, one is first and the other is told', async (t) => {
  const peer = await inUnit('Pia', 'risk_owner')
  const { id, conditionIds } = await approvedWith(committee, [report])
  const [conditionId = ''] = conditionIds
  const [first, second] = [await give(committee, id), await give(committee, id)]
  const answers = await meet(
    id,
    () => fulfil(riskOwner, conditionId, first),
    () => fulfil(peer, conditionId, second),
  )
  t.same(statuses(answers), [200, 409])
  const { rows } = await owner.query('select evidence_id from condition_ending where condition_id = $1', [
    conditionId,
  ])
  t.same(rows, [{ evidence_id: first }])
  await assertGapless(t, id)
})

t.test('R-64, R-81: two conditions met at once both count in what is due next', async (t) => {
  const { id, conditionIds } = await approvedWith(committee, [report, opinion, { ...report, dueInDays: 60 }])
  const [first = '', second = ''] = conditionIds
  const [text, read] = [await give(committee, id), await give(committee, id, { kind: 'legal_opinion' })]
  const answers = await meet(
    id,
    () => fulfil(riskOwner, first, text),
    () => fulfil(riskOwner, second, read),
  )
  t.same(statuses(answers), [200, 200])
  t.match(await headOn(committee, id), {
    nextDueAt: new Date(addDays(clock.at, 60)),
    beforeDeployOpen: false,
  })
  await assertGapless(t, id)
})

t.test(
  'R-64: an obligation that falls due while it waits to be met is met, and nothing has lapsed',
  async (t) => {
    const start = clock.at
    const { id, conditionIds } = await approvedWith(committee, [report])
    const evidenceId = await give(committee, id)
    const answers = await meet(
      id,
      () => fulfil(riskOwner, conditionIds[0] ?? '', evidenceId),
      async () => {
        clock.at = addDays(start, 31)
        return await seats.risk.post(`/v1/use-cases/${id}/evidence`, {
          ...{ kind: 'test_report', title: 'Tests', statement: 'All of them passed' },
        })
      },
    )
    t.equal(answers[0]?.status, 200)
    t.match(await standing(committee, id), { standing: 'cleared_with_conditions', reasons: [] })
    await assertGapless(t, id)
    clock.at = start
  },
)

t.test('R-80: evidence that goes stale while its turn comes meets nothing', async (t) => {
  const start = clock.at
  const { id, conditionIds } = await approvedWith(committee, [report])
  const [conditionId = ''] = conditionIds
  const evidenceId = await give(committee, id, { freshUntil: addDays(start, 1) })
  const answers = await meet(id, pass(conditionId, seats.legal.id), async () => {
    clock.at = addDays(start, 1)
    return await fulfil(riskOwner, conditionId, evidenceId)
  })
  t.same(statuses(answers), [200, 409])
  t.equal((await riskOwner.get(`/v1/conditions/${conditionId}`)).body.state, 'open')
  await assertGapless(t, id)
  clock.at = start
})

t.test(
  'R-46: passed on to two at once, it ends with the second, and whoever lost it no longer meets it',
  async (t) => {
    const [one, two] = [
      await committee.person('One', { rights: [] }),
      await committee.person('Two', { rights: [] }),
    ]
    const { id, conditionIds } = await approvedWith(committee, [{ ...report, ownerId: one.id }])
    const [conditionId = ''] = conditionIds
    const evidenceId = await give(committee, id)
    const answers = await meet(id, pass(conditionId, seats.legal.id), pass(conditionId, two.id), () =>
      fulfil(one, conditionId, evidenceId),
    )
    t.same(statuses(answers), [200, 200, 404])
    t.match((await riskOwner.get(`/v1/conditions/${conditionId}`)).body, { ownerId: two.id, state: 'open' })
    const { rows } = await owner.query(
      `select convert_from(leaf, 'utf8')::json ->> 'to' as to from audit_event
      where aggregate_id = $1 and type = 'condition.reassigned' order by event_no`,
      [id],
    )
    t.same(
      rows.map(({ to }) => to),
      [seats.legal.id, two.id],
    )
    await assertGapless(t, id)
  },
)
