// What the database holds against the service itself: each is tried as assent_app, past all code.
import t from 'tap'
import { newId } from '../../src/ids.js'
import { approved, standing, startCommittee } from '../committee.js'
import { openClient } from '../database-run.js'
import { everyRow } from '../unchanged.js'
import { approvedWith, fulfil, give, onlyInEurope, report } from './world.js'

const committee = await startCommittee(t)
const { owner, riskOwner, clock, connections } = committee
const attacker = await openClient(connections.appConnection)
t.teardown(async () => await attacker.end())

const { id, conditionIds } = await approvedWith(committee, [
  report,
  { ...report, text: 'And another.' },
  onlyInEurope,
])
const [conditionId = '', metId = '', limitId = ''] = conditionIds
const { decisionId } = await standing(committee, id)
await fulfil(riskOwner, metId, await give(committee, id))
const [unjudged, refused, accepted] = [
  await give(committee, id, {}, 'none'),
  await give(committee, id, {}, 'refused'),
  await give(committee, id),
]

const end = (ending: {
  state?: string
  evidence?: string
  verdict?: string
  decision?: string
  of?: string
}) =>
  attacker.query(
    `insert into condition_ending (condition_id, state, ended_by, ended_at, note, evidence_id, verdict, decision_id)
      values ($1, $2, $3, $4, 'done', $5, $6, $7)`,
    [
      ...[ending.of ?? conditionId, ending.state ?? 'met', riskOwner.id, clock.at],
      ...[ending.evidence ?? null, ending.verdict ?? null, ending.decision ?? null],
    ],
  )

const attacks: [
  attack: string,
  attempt: () => Promise<unknown>,
  refused: { code: string; constraint?: string },
][] = [
  [
    'R-80: a condition is never left met by evidence that nobody judged',
    () => end({ evidence: unjudged, verdict: 'accepted' }),
    { code: '23503', constraint: 'condition_ending_evidence_id_verdict_fkey' },
  ],
  [
    'R-80: a condition is never left met by evidence that was refused',
    () => end({ evidence: refused, verdict: 'accepted' }),
    { code: '23503', constraint: 'condition_ending_evidence_id_verdict_fkey' },
  ],
  [
    'R-80: a condition is never left met by evidence that was refused, and said so',
    () => end({ evidence: refused, verdict: 'refused' }),
    { code: '23514' },
  ],
  ['R-80: a condition is never left met by no evidence', () => end({}), { code: '23514' }],
  [
    'R-80: a condition is never left met by evidence without a verdict',
    () => end({ evidence: accepted }),
    { code: '23514' },
  ],
  [
    'R-80: a condition is never left met by evidence that is none',
    () => end({ evidence: newId(), verdict: 'accepted' }),
    { code: '23503' },
  ],
  [
    'R-80: a condition is never left waived without a decision',
    () => end({ state: 'waived' }),
    { code: '23514' },
  ],
  [
    'R-80: a condition is never left waived by no decision there is',
    () => end({ state: 'waived', decision: newId() }),
    { code: '23503' },
  ],
  [
    'R-83: a condition is never left ended without a decision',
    () => end({ state: 'ended' }),
    { code: '23514' },
  ],
  [
    'R-80: a condition is never left both met and waived',
    () => end({ evidence: accepted, verdict: 'accepted', decision: decisionId }),
    { code: '23514' },
  ],
  [
    'R-80: a condition is never left met a second time',
    () => end({ of: metId, evidence: accepted, verdict: 'accepted' }),
    { code: '23505', constraint: 'condition_ending_pkey' },
  ],
  ...['text', 'due_at', 'satisfied_by', 'before_deploy', 'limit_values', 'decision_id'].map(
    (column): [string, () => Promise<unknown>, { code: string }] => [
      `R-50: a condition is never left with another ${column} after the decision`,
      () => attacker.query(`update condition set ${column} = ${column} where id = $1`, [conditionId]),
      { code: '42501' },
    ],
  ),
  [
    'R-02: no condition is deleted',
    () => attacker.query('delete from condition where id = $1', [conditionId]),
    { code: '42501' },
  ],
  ['R-02: no ending is deleted', () => attacker.query('delete from condition_ending'), { code: '42501' }],
  [
    'R-50: no ending is changed',
    () => attacker.query(`update condition_ending set note = 'x'`),
    { code: '42501' },
  ],
  [
    'R-46: a condition is never left owned by nobody',
    () => attacker.query('update condition set owner_id = null where id = $1', [conditionId]),
    { code: '23514' },
  ],
  [
    'no limit has an owner',
    () => attacker.query('update condition set owner_id = $2 where id = $1', [limitId, riskOwner.id]),
    { code: '23514' },
  ],
]

for (const [attack, attempt, expected] of attacks) {
  t.test(attack, async (t) => {
    const before = await everyRow(owner)
    await t.rejects(attempt(), expected)
    t.same(await everyRow(owner), before, 'nothing changed')
  })
}

t.test('R-80: nobody accepts their own evidence, so nothing is met by one person alone', async (t) => {
  const verdict = `insert into evidence_verdict (evidence_id, attached_by, given_by, verdict, note, given_at)
    values ($1, $2, $2, 'accepted', 'mine', $3)`
  await t.rejects(attacker.query(verdict, [unjudged, riskOwner.id, clock.at]), { code: '23514' })
})

t.test('an obligation is due once, in one way', async (t) => {
  const { standing } = await approved(committee, { title: 'One more' })
  const row = { use_case_id: id, decision_id: standing.decisionId, text: 'x', imposed_at: clock.at }
  const common = {
    ...row,
    type: 'obligation',
    owner_id: riskOwner.id,
    satisfied_by: 'other',
    before_deploy: false,
  }
  const insert = (values: object) =>
    attacker.query('insert into condition select * from json_populate_record(null::condition, $1)', [
      JSON.stringify({ id: newId(), ordinal: 100, asks: [], ...values }),
    ])
  const before = await everyRow(owner)
  await t.rejects(insert(common), { code: '23514' }, 'never')
  await t.rejects(insert({ ...common, due_at: clock.at, before_deploy: true }), { code: '23514' }, 'twice')
  const limit = { ...row, type: 'limit', before_deploy: false, limit_on: 'channel', limit_values: ['phone'] }
  await t.rejects(insert({ ...limit, due_at: clock.at }), { code: '23514' }, 'a limit with a date')
  await t.rejects(insert({ ...limit, satisfied_by: 'other' }), { code: '23514' }, 'a limit that could be met')
  const required = { ...common, before_deploy: true, requirement: 'RQ-10' }
  await t.rejects(insert(required), { code: '23514' }, 'for a requirement that asks for nothing')
  t.same(await everyRow(owner), before)
})
