// What people can do to a use case: each deed to the real one, and to its model, which says how it must end.
import type fc from 'fast-check'
import { addDays } from '../../src/instant.js'
import { type Answer, ifMatch, type Person } from '../app.js'
import { type Committee, revise } from '../committee.js'
import {
  type Choice,
  close,
  emergencyUntil,
  gateOf,
  HOURS,
  isOpen,
  lanes,
  type Model,
  outcomeOf,
  type Round,
  type Seat,
  staleAt,
  standingOf,
  tierOf,
  type Voter,
  whatStopsApproval,
} from './model.js'

export interface Real {
  committee: Committee
  members: Record<Voter, Person>
  id: string
  reviewId: string
  /** Pieces that nobody judged, and that somebody accepted, in that order. */
  openIds: string[]
  acceptedIds: string[]
  agrees(model: Model, status: number, deed: string): Promise<void>
}

type Submission = 'plain' | 'lowers' | 'waives' | 'supersedes' | 'excepts'

export const KIND = 'risk_assessment'
const EXCEPTED_DAYS = 30

export abstract class Deed implements fc.AsyncCommand<Model, Real> {
  abstract act(real: Real): Promise<Answer>
  /** The status it must end with; changes the model if that is a success. */
  abstract expect(model: Model, now: string): number

  check(_model: Readonly<Model>): boolean {
    return true
  }

  async run(model: Model, real: Real): Promise<void> {
    const status = this.expect(model, real.committee.clock.at)
    const answer = await this.act(real)
    if (answer.status !== status) {
      throw new Error(`${this} ended with ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`)
    }
    await real.agrees(model, status, `${this}`)
  }

  toString(): string {
    return `${this.constructor.name}(${Object.values(this).join()})`
  }
}

const place = ({ id }: Real) => `/v1/use-cases/${id}`
const seen = async (real: Real) => ifMatch(await real.committee.riskOwner.get(place(real)))

export class Submit extends Deed {
  constructor(readonly asks: Submission = 'plain') {
    super()
  }

  override check(model: Model) {
    if (this.asks === 'lowers') return tierOf(model) === 'high'
    if (this.asks === 'waives') return model.obligations.length > 0 && !model.isBlocked
    if (this.asks === 'excepts') return model.isAsked
    return this.asks === 'plain' || model.approval !== null || model.isBlocked
  }

  async act(real: Real) {
    const { riskOwner } = real.committee
    const answer = await riskOwner.post(`${place(real)}/reviews`, await this.#body(real), await seen(real))
    if (answer.status === 201) real.reviewId = answer.body.id
    return answer
  }

  async #body(real: Real): Promise<object> {
    const { riskOwner } = real.committee
    if (this.asks === 'lowers') return { lowerTierTo: 'limited' }
    if (this.asks === 'waives') {
      const { body } = await riskOwner.get(`${place(real)}/conditions`)
      const inForce = body.items.filter(({ state }: { state: string }) => ['open', 'overdue'].includes(state))
      return { waives: inForce.map(({ id }: { id: string }) => id) }
    }
    if (this.asks === 'plain') return {}
    if (this.asks === 'excepts') {
      const until = addDays(real.committee.clock.at, EXCEPTED_DAYS)
      const compensating = { text: 'A clerk reads each letter' }
      return { exceptions: [{ requirement: 'RQ-10', until, compensating, reason: 'under way' }] }
    }
    return { supersedesId: (await riskOwner.get(place(real))).body.standing.decisionId }
  }

  expect(model: Model, now: string) {
    if (model.isRetired || isOpen(model)) return 409
    const tier = tierOf(model)
    const { approval, purpose, basis, hasWritten } = model
    const exceptedUntil = this.asks === 'excepts' ? addDays(now, EXCEPTED_DAYS) : null
    const isShort = this.asks === 'plain' && approval?.tier === tier && purpose === basis
    const lane = lanes[isShort ? (`${tier}-minor` as const) : tier]
    const asks = { lowers: false, waives: false, supersedes: false, [this.asks]: true }
    const votes: Round['votes'] = new Map()
    model.rounds.push({
      ...{ isOpen: true, tier, lane, isShort, votes, gaveUp: new Set(), excludesWriter: hasWritten, asks },
      exceptedUntil,
    })
    model.revision += 1
    return 201
  }
}

