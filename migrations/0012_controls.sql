-- Controls and requirements: what an approval rests on. What the version before knows nothing of has a default.

-- When what the approval requires goes stale, and since when it is not there. Computed by every deed on evidence and
-- controls from `required`, the list that the approval was taken on.
alter table use_case
  add column required jsonb not null default '[]',
  add column evidence_stale_at timestamptz(3),
  add column evidence_missing_at timestamptz(3),
  add column control_missing_at timestamptz(3);
alter table use_case_state
  add column evidence_stale_at timestamptz(3),
  add column evidence_missing_at timestamptz(3),
  add column control_missing_at timestamptz(3);
create index use_case_evidence_stale on use_case (evidence_stale_at, id) where evidence_stale_at is not null;
create index use_case_evidence_missing on use_case (evidence_missing_at, id) where evidence_missing_at is not null;
create index use_case_control_missing on use_case (control_missing_at, id) where control_missing_at is not null;

-- When these bytes were first given: sharing a piece does not make it younger.
alter table evidence
  add column given_at timestamptz(3),
  add constraint evidence_of_use_case unique (id, use_case_id);
with recursive line as (
  select id, attached_at as given_at from evidence where shared_from_id is null
  union all
  select e.id, l.given_at from evidence e join line l on l.id = e.shared_from_id
)
update evidence e set given_at = l.given_at from line l where l.id = e.id;
-- The seats that the judge held there: some evidence is for certain seats to accept.
alter table evidence_verdict add column seats text[] not null default '{}';

-- What a submission wants to be excepted from, and what an approval required, each as it was taken.
alter table review add column exceptions jsonb not null default '[]';
alter table decision
  add column required jsonb not null default '[]',
  add constraint decision_of_use_case unique (id, use_case_id);

-- A requirement that need not be met until an instant. Nothing extends it: another decision grants another one.
create table exception (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  decision_id uuid not null,
  ordinal integer not null check (ordinal > 0),
  requirement text not null,
  control_id text,
  until timestamptz(3) not null,
  compensating text not null check (compensating <> ''),
  compensating_control jsonb,
  reason text not null,
  granted_at timestamptz(3) not null,
  unique (use_case_id, ordinal),
  foreign key (decision_id, use_case_id) references decision (id, use_case_id),
  check (until > granted_at)
);
grant select, insert on exception to assent_app;

-- What somebody said of a control. What they say later is another row. Shipped catalogs lie in policy, so that a
-- catalog is a name and a version here, and no key.
create table control_assessment (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  catalog text not null,
  version text not null,
  control_id text not null,
  ordinal integer not null check (ordinal > 0),
  state text not null
    check (state in ('not_assessed', 'planned', 'in_place', 'not_effective', 'not_applicable')),
  note text not null,
  assessed_by uuid not null references person (id),
  assessed_at timestamptz(3) not null,
  copied_from uuid references control_assessment (id) check (copied_from <> id),
  unique (use_case_id, catalog, version, control_id, ordinal),
  unique (id, use_case_id)
);
grant select, insert on control_assessment to assent_app;

-- Evidence that an assessment names, of the same use case.
create table control_evidence (
  assessment_id uuid not null,
  use_case_id uuid not null,
  evidence_id uuid not null,
  primary key (assessment_id, evidence_id),
  foreign key (assessment_id, use_case_id) references control_assessment (id, use_case_id),
  foreign key (evidence_id, use_case_id) references evidence (id, use_case_id)
);
create index control_evidence_of on control_evidence (evidence_id);
grant select, insert on control_evidence to assent_app;

-- The last assessments of a use case in one row, so that a list of many is read in one query.
create table control_profile (
  use_case_id uuid primary key references use_case (id),
  states jsonb not null,
  assessed_at timestamptz(3) not null
);
grant select, insert, update (states, assessed_at) on control_profile to assent_app;
