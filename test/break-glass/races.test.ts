// Emergency openings that meet something else on one use case. Each waits for its lock on a connection of its own.
import t from 'tap'
import { v7 as newId } from 'uuid'
import type { Answer } from '../app.js'
import { register, standing, submit, vote } from '../committee.js'
import { openClient } from '../database-run.js'
import { assertGapless } from '../gapless.js'
import { meeting } from '../waiting.js'
import { ask, close, codes, judge, look, open, startWorld } from './world.js'

const world = await startWorld(t)
const { owner, riskOwner, pipeline, seats } = world

const statuses = (answers: Answer[]) => answers.map(({ status }) => status)
const meet = async (id: string, ...asks: (() => Promise<Answer>)[]) =>
  await meeting(world, { table: 'use_case', id }, asks)

/** Unreviewed, with the pipeline bound to it. */
async function unreviewed(): Promise<{ id: string; key: string }> {
  const { id, key } = await register(world)
  await riskOwner.post(`/v1/use-cases/${id}/pipelines`, { personId: pipeline.id })
  return { id, key }
}

t.test('R-92: of an opening and a suspension at once, whichever comes first, the gate denies', async (t) => {
  for (const isFirst of [true, false]) {
    const { id, key } = await unreviewed()
    const suspending = () => riskOwner.post(`/v1/use-cases/${id}/suspensions`, { reason: 'it names prices' })
    const asks = [() => open(riskOwner, id), suspending]
    const answers = await meet(id, ...(isFirst ? asks : asks.toReversed()))
    t.same(statuses(answers), isFirst ? [201, 201] : [201, 409])
    for (const accept of [true, false])
      t.same(codes(await look(world, key, accept)), ['suspended', 'unreviewed'])
    t.equal((await standing(world, id)).standing, 'suspended')
    await assertGapless(t, world, id)
  }
})

t.test('R-92: of an opening and the vote that blocks at once, the gate denies', async (t) => {
  for (const isFirst of [true, false]) {
    const { id, key } = await unreviewed()
    const reviewId = await submit(world, id)
    const asks = [() => open(riskOwner, id), () => vote(world, reviewId, 'risk', 'block')]
    const answers = await meet(id, ...(isFirst ? asks : asks.toReversed()))
    t.same(statuses(answers), isFirst ? [201, 201] : [201, 409])
    t.equal((await standing(world, id)).standing, 'blocked')
    for (const accept of [true, false]) t.same(codes(await look(world, key, accept)), ['blocked'])
    await assertGapless(t, world, id)
  }
})

t.test('of two openings of one environment at once, one opens', async (t) => {
  const { id } = await unreviewed()
  const answers = await meet(
    id,
    () => open(riskOwner, id),
    () => open(riskOwner, id, { hours: 1 }),
  )
  t.same(statuses(answers), [201, 409])
  await assertGapless(t, world, id)
})

t.test('of two closings, and of two reviews, at once, one counts', async (t) => {
  const { id, key } = await unreviewed()
  const { body } = await open(riskOwner, id)
  const closing = () => close(riskOwner, body.id)
  t.same(statuses(await meet(id, closing, closing)), [200, 409])
  const answers = await meet(
    id,
    () => judge(seats.risk, body.id),
    () => judge(seats.legal, body.id, 'not_justified'),
  )
  t.same(statuses(answers), [201, 409])
  t.equal((await riskOwner.get(`/v1/break-glass/${body.id}`)).body.review.verdict, 'justified')
  t.same(codes(await look(world, key, true)), ['unreviewed'])
  await assertGapless(t, world, id)
})

t.test(
  'a look waits for no closing, and rests on what is committed; after it nothing rests on the opening',
  async (t) => {
    const { id, key } = await unreviewed()
    const { body } = await open(riskOwner, id)
    const holder = await openClient(world.connections.ownerConnection)
    await holder.query('begin')
    await holder.query('select 1 from use_case where id = $1 for update', [id])
    const closing = close(riskOwner, body.id)
    const before = await look(world, key, true)
    t.match(before, { status: 200, body: { breakGlassId: body.id } }, 'the gate waits for nobody')
    await holder.query('commit')
    await holder.end()
    t.equal((await closing).status, 200)
    const after = await ask(world, key, true, newId())
    t.same([after.status, codes(after), after.body.breakGlassId], [409, ['unreviewed'], null])
  },
)

t.test('of many questions and a closing at once, none that comes after it is an allow', async (t) => {
  const { id, key } = await unreviewed()
  const { body } = await open(riskOwner, id)
  const questions = () => Array.from({ length: 8 }, () => ask(world, key, true))
  const [shut, ...early] = await Promise.all([close(riskOwner, body.id), ...questions()])
  t.equal(shut?.status, 200)
  for (const answer of early) {
    t.same(codes(answer), answer.status === 200 ? ['break_glass', 'unreviewed'] : ['unreviewed'])
  }
  for (const answer of await Promise.all(questions())) t.equal(answer.status, 409)
  const { rows } = await owner.query(
    `select count(*)::int as odd from gate_answer
      where use_case_id = $1 and decision = 'allow' and break_glass_id is distinct from $2`,
    [id, body.id],
  )
  t.equal(rows[0].odd, 0)
})
