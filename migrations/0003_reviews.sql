-- Evidence, reviews, votes and decisions. Separation of duties is held here as well as in policy.

create table evidence (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  kind text not null,
  title text not null,
  form text not null check (form in ('file', 'attestation')),
  digest text not null check (digest ~ '^sha256:[0-9a-f]{64}$'),
  size bigint not null check (size >= 0),
  media_type text not null,
  file_name text,
  statement text,
  fresh_until timestamptz(3),
  attached_by uuid not null references person (id),
  attached_at timestamptz(3) not null,
  unique (id, attached_by),
  check ((form = 'attestation') = (statement is not null))
);
create index evidence_use_case on evidence (use_case_id, attached_at, id);

create table evidence_verdict (
  evidence_id uuid primary key,
  attached_by uuid not null,
  given_by uuid not null references person (id),
  verdict text not null check (verdict in ('accepted', 'refused')),
  note text not null,
  given_at timestamptz(3) not null,
  foreign key (evidence_id, attached_by) references evidence (id, attached_by),
  check (given_by <> attached_by)
);

create table review (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  round integer not null check (round > 0),
  version integer not null,
  tier text not null,
  lane jsonb not null,
  policy_digest text not null,
  submitted_by uuid not null references person (id),
  note text not null,
  opened_at timestamptz(3) not null,
  due_at timestamptz(3) not null,
  closed_at timestamptz(3),
  outcome text check (outcome in ('approved', 'blocked', 'changes_requested', 'withdrawn')),
  closing_reason text,
  unique (use_case_id, round),
  foreign key (use_case_id, version) references use_case_version (use_case_id, version),
  check ((closed_at is null) = (outcome is null))
);
create unique index review_one_open on review (use_case_id) where closed_at is null;
create index review_open on review (due_at, id) where closed_at is null;

-- A person is excluded from a round or votes in it, never both.
create table review_party (
  review_id uuid not null references review (id),
  person_id uuid not null references person (id),
  part text not null check (part in ('excluded', 'elector')),
  because text not null,
  primary key (review_id, person_id),
  unique (review_id, person_id, part)
);

-- One person a seat, one seat a person, in each round. Who no longer holds a seat leaves it to another holder.
create table review_seat (
  review_id uuid not null,
  seat text not null,
  person_id uuid not null,
  part text not null default 'elector' check (part = 'elector'),
  vacated_at timestamptz(3),
  primary key (review_id, person_id),
  unique (review_id, seat, person_id),
  foreign key (review_id, person_id, part) references review_party (review_id, person_id, part)
);

create unique index review_seat_filled on review_seat (review_id, seat) where vacated_at is null;

create table vote (
  id uuid primary key,
  review_id uuid not null,
  seat text not null,
  person_id uuid not null,
  ordinal integer not null check (ordinal > 0),
  choice text not null check (choice in ('approve', 'block', 'request_changes', 'abstain')),
  rationale text not null check (length(rationale) > 0),
  decision_right text not null,
  cast_at timestamptz(3) not null,
  unique (review_id, seat, ordinal),
  foreign key (review_id, seat, person_id) references review_seat (review_id, seat, person_id)
);

create table decision (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  review_id uuid not null unique references review (id),
  outcome text not null check (outcome in ('approved', 'blocked', 'changes_requested')),
  reason text not null,
  version integer not null,
  tier text not null,
  lane_id text not null,
  environments text[],
  valid_until timestamptz(3),
  material_facts text[] not null,
  material_digest text not null,
  policy_digest text not null,
  votes jsonb not null,
  evidence jsonb not null,
  decided_at timestamptz(3) not null,
  foreign key (use_case_id, version) references use_case_version (use_case_id, version),
  check ((outcome = 'approved') = (valid_until is not null)),
  check (valid_until > decided_at)
);
create index decision_use_case on decision (use_case_id, decided_at);

grant update (vacated_at) on review_seat to assent_app;
grant select, insert on evidence, evidence_verdict, review_party, review_seat, vote, decision to assent_app;
grant select, insert, update (closed_at, outcome, closing_reason) on review to assent_app;
