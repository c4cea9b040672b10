// The life of a use case against a model of it: whatever people do, in whatever order, both agree on what is allowed,
// on how it stands, and on what is never true.
import fc from 'fast-check'
import t from 'tap'
import { addDays } from '../../src/instant.js'
import { type Answer, ifMatch, type Person } from '../app.js'
import { type Committee, register, revise, START, startCommittee } from '../committee.js'

const committee = await startCommittee(t)
const { clock, owner, riskOwner, businessOwner } = committee
/** Holds the seat for legal, and also writes. */
const writer = await committee.inUnit('Wes', 'business_owner', 'committee_member', 'seat:legal')

type Seat = keyof Committee['seats']
type Choice = 'approve' | 'block' | 'request_changes' | 'abstain'
type Tier = 'limited' | 'high'

interface Round {
  isOpen: boolean
  tier: Tier
  votes: Map<Seat, Choice>
  excludesWriter: boolean
}

interface Model {
  revision: number
  version: number
  purpose: number
  tier: Tier
  rounds: Round[]
  decisions: number
  approval: { until: string; tier: Tier; purpose: number; lapses: Set<string> } | null
  isBlocked: boolean
  lastOutcome: string | null
  isRetired: boolean
  /** The writer wrote since the last approval. */
  hasWritten: boolean
}

interface Real {
  id: string
  reviewId: string
  /** What there was after the deed before. */
  rows?: Rows
}

const members: Record<Seat, Person> = { ...committee.seats, legal: writer }
const lanes = {
  limited: { seats: ['risk', 'business', 'legal', 'compliance'], vetoes: [], quorum: 2, days: 548 },
  high: {
    seats: ['risk', 'business', 'legal', 'security', 'compliance'],
    vetoes: ['legal', 'compliance'],
    quorum: 3,
    days: 365,
  },
} as const

const isOpen = ({ rounds }: Model) => rounds.at(-1)?.isOpen === true

/** What the votes of a round come to, as design says it; undefined while it stays open. */
function outcomeOf({ tier, votes }: Round): 'approved' | 'blocked' | 'changes_requested' | undefined {
  const { seats, vetoes, quorum } = lanes[tier]
  const saying = (choice: Choice) => [...votes].filter(([, said]) => said === choice).map(([seat]) => seat)
  if (saying('block').some((seat) => vetoes.some((veto) => veto === seat))) return 'blocked'
  const risk = votes.get('risk')
  if (saying('approve').length >= quorum && risk === 'approve') return 'approved'
  const isLost = risk !== undefined && risk !== 'approve'
  const reachable = saying('approve').length + seats.length - votes.size
  if (!isLost && reachable >= quorum) return undefined
  return saying('block').length > 0 ? 'blocked' : 'changes_requested'
}

function standingOf(model: Model): { standing: string; reasons: string[] } {
  const { approval, isBlocked, isRetired, lastOutcome } = model
  if (isRetired) return { standing: 'retired', reasons: [] }
  if (isBlocked) return { standing: 'blocked', reasons: [] }
  if (approval) {
    const reasons = [...(approval.until <= clock.at ? ['expired'] : []), ...approval.lapses].sort()
    return { standing: reasons.length > 0 ? 'lapsed' : 'cleared', reasons }
  }
  if (isOpen(model)) return { standing: 'in_review', reasons: [] }
  const reasons = lastOutcome === 'changes_requested' ? ['changes_requested'] : []
  return { standing: 'unreviewed', reasons }
}

/** A deed: what it does to the use case, and to the model, which says how it must end. */
abstract class Deed implements fc.AsyncCommand<Model, Real> {
  abstract act(real: Real): Promise<Answer>
  /** The status it must end with; changes the model if that is a success. */
  abstract expect(model: Model): number

  check(_model: Readonly<Model>): boolean {
    return true
  }

  async run(model: Model, real: Real): Promise<void> {
    const before = real.rows ?? (await rowsOf(real))
    const status = this.expect(model)
    const answer = await this.act(real)
    if (answer.status !== status) {
      throw new Error(`${this} ended with ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`)
    }
    const after = await rowsOf(real)
    real.rows = after
    if (status >= 400 && JSON.stringify(after) !== JSON.stringify(before)) {
      throw new Error(`${this} was refused and changed something`)
    }
    assertAgreed(model, after, await standingOfReal(real))
  }

  toString(): string {
    return `${this.constructor.name}(${Object.values(this).join()})`
  }
}

const place = ({ id }: Real) => `/v1/use-cases/${id}`
const seen = async (real: Real) => ifMatch(await riskOwner.get(place(real)))

class Submit extends Deed {
  async act(real: Real) {
    const answer = await riskOwner.post(`${place(real)}/reviews`, {}, await seen(real))
    if (answer.status === 201) real.reviewId = answer.body.id
    return answer
  }