export class Vote extends Deed {
  constructor(
    readonly voter: Voter,
    readonly choice: Choice | 'recuse',
  ) {
    super()
  }

  get #seat(): Seat {
    return this.voter === 'deputy' ? 'risk' : this.voter
  }

  override check({ rounds }: Model) {
    return rounds.length > 0
  }

  async act({ members, reviewId }: Real) {
    const obligation = {
      type: 'obligation',
      text: `Report ${crypto.randomUUID()}`,
      satisfiedBy: 'test_report',
    }
    const conditions =
      this.choice === 'approve_with_conditions' ? [{ ...obligation, dueInDays: 30 }] : undefined
    const ballot = { seat: this.#seat, choice: this.choice, rationale: 'because', conditions }
    return await members[this.voter].post(`/v1/reviews/${reviewId}/votes`, ballot)
  }

  expect(model: Model, now: string) {
    const round = model.rounds.at(-1)
    const { voter, choice } = this
    const seat = this.#seat
    if (!round || (voter === 'legal' && round.excludesWriter)) return 403
    if (!round.isOpen) return 409
    if (!round.lane.seats.includes(seat)) return 422
    const before = round.votes.get(seat)
    if (round.gaveUp.has(voter) || (before && before.by !== voter)) return 409
    const cast = new Map(round.votes)
    if (choice !== 'recuse') cast.set(seat, { choice, by: voter, due: null })
    const isApproving = outcomeOf({ ...round, votes: cast }) === 'approved'
    if (isApproving && whatStopsApproval(model, round, now) === 'refused') return 409
    model.revision += 1
    if (choice === 'recuse') {
      round.votes.delete(seat)
      round.gaveUp.add(voter)
    } else
      round.votes.set(seat, { choice, by: voter, due: choice === 'approve_with_conditions' ? now : null })
    const outcome = outcomeOf(round)
    if (outcome) close(model, round, outcome, now)
    return 201
  }
}

export class Withdraw extends Deed {
  override check({ rounds }: Model) {
    return rounds.length > 0
  }

  async act({ committee, reviewId }: Real) {
    return await committee.riskOwner.post(`/v1/reviews/${reviewId}/withdrawal`, { reason: 'too early' })
  }

  expect(model: Model) {
    const round = model.rounds.at(-1)
    if (!round?.isOpen) return 409
    round.isOpen = false
    model.revision += 1
    return 200
  }
}

const purposes = ['Sorts claims by how urgent they are', 'Pays claims']

