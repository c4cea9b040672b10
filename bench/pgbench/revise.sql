-- The statements of PATCH /v1/use-cases/{id}, on use cases that were never reviewed.
\set number random(0, :size / 10 - 1) * 10 + 5
begin;
select id, number, revision, last_event_no, last_event_at, created_at, updated_at, origin, version, title, purpose, benefits,
  outputs, org_unit_id, jurisdictions, channels, stage, technique, system_ids, answers, business_owner_id, risk_owner_id,
  tags, author_ids, computed_tier, raised_tier, fired, policy_digest, open_material_facts, material_facts,
  material_digest, open_review_id, last_outcome, approval_id, approved_tier, valid_until, first_material_change_at,
  tier_raised_at, block_id, retired_at
from use_case where number = :number for update \gset
select count(*) as count from org_unit where id = :org_unit_id;
select id from system where id = any(:system_ids);
select id from person where id in (:business_owner_id, :risk_owner_id) and kind = 'human' and status <> 'left';
insert into use_case_version (use_case_id, version, recorded_at, author_id, reason, facts, computed_tier, fired, policy_digest)
values (:id, :version::int + 1, now(), :business_owner_id, 'measured', '{"title": "Inspection translation for marine in Kent, 4996",
  "purpose": "People in Kent wait too long for inspection. It helps whoever works on marine to translation sooner, and names the sources it used.",
  "benefits": "Fewer errors, as seen in run 4711", "outputs": "A draft with its sources, which a person reads before it leaves the house.",
  "tags": ["line-1", "wave-49"], "stage": "pre_deployment", "answers": {"affected": "nobody", "autonomy": "human_in_loop",
  "decision_role": "none", "personal_data": "none", "annex_iii_area": "none", "customer_facing": "no", "omb_high_impact": "no",
  "vulnerable_people": "no", "regulated_language": "no", "prohibited_practice": "none"}, "channels": ["web", "phone"],
  "orgUnitId": "01900001-0000-7000-8000-00000000001a", "systemIds": ["01900004-0000-7000-8000-00000000002f"],
  "technique": "generative", "riskOwnerId": "01900002-0000-7000-8000-000000000129", "jurisdictions": ["US-NY", "EU"],
  "businessOwnerId": "01900002-0000-7000-8000-0000000000c5"}', :computed_tier, :fired, :policy_digest);
update use_case set revision = :revision::int + 1, updated_at = now(), version = :version::int + 1, title = :title,
  purpose = :purpose, benefits = 'Fewer errors, as seen in run 4711', outputs = :outputs, org_unit_id = :org_unit_id,
  jurisdictions = :jurisdictions, channels = :channels, stage = :stage, technique = 'generative', system_ids = :system_ids,
  answers = :answers, business_owner_id = :business_owner_id, risk_owner_id = :risk_owner_id, tags = :tags,
  author_ids = :author_ids, computed_tier = :computed_tier, fired = :fired, policy_digest = :policy_digest
where id = :id and revision = :revision
returning id, number, revision, last_event_no, last_event_at, created_at, updated_at, origin, version, title, purpose,
  benefits, outputs, org_unit_id, jurisdictions, channels, stage, technique, system_ids, answers, business_owner_id,
  risk_owner_id, tags, author_ids, computed_tier, raised_tier, fired, policy_digest, open_material_facts, material_facts,
  material_digest, open_review_id, last_outcome, approval_id, approved_tier, valid_until, first_material_change_at,
  tier_raised_at, block_id, retired_at;
insert into use_case_state (use_case_id, revision, recorded_at, version, raised_tier, open_review_id, last_outcome,
  approval_id, approved_tier, valid_until, first_material_change_at, tier_raised_at, block_id, retired_at)
values (:id, :revision::int + 1, now(), :version::int + 1, null, null, null, null, null, null, null, null, null, null);
select from person where id = :business_owner_id and last_event_no = 0;
-- audit
update use_case as a set last_event_no = h.last, last_event_at = now()
from unnest(array[:id]::uuid[], array[:last_event_no]::int[], array[:last_event_no::int + 1]) as h (id, before, last)
where a.id = h.id and a.last_event_no = h.before;
with events as (
  insert into audit_event (id, aggregate_kind, aggregate_id, event_no, type, actor_id, recorded_at, leaf)
  select id, kind, aggregate, no, type, :business_owner_id, now(), leaf
  from unnest(array[uuidv7()], array['use_case'], array[:id]::uuid[], array[:last_event_no::int + 1], array['use_case.revised'],
    array[convert_to(repeat('a leaf of the size that real ones have ', 21), 'UTF8')])
    as e (id, kind, aggregate, no, type, leaf) returning id
)
insert into audit_payload (event_id, sealed)
select id, '{"facts": {"salt": "zN-qDoNJbW6O4Hob9qikzw", "value": {"title": "Inspection translation for marine in Kent, 4996",
  "purpose": "People in Kent wait too long for inspection. It helps whoever works on marine to translation sooner, and names the sources it used.",
  "outputs": "A draft with its sources, which a person reads before it leaves the house.", "tags": ["line-1", "wave-49"],
  "answers": {"affected": "nobody", "autonomy": "human_in_loop", "decision_role": "none", "personal_data": "none",
  "annex_iii_area": "none", "customer_facing": "no", "omb_high_impact": "no", "vulnerable_people": "no"}}},
  "reason": {"salt": "RWJompoTl9dHaz_s9x4QGQ", "value": "measured"}}'::jsonb
from events;
-- end
commit;