  expect(model: Model) {
    if (model.isRetired || isOpen(model)) return 409
    const { tier, hasWritten } = model
    model.rounds.push({ isOpen: true, tier, votes: new Map(), excludesWriter: hasWritten })
    model.revision += 1
    return 201
  }
}

class Vote extends Deed {
  constructor(
    readonly seat: Seat,
    readonly choice: Choice,
  ) {
    super()
  }

  override check({ rounds }: Model) {
    return rounds.length > 0
  }

  async act({ reviewId }: Real) {
    const { seat, choice } = this
    return await members[seat].post(`/v1/reviews/${reviewId}/votes`, { seat, choice, rationale: 'because' })
  }

  expect(model: Model) {
    const round = model.rounds.at(-1)
    if (!round || (this.seat === 'legal' && round.excludesWriter)) return 403
    if (!round.isOpen) return 409
    if (!lanes[round.tier].seats.some((seat) => seat === this.seat)) return 422
    round.votes.set(this.seat, this.choice)
    model.revision += 1
    const outcome = outcomeOf(round)
    if (outcome) close(model, round, outcome)
    return 201
  }
}

function close(model: Model, round: Round, outcome: string): void {
  round.isOpen = false
  model.decisions += 1
  model.lastOutcome = outcome
  const { tier } = round
  if (outcome === 'blocked') Object.assign(model, { approval: null, isBlocked: true })
  if (outcome !== 'approved') return
  const until = addDays(clock.at, lanes[tier].days)
  model.approval = { until, tier, purpose: model.purpose, lapses: new Set() }
  Object.assign(model, { isBlocked: false, hasWritten: false })
}

class Withdraw extends Deed {
  override check({ rounds }: Model) {
    return rounds.length > 0
  }

  async act({ reviewId }: Real) {
    return await riskOwner.post(`/v1/reviews/${reviewId}/withdrawal`, { reason: 'too early' })
  }

  expect(model: Model) {
    const round = model.rounds.at(-1)
    if (!round?.isOpen) return 409
    round.isOpen = false
    model.revision += 1
    return 200
  }
}

/** Changes what every approval rests on; to and fro, as `purpose` has two values. */
class ReviseMaterial extends Deed {
  async act(real: Real) {
    const { body } = await riskOwner.get(place(real))
    return await revise(committee, real.id, {
      purpose: body.purpose === purposes[0] ? purposes[1] : purposes[0],
    })
  }

  expect(model: Model) {
    if (model.isRetired || isOpen(model)) return 409
    model.purpose = 1 - model.purpose
    model.version += 1
    model.revision += 1
    const { approval, purpose } = model
    if (approval && approval.purpose !== purpose) approval.lapses.add('material_change')
    return 200
  }
}
const purposes = ['Sorts claims by how urgent they are', 'Pays claims']

/** Somebody who could vote writes instead. */
class Write extends Deed {
  async act(real: Real) {
    return await revise(committee, real.id, { benefits: `Version ${crypto.randomUUID()}` }, writer)
  }

  expect(model: Model) {
    const round = model.rounds.at(-1)
    if (model.isRetired || (round?.isOpen && round.votes.has('legal'))) return 409
    if (round?.isOpen) round.excludesWriter = true
    model.hasWritten = true
    model.version += 1
    model.revision += 1
    return 200
  }
}

class Raise extends Deed {
  async act(real: Real) {
    return await riskOwner.post(
      `${place(real)}/tier`,
      { tier: 'high', reason: 'to be safe' },
      await seen(real),
    )
  }

  expect(model: Model) {
    if (model.isRetired || isOpen(model) || model.tier === 'high') return 409
    model.tier = 'high'
    model.revision += 1
    if (model.approval?.tier === 'limited') model.approval.lapses.add('tier_raised')
    return 200
  }
}

class Retire extends Deed {
  async act(real: Real) {
    return await businessOwner.post(`${place(real)}/retirement`, { reason: 'replaced' }, await seen(real))
  }

  expect(model: Model) {
    if (model.isRetired || isOpen(model)) return 409
    model.isRetired = true
    model.revision += 1
    return 200
  }
}

/** Time goes on: some days, or up to the very instant at which the approval ends, or to just before it. */
class Wait extends Deed {
  constructor(readonly until: number | 'expiry' | 'before expiry') {
    super()
  }

  override check({ approval }: Model) {
    return typeof this.until === 'number' || (approval !== null && approval.until > clock.at)
  }

  async act(real: Real) {
    return await riskOwner.get(place(real))
  }

  expect({ approval }: Model) {
    if (typeof this.until === 'number') clock.at = addDays(clock.at, this.until)
    else if (this.until === 'expiry') clock.at = approval?.until ?? clock.at
    else clock.at = new Date(Date.parse(approval?.until ?? clock.at) - 1).toISOString()
    return 200
  }
}

