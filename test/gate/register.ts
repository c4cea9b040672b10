import { v7 as newId } from 'uuid'
import { ASSENT_ID, ROOT_UNIT_ID } from '../../src/ids.js'
import type { TestApp } from '../app.js'

/** How a use case stands, by the columns of its head that differ from one that was never reviewed. */
export interface Head {
  [column: string]: unknown
  environments?: string[] | null
  /** What the approval is limited to. */
  limits?: { on: string; values: string[] }[]
  unitId?: string
}

export const APPROVED_UNTIL = '2026-12-01T00:00:00.000Z'

/** Marks a head as approved; the decision is made beside it. */
export const approved = {
  approval_id: 'decision',
  approved_tier: 'limited',
  last_outcome: 'approved',
  valid_until: APPROVED_UNTIL,
}

/** With conditions, and perhaps with limits. */
export const conditional = {
  ...approved,
  last_outcome: 'approved_with_conditions',
  has_conditions: true,
}

/** Puts a use case into the register as it stands after its reviews. */
export async function registered({ owner }: TestApp, head: Head = {}): Promise<{ id: string; key: string }> {
  const { environments = null, limits = [], unitId = ROOT_UNIT_ID, ...standing } = head
  const id = newId()
  const { rows } = await owner.query(
    `insert into use_case (id, created_at, updated_at, origin, version, title, purpose, benefits, outputs,
        org_unit_id, jurisdictions, channels, stage, system_ids, answers, tags, author_ids, computed_tier, fired,
        policy_digest)
      values ($1, '2026-01-01', '2026-01-01', 'declared', 3, 'Claims triage', 'Sorts claims', '', '',
        $2, '{}', '{}', 'pilot', '{}', '{}', '{}', '{}', 'limited', '[]', 'sha256:0')
      returning number`,
    [id, unitId],
  )
  await owner.query(
    `insert into use_case_version (use_case_id, version, recorded_at, author_id, reason, facts, computed_tier, fired,
        policy_digest)
      values ($1, 3, '2026-01-01', $2, 'registered', '{}', 'limited', '[]', 'sha256:0')`,
    [id, ASSENT_ID],
  )
  const isDecided = standing.approval_id === 'decision'
  const decisionId = isDecided ? await decide({ owner }, id, { environments, limits }) : null
  for (const [column, value] of Object.entries(standing)) {
    const stored = value === 'decision' ? decisionId : value
    await owner.query(`update use_case set ${column} = $2 where id = $1`, [id, stored])
  }
  return { id, key: `UC-${rows[0].number}` }
}

async function decide(
  { owner }: Pick<TestApp, 'owner'>,
  useCaseId: string,
  { environments, limits }: Required<Pick<Head, 'environments' | 'limits'>>,
): Promise<string> {
  const [reviewId, decisionId] = [newId(), newId()]
  await owner.query(
    `insert into review (id, use_case_id, round, version, tier, lane, policy_digest, submitted_by, note, opened_at,
        due_at, closed_at, outcome, closing_reason)
      values ($1, $2, 1, 3, 'limited', '{}', 'sha256:0', $3, '', '2026-01-02', '2026-01-09', '2026-01-03',
        'approved', 'quorum')`,
    [reviewId, useCaseId, ASSENT_ID],
  )
  await owner.query(
    `insert into decision (id, use_case_id, review_id, outcome, reason, version, tier, lane_id, environments,
        valid_until, material_facts, material_digest, policy_digest, votes, evidence, limits,
        decided_at)
      values ($1, $2, $3, 'approved', 'quorum', 3, 'limited', 'standard', $4, $5, '{}', 'sha256:0', 'sha256:0',
        '[]', '[]', $6, '2026-01-03')`,
    [decisionId, useCaseId, reviewId, environments, APPROVED_UNTIL, JSON.stringify(limits)],
  )
  return decisionId
}
