/** Named, so that PostgreSQL plans each once for a connection. */
export interface Statement {
  name: string
  text: string
}

export const pointStatement: Statement = {
  name: 'point',
  text: 'select id, title, stage, version from use_case where number = $1',
}

/** All that the API shows of one use case. */
export const wholeStatement: Statement = {
  name: 'whole',
  text: `select id, number, revision, version, origin, title, purpose, benefits, outputs, org_unit_id, jurisdictions, channels,
    stage, technique, system_ids, answers, business_owner_id, risk_owner_id, tags, computed_tier, raised_tier, fired,
    policy_digest, open_review_id, last_outcome, approval_id, approved_tier, valid_until, first_material_change_at,
    tier_raised_at, block_id, retired_at, created_at, updated_at
    from use_case where id = $1`,
}

/** A page of the list as it is sorted by default. Values: now, the last row's `updated_at` and id, and how many. */
export const pageStatement: Statement = {
  name: 'page',
  text: `select id, number, revision, title, org_unit_id, stage, technique, origin,
      case when 'prohibited' in (computed_tier, raised_tier) then 'prohibited'
        when 'high' in (computed_tier, raised_tier) then 'high'
        when 'limited' in (computed_tier, raised_tier) then 'limited'
        when 'minimal' in (computed_tier, raised_tier) then 'minimal' end as tier,
      case when retired_at is not null then 'retired' when block_id is not null then 'blocked'
        when approval_id is not null and (valid_until <= $1 or first_material_change_at is not null
          or tier_raised_at is not null) then 'lapsed'
        when approval_id is not null then 'cleared' when open_review_id is not null then 'in_review'
        else 'unreviewed' end as standing,
      case when retired_at is not null or block_id is not null then '{}'
        when approval_id is not null then array_remove(array[case when valid_until <= $1 then 'expired' end,
          case when first_material_change_at is not null then 'material_change' end,
          case when tier_raised_at is not null then 'tier_raised' end], null)
        when open_review_id is null and last_outcome = 'changes_requested' then array['changes_requested']
        else '{}'::text[] end as reasons,
      valid_until, business_owner_id, risk_owner_id, tags, updated_at
    from use_case where (updated_at, id) < ($2, $3) order by updated_at desc, id desc limit $4`,
}
