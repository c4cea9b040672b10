// What a newer piece of evidence does elsewhere: to conditions, queues, reviews and decisions.
import t from 'tap'
import { startCommittee, submit } from '../committee.js'
import { approvedWith, decideWith, fulfil, give, report } from '../conditions/world.js'

t.test(
  'R-80, R-101: what was superseded meets no condition, waits for nobody, and no later decision rests on it',
  async (t) => {
    const committee = await startCommittee(t)
    const { riskOwner, seats } = committee
    const { id, conditionIds } = await approvedWith(committee, [report])
    const [conditionId = ''] = conditionIds
    const older = await give(committee, id)
    const unjudged = await give(committee, id, {}, 'none')
    const newer = await give(committee, id, { supersedesId: older }, 'none')
    const newest = await give(committee, id, { supersedesId: unjudged }, 'none')

    const waiting = async () =>
      (await seats.legal.get('/v1/me/queue')).body.items
        .filter(({ kind }: { kind: string }) => kind === 'evidence')
        .map((item: { id: string }) => item.id)
    t.same((await waiting()).sort(), [newer, newest].sort(), 'only the newer ones wait')

    const row = async () => {
      const { body } = await riskOwner.get('/v1/registers/use-cases?format=json')
      return body.items?.[0] ?? body
    }
    t.match(await row(), { evidenceCount: 1 }, 'the older one counts until then')
    const accepted = { verdict: 'accepted', note: 'read it' }
    t.equal((await seats.risk.post(`/v1/evidence/${newer}/verdict`, accepted)).status, 201)
    const refused = await fulfil(riskOwner, conditionId, older)
    t.match(refused, { status: 409, body: { detail: new RegExp(`${newer}, came in place`) } })
    t.equal((await fulfil(riskOwner, conditionId, newer)).status, 200)

    const review = await submit(committee, id)
    const shown = (await riskOwner.get(`/v1/reviews/${review}`)).body.evidence
    t.same(
      shown.map((piece: { id: string }) => piece.id),
      [unjudged, newer, newest],
      'what nobody accepted yet is shown beside what is to come in its place',
    )
    await riskOwner.post(`/v1/reviews/${review}/withdrawal`, { reason: 'once more' })
    const decision = await decideWith(committee, id, [])
    t.same(
      decision.evidence.map((piece: { id: string }) => piece.id),
      [newer],
    )
    t.match(await row(), { evidenceCount: 1 })
  },
)
