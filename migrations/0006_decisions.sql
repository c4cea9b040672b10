-- Decisions that count: stages, conditions, suspension, incidents, delegation, break-glass. What the version before
-- knows nothing of has a default, so that it goes on running beside this one.

alter table use_case
  add column lowered_tier text check (lowered_tier in ('minimal', 'limited', 'high')),
  add column has_conditions boolean not null default false,
  add column next_due_at timestamptz(3),
  add column before_deploy_open boolean not null default false,
  add column suspended_at timestamptz(3),
  add column break_glass_until timestamptz(3),
  drop constraint use_case_last_outcome_check,
  add constraint use_case_last_outcome_check
    check (last_outcome in ('approved', 'approved_with_conditions', 'blocked', 'changes_requested'));

-- The tier that counts; src/db/standing-sql.ts says it in the same words.
create index use_case_tier_in_force on use_case ((
  coalesce(lowered_tier, case when 'prohibited' in (computed_tier, raised_tier) then 'prohibited'
    when 'high' in (computed_tier, raised_tier) then 'high'
    when 'limited' in (computed_tier, raised_tier) then 'limited'
    when 'minimal' in (computed_tier, raised_tier) then 'minimal' end)), updated_at, id);
drop index use_case_tier;
create index use_case_suspended on use_case (updated_at, id) where suspended_at is not null;
create index use_case_valid_until on use_case (valid_until, id) where approval_id is not null;
create index use_case_next_due on use_case (next_due_at, id) where next_due_at is not null;

alter table use_case_state
  add column lowered_tier text,
  add column has_conditions boolean not null default false,
  add column next_due_at timestamptz(3),
  add column before_deploy_open boolean not null default false,
  add column suspended_at timestamptz(3);

alter table review
  add column route text not null default 'full'
    check (route in ('full', 'minor', 'adaptive', 'precedent', 'attestation', 'sample')),
  -- what the submission asks for beside an approval, and what it rests on
  add column lower_tier_to text check (lower_tier_to in ('minimal', 'limited', 'high')),
  add column waives uuid[] not null default '{}',
  add column precedent_id uuid references decision (id),
  add column supersedes_id uuid references decision (id),
  -- the version of the last decision, from which the difference is shown
  add column since_version integer,
  add column overlays jsonb not null default '[]',
  add column imposes text[] not null default '{}',
  drop constraint review_outcome_check,
  add constraint review_outcome_check check (outcome in
    ('approved', 'approved_with_conditions', 'blocked', 'changes_requested', 'withdrawn'));
grant update (due_at) on review to assent_app;
create index review_closed on review (closed_at, id) where closed_at is not null;

create table review_stage (
  review_id uuid not null references review (id),
  stage text not null,
  ordinal integer not null check (ordinal > 0),
  quorum integer not null check (quorum > 0),
  opened_at timestamptz(3),
  due_at timestamptz(3),
  closed_at timestamptz(3),
  passed boolean,
  primary key (review_id, stage),
  unique (review_id, ordinal),
  check ((opened_at is null) = (due_at is null)),
  check ((closed_at is null) = (passed is null)),
  check (closed_at is null or opened_at is not null)
);
create index review_stage_due on review_stage (due_at, review_id) where closed_at is null and due_at is not null;
insert into review_stage
  select r.id, s.place ->> 'id', s.ordinal, (s.place ->> 'quorum')::integer, r.opened_at, r.due_at, r.closed_at,
    case when r.closed_at is not null then r.outcome = 'approved' end
  from review r cross join lateral jsonb_array_elements(r.lane -> 'stages') with ordinality as s (place, ordinal);

-- Service accounts hold no seat. A delegate fills a seat for its holder: both count as seated in the round, and one
-- of them votes.
alter table review_seat
  add column person_kind text not null default 'human' check (person_kind = 'human'),
  add column represents uuid,
  add column represented_by uuid,
  add foreign key (person_id, person_kind) references person (id, kind),
  add foreign key (review_id, seat, represented_by) references review_seat (review_id, seat, person_id),
  add constraint review_seat_of_another check (represents <> person_id and represented_by <> person_id),
  add constraint review_seat_one_way check (represents is null or represented_by is null);
create unique index review_seat_voter on review_seat (review_id, seat)
  where vacated_at is null and represented_by is null;
drop index review_seat_filled;

