import t from 'tap'
import { Lane } from '../../src/policy/lanes.js'
import { isStricter } from '../../src/reviews/stricter.js'

const lane = Lane.parse({
  id: 'limited',
  title: 'Two of three',
  when: { tiers: ['limited'] },
  stages: [
    {
      id: 'committee',
      seats: [
        { seat: 'risk', required: true, veto: false },
        { seat: 'legal', required: false, veto: false },
        { seat: 'business', required: false, veto: false },
      ],
      quorum: 2,
      dueInDays: 10,
    },
  ],
  outcomes: ['approved', 'blocked', 'changes_requested'],
  validForDays: 365,
  materialFacts: ['purpose', 'answers'],
  environments: ['staging', 'production'],
})
const [stage] = lane.stages
const withStage = (change: object): Lane => Lane.parse({ ...lane, stages: [{ ...stage, ...change }] })
const withLegal = (change: object): Lane =>
  withStage({
    seats: stage?.seats.map((place) => (place.seat === 'legal' ? { ...place, ...change } : place)),
  })

const stricter: [string, Lane][] = [
  ['one more vote', withStage({ quorum: 3 })],
  ['another seat that must approve', withLegal({ required: true })],
  ['another veto', withLegal({ veto: true })],
  ['a shorter time', { ...lane, validForDays: 30 }],
  ['one more fact whose change ends it', { ...lane, materialFacts: ['purpose', 'answers', 'technique'] }],
  ['fewer environments', { ...lane, environments: ['staging'] }],
  ['a seat less, for as many approvals', withStage({ seats: stage?.seats.slice(0, 2) })],
  ['no approval any more', { ...lane, outcomes: ['blocked', 'changes_requested'] }],
]

t.test('a policy that asks for more than a round did is stricter, whichever way it asks', async (t) => {
  for (const [what, inForce] of stricter) {
    t.equal(isStricter(inForce, lane), true, what)
    t.equal(isStricter(lane, inForce), false, `${what}, the other way round`)
  }
  t.equal(isStricter(lane, { ...lane, environments: undefined }), true, 'environments where there were none')
  t.equal(isStricter(lane, lane), false, 'the same')
  const fewer = withStage({ seats: stage?.seats.slice(0, 2), quorum: 1 })
  t.equal(isStricter(fewer, lane), false, 'a seat less, and its approval')
})
