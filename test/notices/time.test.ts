// What time brings about is told once. It decides nothing: standing is computed from the rows, told or not.
import t from 'tap'
import { approved, register, revise, standing, submit } from '../committee.js'
import { startPostOffice } from './post-office.js'
import { startWorld, type World } from './world.js'

const DAY = 86_400

const office = await startPostOffice(t)
let world: World
t.before(async () => {
  world = await startWorld(t, {
    ASSENT_SMTP_URL: office.url,
    ASSENT_MAIL_FROM: 'assent@example.com',
    ASSENT_PUBLIC_URL: 'https://assent.example',
  })
  await world.owner.query(`update person set email = lower(name) || '@example.com' where kind = 'human'`)
})

/** What Assent itself said about a use case, in order. */
async function told(useCaseId: string): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const { rows } = await world.owner.query(
    `select type, convert_from(leaf, 'utf8')::jsonb as data from audit_event
      where aggregate_id = $1 and actor_id = '00000000-0000-7000-8000-000000000001' order by event_no`,
    [useCaseId],
  )
  return rows
}

/** A minute later, so that somebody looks again. */
async function look(): Promise<void> {
  world.later(61)
  await world.dispatcher.pass()
}

t.test('R-24: an approval that ends by itself is told once, by whoever looks first', async (t) => {
  const useCase = await approved(world)
  await look()
  t.same(await told(useCase.id), [])
  world.later(549 * DAY)
  const before = await standing(world, useCase.id)
  t.match(before, { standing: 'lapsed', reasons: ['expired'] }, 'it lapsed before anybody said so')
  const { body: row } = await world.riskOwner.get(`/v1/use-cases/${useCase.id}`)
  office.mails.splice(0)
  const others = [world.dispatcher, await world.another(), await world.another()]
  await Promise.all(others.map(async (one) => await one.pass()))
  await look()
  const { validUntil: since, decisionId } = before
  t.match(await told(useCase.id), [
    { type: 'approval.lapsed', data: { decisionId, reason: 'expired', since } },
  ])
  t.equal((await told(useCase.id)).length, 1)
  t.same(await standing(world, useCase.id), before)
  t.same((await world.riskOwner.get(`/v1/use-cases/${useCase.id}`)).body, row, 'not even its revision moved')
  t.same(
    office.mails
      .filter(({ raw }) => raw.includes(useCase.key))
      .flatMap(({ to }) => to)
      .sort(),
    ['bea@example.com', 'rui@example.com'],
  )
})

t.test('each reason is told when it comes, and none is told that does not hold', async (t) => {
  const useCase = await approved(world)
  const withdrawn = await approved(world)
  await revise(world, useCase.id, { purpose: 'Sorts claims and pays them' })
  await revise(world, withdrawn.id, { purpose: 'Sorts claims and pays them' })
  await world.businessOwner.post(
    `/v1/use-cases/${withdrawn.id}/retirement`,
    { reason: 'replaced' },
    {
      'if-match': `"${(await world.riskOwner.get(`/v1/use-cases/${withdrawn.id}`)).body.revision}"`,
    },
  )
  await look()
  t.same(
    (await told(useCase.id)).map(({ type, data }) => [type, data.reason]),
    [['approval.lapsed', 'material_change']],
  )
  t.same(await told(withdrawn.id), [], 'what was retired lapses no more')
  world.later(549 * DAY)
  await look()
  t.same(
    (await told(useCase.id)).map(({ data }) => data.reason),
    ['material_change', 'expired'],
  )
})

t.test('R-24: a stage that is overdue is told, and stays open', async (t) => {
  const useCase = await register(world)
  const reviewId = await submit(world, useCase.id)
  await world.dispatcher.pass()
  office.mails.splice(0)
  world.later(9 * DAY)
  await look()
  t.same(await told(useCase.id), [])
  world.later(2 * DAY)
  await world.seats.legal.post(`/v1/reviews/${reviewId}/votes`, {
    ...{ seat: 'legal', choice: 'approve', rationale: 'fine' },
  })
  await look()
  await look()
  t.match(await told(useCase.id), [{ type: 'stage.overdue', data: { reviewId, stage: 'committee' } }])
  t.equal((await told(useCase.id)).length, 1)
  t.match((await world.riskOwner.get(`/v1/reviews/${reviewId}`)).body, { outcome: null })
  const mailed = office.mails.filter(({ raw }) => raw.includes(useCase.key)).flatMap(({ to }) => to)
  t.same(
    mailed.sort(),
    ['bo', 'cas', 'rae', 'rui'].map((name) => `${name}@example.com`),
    'those whose seat is empty, and the risk owner',
  )
})

t.test('an obligation is told before it is due, and when it is overdue', async (t) => {
  const { owner, clock, later, businessOwner } = world
  const useCase = await approved(world)
  const days = async (count: number) =>
    (await owner.query(`select $1::timestamptz + make_interval(days => $2) as at`, [clock.at, count])).rows[0]
      .at
  const impose = async (ordinal: number, dueInDays: number) => {
    const { rows } = await owner.query(
      `insert into condition (id, use_case_id, decision_id, ordinal, type, text, owner_id, due_at, satisfied_by, imposed_at)
        values (gen_random_uuid(), $1, $2, $3, 'obligation', 'Test again', $4, $5, 'test_report', $6) returning id`,
      [useCase.id, useCase.standing.decisionId, ordinal, businessOwner.id, await days(dueInDays), clock.at],
    )
    return String(rows[0].id)
  }
  const month = await impose(1, 30)
  const week = await impose(2, 6)
  await owner.query('update use_case set next_due_at = $2 where id = $1', [useCase.id, await days(6)])
  await look()
  t.same(await told(useCase.id), [], 'not at once, also when there is less than a week')
  later(4 * DAY)
  await look()
  t.match(await told(useCase.id), [{ type: 'condition.due_soon', data: { conditionId: week } }])
  later(2 * DAY)
  await look()
  t.same(
    (await told(useCase.id))
      .slice(1)
      .map(({ type }) => type)
      .sort(),
    ['approval.lapsed', 'condition.overdue'],
  )
  t.match(
    (await told(useCase.id)).find(({ type }) => type === 'approval.lapsed'),
    {
      data: { reason: 'condition_overdue' },
    },
  )
  later(18 * DAY)
  await look()
  t.match((await told(useCase.id)).at(-1), { type: 'condition.due_soon', data: { conditionId: month } })
  await owner.query(
    `insert into condition_ending (condition_id, state, ended_by, ended_at, note, decision_id)
      values ($1, 'ended', $2, $3, 'superseded', $4)`,
    [month, businessOwner.id, clock.at, useCase.standing.decisionId],
  )
  later(7 * DAY)
  await look()
  t.match((await told(useCase.id)).length, 4, 'what has ended is never overdue')
})
