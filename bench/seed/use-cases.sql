-- Use cases :first to :last, with their history. Of ten, four are approved, one is blocked, five were never reviewed.

create temp table draft on commit drop as
select
  g as number,
  pg_temp.id_of('use_case', g) as id,
  timestamptz '2024-01-01' + g * interval '1 minute' as created_at,
  timestamptz '2024-01-08' + g * interval '1 minute' as decided_at,
  case when g % 10 < 4 then 'approved' when g % 10 = 4 then 'blocked' end as outcome,
  initcap(s.subject) || ' ' || s.deed || ' for ' || s.line || ' in ' || s.place || ', ' || g as title,
  'People in ' || s.place || ' wait too long for ' || s.subject || '. It helps whoever works on ' || s.line || ' to '
    || s.deed || ' sooner, and names the sources it used.' as purpose,
  'Shorter waits in ' || s.line || ' and fewer errors.' as benefits,
  'A draft with its sources, which a person reads before it leaves the house.' as outputs,
  pg_temp.id_of('unit', 10 + g % 20) as org_unit_id,
  pg_temp.one_of('{idea,pre_deployment,pilot,deployed}', g / 7) as stage,
  array[pg_temp.id_of('system', 1 + g % 50), pg_temp.id_of('system', 1 + (g + 17) % 50)] as system_ids,
  pg_temp.id_of('person', 1 + g % 200) as business_owner_id,
  pg_temp.id_of('person', 201 + g % 100) as risk_owner_id,
  array['line-' || g % 5, 'wave-' || g % 97] as tags,
  v.*
from generate_series(:first::bigint, :last::bigint) g
cross join lateral (select
  pg_temp.one_of('{claims,policy,renewal,complaint,broker,payment,inspection,medical,fraud,subrogation}', g) as subject,
  pg_temp.one_of('{triage,summaries,drafting,search,scoring,translation,forecasts}', g) as deed,
  pg_temp.one_of('{motor,property,marine,travel,health,life,liability,cyber,pets,farms,fleet}', g) as line,
  pg_temp.one_of('{Ohio,Texas,Bavaria,Ontario,Kent,Lyon,Porto,Turin,Cork,Utah,Maine,Kyoto,Lima}', g) as place) s
join variant v on v.n = g % 4;

insert into use_case (id, number, revision, last_event_no, last_event_at, created_at, updated_at, origin, version,
  title, purpose, benefits, outputs, org_unit_id, jurisdictions, channels, stage, technique, system_ids, answers,
  business_owner_id, risk_owner_id, tags, author_ids, computed_tier, fired, policy_digest,
  last_outcome, approval_id, approved_tier, material_facts, material_digest, valid_until, block_id)
select id, number, case when outcome is null then 1 else 2 end, case when outcome is null then 1 else 2 end,
  case when outcome is null then created_at else decided_at end, created_at,
  case when outcome is null then created_at else decided_at end, 'declared', 1,
  title, purpose, benefits, outputs, org_unit_id, jurisdictions, channels, stage, technique, system_ids, answers,
  business_owner_id, risk_owner_id, tags, array[business_owner_id], tier, fired, :policy, outcome,
  case when outcome = 'approved' then pg_temp.id_of('decision', number) end,
  case when outcome = 'approved' then tier end, case when outcome = 'approved' then array['purpose', 'answers'] end,
  case when outcome = 'approved' then :policy end, case when outcome = 'approved' then timestamptz '2099-01-01' end,
  case when outcome = 'blocked' then pg_temp.id_of('decision', number) end
from draft;

insert into use_case_version (use_case_id, version, recorded_at, author_id, reason, facts, computed_tier, fired, policy_digest)
select id, 1, created_at, business_owner_id, 'registered', jsonb_build_object('title', title, 'purpose', purpose,
  'benefits', benefits, 'outputs', outputs, 'orgUnitId', org_unit_id, 'jurisdictions', jurisdictions,
  'channels', channels, 'stage', stage, 'technique', technique, 'systemIds', system_ids, 'answers', answers,
  'businessOwnerId', business_owner_id, 'riskOwnerId', risk_owner_id, 'tags', tags), tier, fired, :policy
from draft;

insert into use_case_state (use_case_id, revision, recorded_at, version)
select id, 1, created_at, 1 from draft;

insert into review (id, use_case_id, round, version, tier, lane, policy_digest, submitted_by, note, opened_at, due_at,
  closed_at, outcome, closing_reason)
select pg_temp.id_of('review', number), id, 1, 1, tier, '{"id": "minimal"}', :policy, business_owner_id, '', created_at,
  decided_at, decided_at, outcome, 'the votes decided it'
from draft where outcome is not null;

insert into decision (id, use_case_id, review_id, outcome, reason, version, tier, lane_id, valid_until, material_facts,
  material_digest, policy_digest, votes, evidence, decided_at)
select pg_temp.id_of('decision', number), id, pg_temp.id_of('review', number), outcome, 'the votes decided it', 1, tier,
  'minimal', case when outcome = 'approved' then timestamptz '2099-01-01' end, array['purpose', 'answers'], :policy, :policy,
  jsonb_build_array(jsonb_build_object('seat', 'risk', 'choice', 'approve', 'rationale', 'The risks are known and small.')),
  '[]', decided_at
from draft where outcome is not null;

insert into use_case_state (use_case_id, revision, recorded_at, version, last_outcome, approval_id, approved_tier,
  valid_until, block_id)
select id, 2, decided_at, 1, outcome, case when outcome = 'approved' then pg_temp.id_of('decision', number) end,
  case when outcome = 'approved' then tier end, case when outcome = 'approved' then timestamptz '2099-01-01' end,
  case when outcome = 'blocked' then pg_temp.id_of('decision', number) end
from draft where outcome is not null;

-- Leaves of the size that real ones have; nothing reads them here.
with event as (
  select pg_temp.id_of('event', 2 * number) as event_id, id, 1 as no, 'use_case.registered' as type, created_at as at,
    business_owner_id as actor, facts_of.sealed
  from draft cross join lateral (select jsonb_build_object('facts', jsonb_build_object('salt', 'c2FsdA', 'value',
    jsonb_build_object('title', title, 'purpose', purpose, 'outputs', outputs))) as sealed) facts_of
  union all
  select pg_temp.id_of('event', 2 * number + 1), id, 2, 'decision.made', decided_at, business_owner_id,
    jsonb_build_object('reason', jsonb_build_object('salt', 'c2FsdA', 'value', 'the votes decided it'))
  from draft where outcome is not null
), noted as (
  insert into audit_event (id, aggregate_kind, aggregate_id, event_no, type, actor_id, recorded_at, leaf)
  select event_id, 'use_case', id, no, type, actor, at, convert_to(jsonb_build_object('v', 1, 'id', event_id, 'type', type,
    'at', at, 'aggregate', id, 'no', no, 'actor', actor, 'policy', :policy, 'factsDigest', :policy)::text, 'UTF8')
  from event
)
insert into audit_payload (event_id, sealed) select event_id, sealed from event;