alter table vote
  add column conditions jsonb not null default '[]',
  add column on_behalf_of uuid,
  add foreign key (review_id, seat, on_behalf_of) references review_seat (review_id, seat, person_id),
  add constraint vote_for_another check (on_behalf_of <> person_id),
  drop constraint vote_choice_check,
  add constraint vote_choice_check check (choice in
    ('approve', 'approve_with_conditions', 'block', 'request_changes', 'abstain', 'recuse')),
  add constraint vote_with_conditions check ((choice = 'approve_with_conditions') = (conditions <> '[]'));

-- Who has left is seated no more, and votes from no seat they had: the app cannot say who is active, only that person
-- row can.
alter table person add constraint person_of_status unique (id, status);
alter table review_seat add column person_status text not null default 'active';
alter table vote add column person_status text not null default 'active';
update review_seat s set person_status = p.status from person p where p.id = s.person_id and p.status <> 'active';
update vote v set person_status = p.status from person p where p.id = v.person_id and p.status <> 'active';
alter table review_seat
  add constraint review_seat_of_status unique (review_id, seat, person_id, person_status),
  add foreign key (person_id, person_status) references person (id, status) on update cascade;
alter table vote add foreign key (review_id, seat, person_id, person_status)
  references review_seat (review_id, seat, person_id, person_status) on update cascade;
create index review_seat_person on review_seat (person_id, person_status);
revoke insert on review_seat, vote from assent_app;
grant insert (review_id, seat, person_id, part, vacated_at, person_kind, represents, represented_by)
  on review_seat to assent_app;
grant insert (id, review_id, seat, person_id, ordinal, choice, rationale, decision_right, cast_at, conditions, on_behalf_of)
  on vote to assent_app;

alter table decision
  add column route text not null default 'full'
    check (route in ('full', 'minor', 'adaptive', 'precedent', 'attestation', 'sample')),
  -- the version that the last full review looked at, which later differences are measured from
  add column basis_version integer,
  add column lowered_tier text check (lowered_tier in ('minimal', 'limited', 'high')),
  add column conditions jsonb not null default '[]',
  add column limits jsonb not null default '[]',
  add column waived uuid[] not null default '{}',
  add column overlays jsonb not null default '[]',
  add column precedent_id uuid references decision (id),
  add column supersedes_id uuid unique references decision (id),
  add column attested_by uuid references person (id),
  add column attestation text,
  add column sampled boolean not null default false,
  add constraint decision_attested check ((attested_by is null) = (attestation is null)),
  add constraint decision_attested_approval check (attested_by is null or outcome = 'approved'),
  add constraint decision_of_another check (supersedes_id <> id and precedent_id <> id),
  drop constraint decision_outcome_check,
  add constraint decision_outcome_check
    check (outcome in ('approved', 'approved_with_conditions', 'blocked', 'changes_requested')),
  drop constraint decision_check,
  add constraint decision_check check ((outcome in ('approved', 'approved_with_conditions')) = (valid_until is not null));
create index decision_decided on decision (decided_at, id);
create index decision_precedent on decision (precedent_id) where precedent_id is not null;

-- An obligation, or a limit. It belongs to the use case and stays in force until it has an ending.
create table condition (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  decision_id uuid not null references decision (id),
  ordinal integer not null check (ordinal > 0),
  type text not null check (type in ('obligation', 'limit')),
  text text not null,
  pattern text,
  owner_id uuid references person (id),
  due_at timestamptz(3),
  before_deploy boolean not null default false,
  satisfied_by text,
  limit_on text check (limit_on in ('environment', 'jurisdiction', 'channel')),
  limit_values text[],
  imposed_at timestamptz(3) not null,
  unique (use_case_id, ordinal),
  check ((type = 'obligation') = (satisfied_by is not null) and (type = 'obligation') = (owner_id is not null)),
  check ((type = 'limit') = (limit_on is not null) and (type = 'limit') = (limit_values is not null)),
  check (num_nonnulls(due_at, nullif(before_deploy, false)) = (type = 'obligation')::integer)
);
create index condition_owner on condition (owner_id, id);

alter table evidence_verdict add constraint evidence_verdict_given unique (evidence_id, verdict);

