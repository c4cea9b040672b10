// What is minimal is cleared by its owner's word, and a share of it is looked at afterwards.
import t from 'tap'
import { addDays } from '../../src/instant.js'
import type { Policies } from '../../src/policy/load.js'
import { submit as submitUseCase } from '../../src/reviews/service.js'
import { Submission } from '../../src/reviews/submission.js'
import type { Person } from '../app.js'
import { ifMatch } from '../app.js'
import { act, answersFor, register, START, standing, startCommittee, vote } from '../committee.js'
import { refuses } from '../unchanged.js'

const committee = await startCommittee(t)
const { businessOwner, riskOwner, seats, policies } = committee

/** The policy in force, with another share of attestations drawn for a review. */
const drawing = (sampleShare: number): Policies => ({
  ...policies,
  lanes: {
    ...policies.lanes,
    lanes: policies.lanes.lanes.map((lane) =>
      lane.attestation ? { ...lane, attestation: { ...lane.attestation, sampleShare } } : lane,
    ),
  },
})
const minimal = async () => await register(committee, { answers: answersFor.minimal })
const attest = async (id: string, sampleShare: number, as: Person = riskOwner) => {
  const { revision } = (await riskOwner.get(`/v1/use-cases/${id}`)).body
  const submission = Submission.parse({ attest: true })
  return await act(committee, as, (tx) => submitUseCase(tx, drawing(sampleShare), id, revision, submission))
}

t.test('R-25: the word of an owner clears what is minimal at once', async (t) => {
  for (const owner of [riskOwner, businessOwner]) {
    const { id } = await minimal()
    const review = await attest(id, 0, owner)
    t.match(review, { outcome: 'approved', lane: { id: 'minimal', stages: [] }, votes: [] })
    t.match(await standing(committee, id), {
      standing: 'cleared',
      validUntil: addDays(START, 730),
      openReviewId: null,
    })
    const [decision] = (await riskOwner.get(`/v1/use-cases/${id}/decisions`)).body.items
    t.match(decision, {
      outcome: 'approved',
      route: 'attestation',
      laneId: 'minimal',
      votes: [],
      sampled: false,
    })
  }
})

t.test(
  'R-25: what is drawn stays cleared while people look at it, and a block of theirs ends it',
  async (t) => {
    const { id } = await minimal()
    const review = await attest(id, 1)
    t.match(review, { outcome: null, lane: { id: 'minimal-sample' }, openSeats: ['risk', 'business'] })
    t.match(await standing(committee, id), { standing: 'cleared', openReviewId: review.id })
    const refusal = () =>
      riskOwner.post(`/v1/reviews/${review.id}/votes`, { seat: 'risk', choice: 'approve', rationale: 'mine' })
    await refuses(t, committee, refusal, { status: 403 })
    t.match((await vote(committee, review.id, 'risk', 'approve')).body.decision, { laneId: 'minimal-sample' })

    const other = await minimal()
    const sample = await attest(other.id, 1)
    await vote(committee, sample.id, 'business', 'block')
    t.match((await vote(committee, sample.id, 'risk', 'abstain')).body.decision, { outcome: 'blocked' })
    t.match(await standing(committee, other.id), { standing: 'blocked' })
  },
)

t.test(
  'R-25: nobody else attests, nothing else is attested, and nothing is cleared by silence',
  async (t) => {
    const { id } = await minimal()
    const ask = async (useCaseId: string, body: object, as = riskOwner) => {
      const place = `/v1/use-cases/${useCaseId}`
      const seen = ifMatch(await riskOwner.get(place))
      return await as.post(`${place}/reviews`, body, seen)
    }
    const stranger = await committee.inUnit('Sam', 'business_owner', 'risk_owner')
    await refuses(t, committee, () => ask(id, { attest: true }, stranger), {
      status: 403,
      detail: /nobody else/,
    })
    await refuses(t, committee, () => ask(id, { attest: true }, seats.risk), { status: 403 })
    await refuses(t, committee, () => ask(id, {}), {
      status: 422,
      detail: /send "attest": true to declare "I have/,
    })
    const limited = await register(committee)
    await refuses(t, committee, () => ask(limited.id, { attest: true }), { status: 422, detail: /by a vote/ })
  },
)
