// What a newer piece of evidence does elsewhere: to conditions, queues, reviews and decisions.
import t from 'tap'
import { startCommittee, submit } from '../committee.js'
import { approvedWith, decideWith, fulfil, give, report } from '../conditions/world.js'

t.test(
  'what was superseded meets no condition, waits for nobody, and no later decision rests on it',
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

    const refused = await fulfil(riskOwner, conditionId, older)
    t.match(refused, { status: 409, body: { detail: new RegExp(`${newer}, came in place`) } })
    const accepted = { verdict: 'accepted', note: 'read it' }
    await seats.risk.post(`/v1/evidence/${newer}/verdict`, accepted)
    t.equal((await fulfil(riskOwner, conditionId, newer)).status, 200)

    const review = await submit(committee, id)
    const shown = (await riskOwner.get(`/v1/reviews/${review}`)).body.evidence
    t.same(
      shown.map((piece: { id: string }) => piece.id),
      [newer, newest],
    )
    await riskOwner.post(`/v1/reviews/${review}/withdrawal`, { reason: 'once more' })
    const decision = await decideWith(committee, id, [])
    t.same(
      decision.evidence.map((piece: { id: string }) => piece.id),
      [newer],
    )
    const row = await riskOwner.get('/v1/registers/use-cases?format=json')
    t.match(row.body.items?.[0] ?? row.body, { evidenceCount: 1 })
  },
)