interface Rows {
  head: { revision: number; version: number; last: number }
  versions: number[]
  states: number[]
  events: number[]
  rounds: number[]
  decisions: number
  /** Rounds with two decisions, and counted votes of people who were excluded or not seated: there are none. */
  wrong: number
}

async function rowsOf({ id }: Real): Promise<Rows> {
  const { rows } = await owner.query<{ rows: Rows }>(
    `select json_build_object(
      'head', (select json_build_object('revision', revision, 'version', version, 'last', last_event_no)
        from use_case where id = $1),
      'versions', (select json_agg(version order by version) from use_case_version where use_case_id = $1),
      'states', (select json_agg(revision order by revision) from use_case_state where use_case_id = $1),
      'events', (select json_agg(event_no order by event_no) from audit_event where aggregate_id = $1),
      'rounds', coalesce((select json_agg(round order by round) from review where use_case_id = $1), '[]'),
      'decisions', (select count(*) from decision where use_case_id = $1),
      'wrong', (select count(*) from decision where use_case_id = $1) -
        (select count(distinct review_id) from decision where use_case_id = $1) +
        (select count(*) from decision d cross join jsonb_array_elements(d.votes) v
          left join review_party p on p.review_id = d.review_id and p.person_id = (v ->> 'personId')::uuid
          where d.use_case_id = $1 and p.part is distinct from 'elector')) as rows`,
    [id],
  )
  const [row] = rows
  if (!row) throw new Error('nothing came back')
  return row.rows
}

async function standingOfReal(real: Real) {
  const { standing, reasons, openReviewId } = (await riskOwner.get(place(real))).body.standing
  return { standing, reasons: reasons.toSorted(), isOpen: openReviewId !== null }
}

function assertAgreed(model: Model, rows: Rows, real: object): void {
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
  const { revision, version, rounds, decisions } = model
  const found = { ...rows, ...real }
  const expected = {
    head: { revision, version, last: rows.head.last },
    versions: upTo(version),
    states: upTo(revision),
    events: upTo(rows.head.last),
    rounds: upTo(rounds.length),
    decisions,
    wrong: 0,
    ...standingOf(model),
    isOpen: isOpen(model),
  }
  for (const [name, value] of Object.entries(expected)) {
    const actual = JSON.stringify(Reflect.get(found, name))
    if (actual !== JSON.stringify(value))
      throw new Error(`${name} is ${actual}, not ${JSON.stringify(value)}`)
  }
}

const seat = fc.constantFrom<Seat>('risk', 'business', 'legal', 'security', 'compliance')
const choice = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Choice>('approve') },
  { weight: 2, arbitrary: fc.constantFrom<Choice>('block', 'request_changes', 'abstain') },
)
const vote = fc.tuple(seat, choice).map(([who, what]) => new Vote(who, what))
const until = fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom('expiry', 'before expiry'))
const deeds = [
  fc.constant(new Submit()),
  ...[vote, vote, vote],
  fc.constant(new Withdraw()),
  fc.constant(new ReviseMaterial()),
  fc.constant(new ReviseMaterial()),
  fc.constant(new Write()),
  fc.constant(new Raise()),
  fc.constant(new Retire()),
  until.map((when) => new Wait(when as Wait['until'])),
]
/** What most lives begin with: by chance alone few would get as far as an approval. */
const approval = [new Submit(), new Vote('business', 'approve'), new Vote('risk', 'approve')]

t.test('whatever people do, in whatever order, the use case and its model agree', async (t) => {
  const reached = new Set<string>()
  const begin = async () => {
    clock.at = START
    const { id } = await register(committee)
    const model: Model = {
      ...{ revision: 1, version: 1, purpose: 0, tier: 'limited', rounds: [], decisions: 0, approval: null },
      ...{ isBlocked: false, lastOutcome: null, isRetired: false, hasWritten: false },
    }
    const real: Real = { id, reviewId: '' }
    return { model, real }
  }
  const anything = fc.commands(deeds, { maxCommands: 20, size: 'max' })
  const lives = fc.asyncProperty(fc.integer({ min: 0, max: 4 }), anything, async (luck, commands) => {
    const life = await begin()
    if (luck > 0) for (const deed of approval) await deed.run(life.model, life.real)
    await fc.asyncModelRun(() => life, commands)
    const { standing, reasons } = standingOf(life.model)
    for (const word of [standing, ...reasons]) reached.add(word)
  })
  await fc.assert(lives, { numRuns: 70 })
  t.ok(reached.size >= 4, 'lives ended in many ways, each as its model did')
  t.comment(`ended as: ${[...reached].join(', ')}`)
})
