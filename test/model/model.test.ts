// The life of a use case against a model of it: whatever people do, in whatever order, both agree on what is allowed,
// on how it stands, on what the gate answers, and on what is never true.
import fc from 'fast-check'
import t from 'tap'
import { policyAsking } from '../app.js'
import { register, START, startCommittee } from '../committee.js'
import {
  Attach,
  BreakGlass,
  CloseIncident,
  Judge,
  KIND,
  Lift,
  Meet,
  Raise,
  type Real,
  Retire,
  ReviseMaterial,
  Submit,
  Suspend,
  Vote,
  Wait,
  Withdraw,
  Write,
} from './deeds.js'
import {
  type Choice,
  FRESH_DAYS,
  gateOf,
  isOpen,
  type Model,
  newModel,
  standingOf,
  type Voter,
} from './model.js'

/** More of them with `ASSENT_MODEL_RUNS=2000`; a life takes a second or two. */
const RUNS = Number(process.env.ASSENT_MODEL_RUNS ?? 60)
t.setTimeout(RUNS * 5000 + 60_000)

/** Of some use cases policy requires evidence, and refuses to approve without. */
const requirement = {
  ...{ id: 'RQ-10', when: { channels: ['asked'] }, because: 'Risks are looked at first.' },
  ...{ evidence: { kind: KIND, freshForDays: FRESH_DAYS }, ifMissing: 'refuse' },
  exception: { longestDays: 90 },
}
const committee = await startCommittee(t, {}, policyAsking(requirement))
const { clock, owner, riskOwner } = committee
/** Holds the seat for legal, and also writes. */
const writer = await committee.inUnit('Wes', 'business_owner', 'committee_member', 'seat:legal')
const deputy = await committee.member('Rex', 'risk')
const members: Record<Voter, typeof writer> = { ...committee.seats, legal: writer, deputy }

interface Rows {
  head: { revision: number; version: number; last: number }
  versions: number[]
  states: number[]
  events: number[]
  rounds: number[]
  decisions: number
  /**
   * Rounds with two decisions, counted votes of people who were excluded or not seated, and approvals without what was
   * required: there are none.
   */
  wrong: number
}

