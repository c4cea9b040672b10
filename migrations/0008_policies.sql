-- What policy was in force when, and which tiers it gave to use cases that were there before it.

-- One row, made here: whoever loads or applies a policy locks it, and it numbers the events of policy.
create table policy (
  id uuid primary key check (id = '00000000-0000-7000-8000-000000000003'),
  digest text,
  loaded_at timestamptz(3),
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  check ((digest is null) = (loaded_at is null))
);
insert into policy (id) values ('00000000-0000-7000-8000-000000000003');
grant select, update (digest, loaded_at, last_event_no, last_event_at) on policy to assent_app;

-- From this revision on, and while the version stays, the tier is this one and not that of the version.
create table tier_recomputation (
  use_case_id uuid not null,
  revision integer not null,
  version integer not null,
  recorded_at timestamptz(3) not null,
  computed_tier text not null check (computed_tier in ('minimal', 'limited', 'high', 'prohibited')),
  fired jsonb not null,
  policy_digest text not null,
  primary key (use_case_id, revision),
  foreign key (use_case_id, revision) references use_case_state (use_case_id, revision),
  foreign key (use_case_id, version) references use_case_version (use_case_id, version)
);
grant select, insert on tier_recomputation to assent_app;
