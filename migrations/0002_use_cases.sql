-- Use cases: a head row that every deed locks, immutable versions of the facts, and one state row a revision,
-- from which the register as of any instant is read.

create extension if not exists pg_trgm;

create table system (
  id uuid primary key,
  key text not null unique check (key ~ '^[a-z0-9][a-z0-9._-]{0,79}$'),
  name text not null,
  kind text not null check (kind in ('tool', 'model', 'dataset', 'agent', 'vendor_product')),
  vendor text,
  description text not null default '',
  revision integer not null default 1,
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  created_at timestamptz(3) not null
);
create index system_name on system (lower(name), id);

create sequence use_case_number start 1001;

create table use_case (
  id uuid primary key,
  number bigint not null unique default nextval('use_case_number'),
  revision integer not null default 1,
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  origin text not null check (origin in ('declared', 'imported', 'discovered')),
  -- facts of the current version
  version integer not null,
  title text not null,
  purpose text not null,
  benefits text not null,
  outputs text not null,
  org_unit_id uuid not null references org_unit (id),
  jurisdictions text[] not null,
  channels text[] not null,
  stage text not null check (stage in ('idea', 'pre_deployment', 'pilot', 'deployed')),
  technique text,
  system_ids uuid[] not null,
  answers jsonb not null,
  business_owner_id uuid references person (id),
  risk_owner_id uuid references person (id),
  tags text[] not null,
  author_ids uuid[] not null,
  -- tier: the computed one, and the one a person raised it to
  computed_tier text not null check (computed_tier in ('minimal', 'limited', 'high', 'prohibited')),
  raised_tier text check (raised_tier in ('limited', 'high', 'prohibited')),
  fired jsonb not null,
  policy_digest text not null,
  -- instants and references from which standing is computed; standing itself is never stored
  open_review_id uuid,
  open_material_facts text[],
  last_outcome text check (last_outcome in ('approved', 'blocked', 'changes_requested')),
  approval_id uuid,
  approved_tier text,
  material_facts text[],
  material_digest text,
  valid_until timestamptz(3),
  first_material_change_at timestamptz(3),
  tier_raised_at timestamptz(3),
  block_id uuid,
  retired_at timestamptz(3),
  search tsvector generated always as (
    setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', purpose), 'B')
    || setweight(to_tsvector('english', benefits || ' ' || outputs), 'C')) stored
);
create index use_case_updated on use_case (updated_at, id);
create index use_case_title on use_case (title, id);
create index use_case_unit on use_case (org_unit_id, updated_at, id);
create index use_case_business_owner on use_case (business_owner_id);
create index use_case_risk_owner on use_case (risk_owner_id);
-- the tier that counts; src/db/standing-sql.ts says it in the same words
create index use_case_tier on use_case ((
  case when 'prohibited' in (computed_tier, raised_tier) then 'prohibited'
    when 'high' in (computed_tier, raised_tier) then 'high'
    when 'limited' in (computed_tier, raised_tier) then 'limited'
    when 'minimal' in (computed_tier, raised_tier) then 'minimal' end), updated_at, id);
create index use_case_blocked on use_case (updated_at, id) where block_id is not null;
create index use_case_in_review on use_case (updated_at, id) where open_review_id is not null;
create index use_case_search on use_case using gin (search);
create index use_case_title_trgm on use_case using gin (title gin_trgm_ops);
create index use_case_sets on use_case using gin (tags, channels, jurisdictions, system_ids);

create table use_case_version (
  use_case_id uuid not null references use_case (id),
  version integer not null check (version > 0),
  recorded_at timestamptz(3) not null,
  author_id uuid not null references person (id),
  reason text not null,
  facts jsonb not null,
  computed_tier text not null,
  fired jsonb not null,
  policy_digest text not null,
  primary key (use_case_id, version)
);

create table use_case_state (
  use_case_id uuid not null references use_case (id),
  revision integer not null check (revision > 0),
  recorded_at timestamptz(3) not null,
  version integer not null,
  raised_tier text,
  open_review_id uuid,
  last_outcome text,
  approval_id uuid,
  approved_tier text,
  valid_until timestamptz(3),
  first_material_change_at timestamptz(3),
  tier_raised_at timestamptz(3),
  block_id uuid,
  retired_at timestamptz(3),
  primary key (use_case_id, revision),
  foreign key (use_case_id, version) references use_case_version (use_case_id, version)
);

-- Retirement is a row with an author, a time and a reason; it ends a use case.
create table retirement (
  use_case_id uuid primary key references use_case (id),
  retired_by uuid not null references person (id),
  retired_at timestamptz(3) not null,
  reason text not null
);

-- A pipeline acts for the use cases that it is bound to, and for no other.
create table pipeline_binding (
  person_id uuid not null references person (id),
  use_case_id uuid not null references use_case (id),
  bound_by uuid not null references person (id),
  bound_at timestamptz(3) not null,
  unbound_at timestamptz(3),
  id uuid primary key
);
create unique index pipeline_binding_once on pipeline_binding (person_id, use_case_id) where unbound_at is null;

grant select, insert, update on system, use_case to assent_app;
grant select, insert, update (unbound_at) on pipeline_binding to assent_app;
grant usage on sequence use_case_number to assent_app;
grant select, insert on use_case_version, use_case_state, retirement to assent_app;