async function rowsOf(id: string): Promise<Rows> {
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
          where d.use_case_id = $1 and p.part is distinct from 'elector') +
        (select count(*) from decision d join use_case c on c.id = d.use_case_id
          where c.id = $1 and d.outcome like 'approved%' and 'asked' = any(c.channels)
            and not d.required @> '[{"taken": "excepted"}]' and not exists (
              select from evidence e join evidence_verdict y on y.evidence_id = e.id and y.verdict = 'accepted'
              where e.use_case_id = c.id and e.kind = $2 and y.given_at <= d.decided_at
                and e.given_at + make_interval(days => $3) > d.decided_at))) as rows`,
    [id, KIND, FRESH_DAYS],
  )
  const [row] = rows
  if (!row) throw new Error('nothing came back')
  return row.rows
}

const place = (id: string) => `/v1/use-cases/${id}`

async function foundOf(id: string) {
  const { standing, reasons, openReviewId } = (await riskOwner.get(place(id))).body.standing
  const question = { useCase: id, environment: 'production' }
  const look = await riskOwner.get(`/v1/gate?useCase=${id}&environment=production`)
  const emergency = await riskOwner.post('/v1/gate/answers', { ...question, acceptBreakGlass: true })
  return {
    ...{ standing, reasons: reasons.toSorted(), isOpen: openReviewId !== null },
    gate: { look: look.status < 300, emergency: emergency.status < 300 },
  }
}

function assertAgreed(model: Model, found: object & { head: Rows['head'] }, deed: string): void {
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
  const { revision, version, rounds, decisions } = model
  const expected = {
    head: { revision, version, last: found.head.last },
    versions: upTo(version),
    states: upTo(revision),
    events: upTo(found.head.last),
    rounds: upTo(rounds.length),
    decisions,
    wrong: 0,
    ...standingOf(model, clock.at),
    isOpen: isOpen(model),
    gate: gateOf(model, clock.at),
  }
  for (const [name, value] of Object.entries(expected)) {
    const actual = JSON.stringify(Reflect.get(found, name))
    if (actual !== JSON.stringify(value))
      throw new Error(`after ${deed} ${name} is ${actual}, not ${JSON.stringify(value)}`)
  }
}

/** What a refused deed must leave as it was. */
async function agreeing(id: string): Promise<Real['agrees']> {
  let before = JSON.stringify(await rowsOf(id))
  return async (model, status, deed) => {
    const rows = await rowsOf(id)
    const after = JSON.stringify(rows)
    if (status >= 400 && after !== before) throw new Error(`${deed} was refused and changed something`)
    before = after
    assertAgreed(model, { ...rows, ...(await foundOf(id)) }, deed)
  }
}

const voter = fc.constantFrom<Voter>('risk', 'business', 'legal', 'security', 'compliance', 'deputy')
const choice = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Choice>('approve') },
  { weight: 3, arbitrary: fc.constant<Choice>('approve_with_conditions') },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Choice | 'recuse'>('block', 'request_changes', 'abstain', 'recuse'),
  },
)
const vote = fc.tuple(voter, choice).map(([who, what]) => new Vote(who, what))
const until = fc.oneof(
  fc.integer({ min: 1, max: 400 }),
  fc.constantFrom('expiry', 'before expiry', 'due', 'before due'),
  fc.constantFrom('stale', 'before stale', 'excepted', 'before excepted'),
)
const deeds = [
  ...[vote, vote, vote, vote],
  ...[
    new Submit(),
    new Submit('lowers'),
    new Submit('waives'),
    new Submit('supersedes'),
    new Submit('excepts'),
  ],
  ...[
    new Attach('beside'),
    new Attach('in place'),
    new Judge('accepted'),
    new Judge('accepted'),
    new Judge('refused'),
  ],
  ...[new Withdraw(), new ReviseMaterial(), new ReviseMaterial(), new Write(), new Raise(), new Retire()],
  ...[new Meet(), new Suspend('order'), new Suspend('incident'), new CloseIncident(), new Lift()],
  ...[new BreakGlass(), until.map((when) => new Wait(when as Wait['until']))],
].map((deed) => (deed instanceof fc.Arbitrary ? deed : fc.constant(deed)))

/** What most lives begin with: by chance alone few would get as far as an approval. */
const votes = [new Vote('business', 'approve_with_conditions'), new Vote('risk', 'approve')]
const approval = [new Attach('beside'), new Judge('accepted'), new Submit(), ...votes]
const exception = [new Submit('excepts'), ...votes]

t.test(
  'R-01, R-37, R-70, R-102: whatever people do, the use case, its model and the gate agree',
  async (t) => {
    const reached = new Set<string>()
    const begin = async (isAsked: boolean) => {
      clock.at = START
      const { id } = await register(committee, { channels: [isAsked ? 'asked' : 'other'] })
      const ids = { id, reviewId: '', openIds: [], acceptedIds: [] }
      const real: Real = { committee, members, ...ids, agrees: await agreeing(id) }
      return { model: newModel(isAsked), real }
    }
    const anything = fc.commands(deeds, { maxCommands: 25, size: 'max' })
    const lives = fc.asyncProperty(fc.integer({ min: 0, max: 4 }), anything, async (luck, commands) => {
      const life = await begin(luck !== 1)
      const first = luck === 2 ? exception : approval
      if (luck > 0) for (const deed of first) await deed.run(life.model, life.real)
      await fc.asyncModelRun(() => life, commands)
      const { standing, reasons } = standingOf(life.model, clock.at)
      for (const word of [standing, ...reasons]) reached.add(word)
    })
    await fc.assert(lives, { numRuns: RUNS })
    t.ok(reached.size >= 5, 'lives ended in many ways, each as its model did')
    t.comment(`${RUNS} lives ended as: ${[...reached].join(', ')}`)
  },
)