create table condition_ending (
  condition_id uuid primary key references condition (id),
  state text not null check (state in ('met', 'waived', 'ended')),
  ended_by uuid not null references person (id),
  ended_at timestamptz(3) not null,
  note text not null,
  evidence_id uuid,
  verdict text check (verdict = 'accepted'),
  decision_id uuid references decision (id),
  foreign key (evidence_id, verdict) references evidence_verdict (evidence_id, verdict),
  check ((evidence_id is null) = (verdict is null)),
  check ((state = 'met') = (evidence_id is not null)),
  check ((state = 'met') = (decision_id is null))
);

-- Who votes for whom, and from when until when. It counts from its acceptance by the delegate on, and is never passed on.
create table delegation (
  id uuid primary key,
  from_id uuid not null references person (id),
  to_id uuid not null references person (id),
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  reason text not null,
  created_by uuid not null references person (id),
  created_at timestamptz(3) not null,
  accepted_at timestamptz(3),
  ended_by uuid references person (id),
  ended_at timestamptz(3),
  check (from_id <> to_id),
  check (ends_at > starts_at),
  check (accepted_at >= created_at and accepted_at < ends_at),
  check (accepted_at <= ended_at),
  check ((ended_by is null) = (ended_at is null))
);
create index delegation_from on delegation (from_id, ends_at);
create index delegation_to on delegation (to_id, ends_at);

create table incident (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  ordinal integer not null check (ordinal > 0),
  severity text not null,
  title text not null,
  description text not null,
  occurred_at timestamptz(3) not null,
  reported_by uuid not null references person (id),
  reported_at timestamptz(3) not null,
  closed_by uuid references person (id),
  closed_at timestamptz(3),
  learned text,
  unique (use_case_id, ordinal),
  unique (id, use_case_id),
  check (occurred_at <= reported_at),
  check (num_nonnulls(closed_by, closed_at, learned) in (0, 3))
);
create index incident_reported on incident (reported_at, id);

create table incident_entry (
  incident_id uuid not null references incident (id),
  ordinal integer not null check (ordinal > 0),
  entered_by uuid not null references person (id),
  entered_at timestamptz(3) not null,
  text text not null,
  severity text,
  primary key (incident_id, ordinal)
);

create table suspension (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  incident_id uuid,
  suspended_by uuid not null references person (id),
  suspended_at timestamptz(3) not null,
  reason text not null,
  unique (id, suspended_by),
  foreign key (incident_id, use_case_id) references incident (id, use_case_id)
);
create index suspension_use_case on suspension (use_case_id, suspended_at, id);

create table suspension_lifting (
  suspension_id uuid primary key,
  suspended_by uuid not null,
  lifted_by uuid not null references person (id),
  lifted_at timestamptz(3) not null,
  reason text not null,
  foreign key (suspension_id, suspended_by) references suspension (id, suspended_by),
  check (lifted_by <> suspended_by)
);

-- An emergency opening of one environment for some hours. Who opened it does not review it.
create table break_glass (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  environment text not null,
  opened_by uuid not null references person (id),
  opened_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  reason text not null,
  unique (id, opened_by),
  check (expires_at > opened_at)
);
create index break_glass_use_case on break_glass (use_case_id, expires_at, id);
create index break_glass_opened on break_glass (opened_at, id);

create table break_glass_closing (
  break_glass_id uuid primary key references break_glass (id),
  closed_by uuid not null references person (id),
  closed_at timestamptz(3) not null,
  reason text not null
);

create table break_glass_review (
  break_glass_id uuid primary key,
  opened_by uuid not null,
  reviewed_by uuid not null references person (id),
  reviewed_at timestamptz(3) not null,
  verdict text not null check (verdict in ('justified', 'not_justified')),
  note text not null,
  foreign key (break_glass_id, opened_by) references break_glass (id, opened_by),
  check (reviewed_by <> opened_by)
);

alter table gate_answer add column break_glass_id uuid references break_glass (id);

grant select, insert on condition, condition_ending, delegation, incident, incident_entry, suspension,
  suspension_lifting, break_glass, break_glass_closing, break_glass_review to assent_app;
grant select, insert, update (opened_at, due_at, closed_at, passed) on review_stage to assent_app;
grant update (owner_id) on condition to assent_app;
grant update (accepted_at, ended_by, ended_at) on delegation to assent_app;
grant update (severity, closed_by, closed_at, learned) on incident to assent_app;
