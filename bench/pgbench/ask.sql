-- The statements of POST /v1/gate/answers, for one of the approved use cases.
\set number random(0, :size / 10 - 1) * 10 + 1
begin;
select c.id, c.number, c.version, c.org_unit_id, c.business_owner_id, c.risk_owner_id, c.computed_tier, c.raised_tier,
  c.lowered_tier, c.has_conditions, c.next_due_at, c.before_deploy_open, c.suspended_at, c.break_glass_until,
  c.open_review_id, c.last_outcome, c.approval_id, c.approved_tier,
  case when c.valid_until is not null then least(c.valid_until, d.valid_until) end, c.first_material_change_at,
  c.tier_raised_at, c.block_id, c.retired_at, c.policy_digest, d.id as approval_found, d.environments, d.limits,
  c.jurisdictions, c.channels, uuidv7() as answer
from use_case c
left join decision d on d.id = c.approval_id and d.use_case_id = c.id and d.outcome in ('approved', 'approved_with_conditions')
where c.number = :number \gset
insert into gate_answer (id, asked_by, asked_at, question, use_case_id, environment, decision, enforced, would_be, reasons,
  version, standing, valid_until, policy_digest, idempotency_key, request_digest, ordinal, break_glass_id, last_event_no,
  last_event_at)
values (:answer, :asker, now(), '{"context": {}, "useCase": "UC-250", "artifacts": [], "environment": "production",
  "acceptBreakGlass": false}', :id, 'production', 'allow', true, 'allow',
  '[{"code": "cleared", "sentence": "UC-250 is approved and may go to production"}]', :version, 'cleared',
  now() + interval '15 minutes', :policy_digest, null, null, null, null, 1, now());
select from person where id = :asker and last_event_no = 0;
-- audit
with events as (
  insert into audit_event (id, aggregate_kind, aggregate_id, event_no, type, actor_id, recorded_at, leaf)
  select id, kind, aggregate, no, type, :asker, now(), leaf
  from unnest(array[uuidv7()], array['gate_answer'], array[:answer]::uuid[], array[1], array['gate.answered'],
    array[convert_to(repeat('a leaf of the size that real ones have ', 15), 'UTF8')])
    as e (id, kind, aggregate, no, type, leaf) returning id
)
insert into audit_payload (event_id, sealed)
select id, '{"question": {"salt": "o1_Czm8sSGU2JeZsNAPLMA", "value": {"context": {}, "useCase": "UC-250", "artifacts": [],
  "environment": "production", "acceptBreakGlass": false}}}'::jsonb
from events;
-- end
commit;