/** Changes what every approval rests on; to and fro, as `purpose` has two values. */
export class ReviseMaterial extends Deed {
  async act(real: Real) {
    const { body } = await real.committee.riskOwner.get(place(real))
    const purpose = body.purpose === purposes[0] ? purposes[1] : purposes[0]
    return await revise(real.committee, real.id, { purpose })
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

/** Somebody who could vote writes instead, and what they write is not material. */
export class Write extends Deed {
  async act(real: Real) {
    const benefits = `Version ${crypto.randomUUID()}`
    return await revise(real.committee, real.id, { benefits }, real.members.legal)
  }

  expect(model: Model) {
    const round = model.rounds.at(-1)
    const hasSat = round?.votes.has('legal') || round?.gaveUp.has('legal')
    if (model.isRetired || (round?.isOpen && hasSat)) return 409
    if (round?.isOpen) round.excludesWriter = true
    model.hasWritten = true
    model.version += 1
    model.revision += 1
    return 200
  }
}

export class Raise extends Deed {
  async act(real: Real) {
    const raise = { tier: 'high', reason: 'to be safe' }
    return await real.committee.riskOwner.post(`${place(real)}/tier`, raise, await seen(real))
  }

  expect(model: Model) {
    if (model.isRetired || isOpen(model) || tierOf(model) === 'high') return 409
    Object.assign(model, { raised: 'high', lowered: null })
    model.revision += 1
    if (model.approval?.tier === 'limited') model.approval.lapses.add('tier_raised')
    return 200
  }
}

export class Retire extends Deed {
  async act(real: Real) {
    const reason = { reason: 'replaced' }
    return await real.committee.businessOwner.post(`${place(real)}/retirement`, reason, await seen(real))
  }

  expect(model: Model) {
    if (model.isRetired || isOpen(model)) return 409
    model.isRetired = true
    model.revision += 1
    return 200
  }
}

/** Evidence that somebody else accepts meets what is due first. */
export class Meet extends Deed {
  override check({ obligations, isBlocked, isRetired }: Model) {
    return obligations.length > 0 && !isBlocked && !isRetired
  }

  async act(real: Real) {
    const { riskOwner, seats } = real.committee
    const report = { kind: 'test_report', title: 'Report', statement: 'A clerk read each of them' }
    const { body: evidence } = await riskOwner.post(`${place(real)}/evidence`, report)
    await seats.security.post(`/v1/evidence/${evidence.id}/verdict`, { verdict: 'accepted', note: 'read it' })
    const { body } = await riskOwner.get(`${place(real)}/conditions`)
    const [first] = body.items
      .filter(({ state }: { state: string }) => ['open', 'overdue'].includes(state))
      .sort((a: { dueAt: string }, b: { dueAt: string }) => (a.dueAt < b.dueAt ? -1 : 1))
    const met = { evidenceId: evidence.id, note: 'as asked' }
    return await riskOwner.post(`/v1/conditions/${first?.id}/fulfilment`, met)
  }

  expect(model: Model) {
    model.obligations = model.obligations.toSorted().slice(1)
    model.revision += 3
    return 200
  }
}

/** Evidence of the kind that policy requires, from its risk owner; beside what is there, or in its place. */
export class Attach extends Deed {
  constructor(readonly how: 'beside' | 'in place') {
    super()
  }

  async act(real: Real) {
    const { riskOwner } = real.committee
    const supersedesId = this.how === 'in place' ? real.acceptedIds.at(-1) : undefined
    const piece = { kind: KIND, title: 'Risks', statement: `As of ${crypto.randomUUID()}`, supersedesId }
    const answer = await riskOwner.post(`${place(real)}/evidence`, piece)
    if (answer.status === 201) real.openIds.push(answer.body.id)
    return answer
  }

  expect(model: Model, now: string) {
    const after = this.how === 'in place' ? (model.accepted.at(-1) ?? null) : null
    const isWaiting = model.pieces.some((piece) => piece.after === after && piece.verdict === null)
    if (model.isRetired || (after !== null && isWaiting)) return 409
    model.pieces.push({ givenAt: now, verdict: null, after })
    model.revision += 1
    return 201
  }
}

/** Somebody else judges the last piece that waits. */
export class Judge extends Deed {
  constructor(readonly verdict: 'accepted' | 'refused') {
    super()
  }

  override check({ pieces }: Model) {
    return pieces.some(({ verdict }) => verdict === null)
  }

  async act(real: Real) {
    const id = real.openIds.at(-1)
    const judgement = { verdict: this.verdict, note: 'read it' }
    const answer = await real.committee.seats.security.post(`/v1/evidence/${id}/verdict`, judgement)
    if (answer.status === 201) {
      real.openIds.pop()
      if (this.verdict === 'accepted') real.acceptedIds.push(String(id))
    }
    return answer
  }

  expect(model: Model) {
    const piece = model.pieces.findLast(({ verdict }) => verdict === null)
    if (model.isRetired || !piece) return 409
    piece.verdict = this.verdict
    if (this.verdict === 'accepted') model.accepted.push(model.pieces.indexOf(piece))
    model.revision += 1
    return 201
  }
}

export class Suspend extends Deed {
  constructor(readonly by: 'order' | 'incident') {
    super()
  }

  async act(real: Real) {
    const { riskOwner, clock } = real.committee
    if (this.by === 'order') return await riskOwner.post(`${place(real)}/suspensions`, { reason: 'wrong' })
    return await riskOwner.post(`${place(real)}/incidents`, {
      ...{ title: 'Wrong letters', description: 'Ten of them', severity: 'critical', occurredAt: clock.at },
    })
  }

  expect(model: Model) {
    const { isRetired, suspensions } = model
    if (this.by === 'order' && (isRetired || suspensions.includes('order'))) return 409
    model.revision += 1
    if (!isRetired) suspensions.push(this.by)
    return 201
  }
}

export class CloseIncident extends Deed {
  override check({ suspensions }: Model) {
    return suspensions.includes('incident')
  }

  async act(real: Real) {
    const { riskOwner } = real.committee
    const { body } = await riskOwner.get(`${place(real)}/incidents`)
    const open = body.items
      .filter(({ closing }: { closing: unknown }) => closing === null)
      .sort((a: { ordinal: number }, b: { ordinal: number }) => a.ordinal - b.ordinal)
    return await riskOwner.post(`/v1/incidents/${open[0]?.id}/closing`, { learned: 'Read them first' })
  }

  expect(model: Model) {
    model.suspensions[model.suspensions.indexOf('incident')] = 'closed incident'
    model.revision += 1
    return 200
  }
}

/** Somebody else lifts what was ordered first. */
export class Lift extends Deed {
  override check({ suspensions }: Model) {
    return suspensions.length > 0
  }

  async act(real: Real) {
    const { seats } = real.committee
    const { body } = await seats.security.get(`${place(real)}/suspensions`)
    const inForce = body.items
      .filter(({ lifting }: { lifting: unknown }) => lifting === null)
      .sort((a: { suspendedAt: string; id: string }, b: typeof a) =>
        `${a.suspendedAt}${a.id}` < `${b.suspendedAt}${b.id}` ? -1 : 1,
      )
    return await seats.security.post(`/v1/suspensions/${inForce[0]?.id}/lifting`, { reason: 'mended' })
  }

  expect(model: Model) {
    if (model.isRetired || model.suspensions[0] === 'incident') return 409
    model.suspensions.shift()
    model.revision += 1
    return 200
  }
}

export class BreakGlass extends Deed {
  async act(real: Real) {
    const opening = { environment: 'production', reason: 'the portal is down', hours: HOURS }
    return await real.committee.riskOwner.post(`${place(real)}/break-glass`, opening)
  }

  expect(model: Model, now: string) {
    const { look } = gateOf(model, now)
    const canOpen = ['unreviewed', 'in_review', 'lapsed'].includes(standingOf(model, now).standing)
    // open still, or by the same person, and reviewed by nobody.
    const isOpened = model.brokenUntil !== null
    if (look || !canOpen || isOpened) return 409
    model.brokenUntil = emergencyUntil(now)
    model.revision += 1
    return 201
  }
}

/** Time goes on: some days, or up to the very instant at which something ends, or to just before it. */
export class Wait extends Deed {
  constructor(readonly until: number | `${'' | 'before '}${'expiry' | 'due' | 'stale' | 'excepted'}`) {
    super()
  }

  override check() {
    return true
  }

  async act(real: Real) {
    return await real.committee.riskOwner.get(place(real))
  }

  override async run(model: Model, real: Real): Promise<void> {
    const { clock } = real.committee
    const aim = this.#aim(model, clock.at)
    if (aim > clock.at) clock.at = aim
    await super.run(model, real)
  }

  #aim(model: Model, now: string): string {
    if (typeof this.until === 'number') return addDays(now, this.until)
    const { approval, obligations } = model
    const ends = {
      ...{ expiry: approval?.until, due: obligations.toSorted()[0], stale: staleAt(model) },
      excepted: approval?.exceptedUntil,
    }
    const end = ends[this.until.replace('before ', '') as keyof typeof ends]
    if (!end) return now
    return this.until.startsWith('before') ? new Date(Date.parse(end) - 1).toISOString() : end
  }

  expect() {
    return 200
  }
}
