-- Notices: what is worth telling, whom it goes to, and how each attempt ended.

-- Where another system wants to be told. It ends, and is not deleted.
create table webhook (
  id uuid primary key,
  name text not null,
  url text not null,
  org_unit_id uuid not null references org_unit (id),
  -- null is every type
  event_types text[],
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  created_by uuid not null references person (id),
  created_at timestamptz(3) not null,
  disabled_at timestamptz(3),
  disabled_because text check (disabled_because in ('asked', 'gone', 'gave_up')),
  ended_by uuid references person (id),
  ended_at timestamptz(3),
  check (event_types <> '{}'),
  check ((disabled_at is null) = (disabled_because is null)),
  check ((ended_by is null) = (ended_at is null)),
  check (ended_at is null or disabled_at is not null)
);
create index webhook_created on webhook (created_at, id);

-- What signs, encrypted by a key that the database does not hold. What is over is forgotten: `sealed` becomes null.
create table webhook_secret (
  id uuid primary key,
  webhook_id uuid not null references webhook (id),
  sealed bytea,
  created_by uuid not null references person (id),
  created_at timestamptz(3) not null,
  expires_at timestamptz(3),
  check (sealed is not null or expires_at is not null)
);
create index webhook_secret_live on webhook_secret (webhook_id, created_at) where sealed is not null;

-- Events to tell of, written with their cause. Expanding turns each into one delivery for everybody it goes to.
create table outbox (
  event_id uuid primary key references audit_event (id),
  type text not null,
  aggregate_kind text not null,
  aggregate_id uuid not null,
  recorded_at timestamptz(3) not null,
  expanded_at timestamptz(3)
);
create index outbox_pending on outbox (recorded_at, event_id) where expanded_at is null;
create index outbox_recorded on outbox (recorded_at, event_id);

-- One event on its way to one webhook or one person. Whoever claims it moves `next_at` beyond a lease and counts an
-- attempt, so that what became of an attempt is told apart from what became of a later one.
create table delivery (
  id uuid primary key,
  event_id uuid not null references outbox (event_id),
  webhook_id uuid references webhook (id),
  person_id uuid references person (id),
  state text not null default 'pending' check (state in ('pending', 'delivered', 'given_up', 'dropped')),
  attempts integer not null default 0,
  -- since it was made, or asked for again
  tries integer not null default 0,
  next_at timestamptz(3) not null,
  created_at timestamptz(3) not null,
  done_at timestamptz(3),
  unique (event_id, webhook_id),
  unique (event_id, person_id),
  check (num_nonnulls(webhook_id, person_id) = 1),
  check ((state = 'pending') = (done_at is null))
);
create index delivery_of_webhook on delivery (webhook_id, created_at, id) where webhook_id is not null;
create index delivery_to_send on delivery (webhook_id, next_at, id) where state = 'pending' and webhook_id is not null;
create index delivery_to_mail on delivery (next_at, id) where state = 'pending' and person_id is not null;

create table delivery_attempt (
  delivery_id uuid not null references delivery (id),
  ordinal integer not null check (ordinal > 0),
  attempted_at timestamptz(3) not null,
  took_ms integer not null,
  -- of HTTP or SMTP; null when there was no answer
  status integer,
  problem text,
  primary key (delivery_id, ordinal)
);

-- What time brought about is told once: for an approval each reason, for a stage and an obligation each due time.
create table notice (
  type text not null,
  subject_id uuid not null,
  reason text not null,
  since timestamptz(3) not null,
  given_at timestamptz(3) not null,
  primary key (type, subject_id, reason, since)
);

-- Whoever gets hold of the row looks for what time brought about.
create table notice_watch (
  id text primary key check (id = 'watch'),
  looked_at timestamptz(3) not null
);
insert into notice_watch (id, looked_at) values ('watch', '2000-01-01');

create table notice_choice (
  person_id uuid primary key references person (id),
  mail boolean not null,
  chosen_at timestamptz(3) not null
);

create index use_case_material_change on use_case (first_material_change_at, id)
  where first_material_change_at is not null and approval_id is not null;
create index use_case_tier_raised on use_case (tier_raised_at, id)
  where tier_raised_at is not null and approval_id is not null;
create index condition_due on condition (due_at, id) where due_at is not null;

-- What lapsed before there were notices is no news.
insert into notice
  select 'approval.lapsed', u.approval_id, l.reason, l.since, now()
  from use_case u
  cross join lateral (values ('expired', u.valid_until), ('material_change', u.first_material_change_at),
    ('tier_raised', u.tier_raised_at)) as l (reason, since)
  where u.approval_id is not null and l.since <= now();

grant select, insert on webhook, webhook_secret, outbox, delivery, delivery_attempt, notice, notice_watch, notice_choice
  to assent_app;
grant update (last_event_no, last_event_at, disabled_at, disabled_because, ended_by, ended_at) on webhook to assent_app;
grant update (sealed, expires_at) on webhook_secret to assent_app;
grant update (expanded_at) on outbox to assent_app;
grant update (state, attempts, tries, next_at, done_at) on delivery to assent_app;
grant update (looked_at) on notice_watch to assent_app;
grant update (mail, chosen_at) on notice_choice to assent_app;
