-- People, rights and the audit log. assent_app serves: it may insert and select what must never change.

create table org_unit (
  id uuid primary key,
  key text not null unique check (key ~ '^[a-z0-9][a-z0-9._-]{0,59}$'),
  name text not null,
  parent_id uuid references org_unit (id),
  revision integer not null default 1,
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  created_at timestamptz(3) not null,
  check (parent_id <> id)
);
create unique index org_unit_one_root on org_unit ((parent_id is null)) where parent_id is null;
create index org_unit_parent on org_unit (parent_id);

create table person (
  id uuid primary key,
  kind text not null check (kind in ('human', 'service')),
  name text not null,
  email text,
  issuer text,
  subject text,
  status text not null check (status in ('invited', 'active', 'left')),
  revision integer not null default 1,
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  created_at timestamptz(3) not null,
  unique (issuer, subject),
  unique (id, kind),
  check ((issuer is null) = (subject is null))
);
create index person_name on person (lower(name), id);

-- A role or a seat, held for one org unit and all below it.
create table rights_grant (
  id uuid primary key,
  person_id uuid not null references person (id),
  kind text not null check (kind in ('role', 'seat')),
  name text not null,
  org_unit_id uuid not null references org_unit (id),
  granted_by uuid not null references person (id),
  granted_at timestamptz(3) not null,
  revoked_by uuid references person (id),
  revoked_at timestamptz(3),
  check (granted_by <> person_id),
  check ((revoked_by is null) = (revoked_at is null)),
  check (revoked_at >= granted_at)
);
create unique index rights_grant_once on rights_grant (person_id, kind, name, org_unit_id) where revoked_at is null;
create index rights_grant_holders on rights_grant (kind, name) where revoked_at is null;

-- An invitation names an identity that already exists elsewhere: an issuer's subject, or the digest of a key
-- that only the invited person holds. Whoever invites never sees anything that signs in.
create table invitation (
  id uuid primary key,
  person_id uuid not null unique references person (id),
  key_digest text unique,
  issuer text,
  subject text,
  invited_by uuid not null references person (id),
  invited_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  accepted_at timestamptz(3),
  check ((key_digest is null) <> (subject is null)),
  check ((issuer is null) = (subject is null)),
  unique (issuer, subject)
);

-- Opaque tokens, stored as SHA-256. A personal token is only ever given to the person it stands for.
create table access_token (
  id uuid primary key,
  person_id uuid not null,
  person_kind text not null,
  kind text not null check (kind in ('personal', 'service')),
  name text not null,
  digest text not null unique,
  created_by uuid not null references person (id),
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  revoked_by uuid references person (id),
  revoked_at timestamptz(3),
  foreign key (person_id, person_kind) references person (id, kind),
  check ((kind = 'service') = (person_kind = 'service')),
  check (kind = 'service' or created_by = person_id),
  check (expires_at > created_at)
);
create index access_token_person on access_token (person_id);

-- The one-time code of the first administrator, printed where only the operator reads it.
create table first_sign_in (
  digest text primary key,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  used_at timestamptz(3),
  used_by uuid references person (id)
);

create table audit_event (
  id uuid primary key,
  aggregate_kind text not null,
  aggregate_id uuid not null,
  event_no integer not null check (event_no > 0),
  type text not null,
  actor_id uuid not null,
  recorded_at timestamptz(3) not null,
  leaf bytea not null check (octet_length(leaf) <= 65535),
  unique (aggregate_id, event_no)
);
create index audit_event_recorded on audit_event (recorded_at, id);
create index audit_event_type on audit_event (type, recorded_at, id);

-- What the leaf holds only as salted hashes. Erasing a row here leaves the log whole.
create table audit_payload (
  event_id uuid primary key references audit_event (id),
  sealed jsonb not null
);

-- A refusal is logged once per person, right and row per minute.
create table refusal (
  person_id uuid not null references person (id),
  rule text not null,
  subject_id uuid not null,
  minute timestamptz(3) not null,
  primary key (person_id, rule, subject_id, minute)
);

create table idempotency_key (
  principal_id uuid not null references person (id),
  key text not null,
  request_digest text not null,
  response jsonb,
  created_at timestamptz(3) not null,
  primary key (principal_id, key)
);
create index idempotency_key_created on idempotency_key (created_at);

-- Assent itself acts when nobody is signed in yet: at the first start, and when it invites the first administrator.
insert into person (id, kind, name, status, created_at)
  values ('00000000-0000-7000-8000-000000000001', 'service', 'Assent', 'active', now());
insert into org_unit (id, key, name, created_at)
  values ('00000000-0000-7000-8000-000000000002', 'organisation', 'Whole organisation', now());

grant select, insert on audit_event, audit_payload, refusal to assent_app;
grant select, insert on org_unit, person, invitation, access_token, rights_grant, first_sign_in to assent_app;
-- Whose token, key or grant it is never changes: only that it ended, or was used.
grant update (name, parent_id, revision, last_event_no, last_event_at) on org_unit to assent_app;
grant update (name, email, issuer, subject, status, revision, last_event_no, last_event_at) on person to assent_app;
grant update (expires_at, accepted_at) on invitation to assent_app;
grant update (revoked_by, revoked_at) on access_token, rights_grant to assent_app;
grant update (expires_at, used_at, used_by) on first_sign_in to assent_app;
grant select, insert, update (response), delete on idempotency_key to assent_app;
