-- Retention, legal holds, disposal, and the bytes of evidence as their store has them. What may be disposed of is for
-- the rows to say: assent_app gets rights to erase, and policies below leave it only what was lawfully disposed of.

-- How long a piece has to be kept: until an instant, and for so many days of 24 hours after its use case is retired,
-- where that is not 0. The last row counts. Each says what policy had asked for by then, and which of that no schedule
-- may go below. It moves later by itself, and earlier only by two people.
create table retention_floor (
  evidence_id uuid not null references evidence (id),
  ordinal integer not null check (ordinal > 0),
  retain_until timestamptz(3) not null,
  days_after_retirement integer not null check (days_after_retirement >= 0),
  policy_until timestamptz(3) not null,
  policy_days integer not null,
  regulatory_until timestamptz(3) not null,
  regulatory_days integer not null check (regulatory_days >= 0),
  because text not null check (because in ('attached', 'before', 'policy', 'extended', 'shortened')),
  classes text[] not null,
  policy_digest text,
  reason text,
  set_by uuid not null references person (id),
  set_at timestamptz(3) not null,
  shortening_id uuid unique,
  approved_by uuid,
  approval text check (approval = 'confirmed'),
  earlier_ordinal integer,
  earlier_until timestamptz(3),
  earlier_days integer,
  earlier_policy_until timestamptz(3),
  earlier_policy_days integer,
  earlier_regulatory_until timestamptz(3),
  earlier_regulatory_days integer,
  primary key (evidence_id, ordinal),
  constraint retention_floor_as_it_was unique (evidence_id, ordinal, retain_until, days_after_retirement, policy_until,
    policy_days, regulatory_until, regulatory_days),
  constraint retention_floor_follows foreign key (evidence_id, earlier_ordinal, earlier_until, earlier_days,
      earlier_policy_until, earlier_policy_days, earlier_regulatory_until, earlier_regulatory_days)
    references retention_floor (evidence_id, ordinal, retain_until, days_after_retirement, policy_until, policy_days,
      regulatory_until, regulatory_days),
  constraint retention_floor_first check (num_nulls(earlier_ordinal, earlier_until, earlier_days, earlier_policy_until,
    earlier_policy_days, earlier_regulatory_until, earlier_regulatory_days) = case ordinal when 1 then 7 else 0 end),
  constraint retention_floor_next check (earlier_ordinal = ordinal - 1),
  constraint retention_floor_policy_only_rises check (earlier_policy_until <= policy_until
    and earlier_policy_days <= policy_days and earlier_regulatory_until <= regulatory_until
    and earlier_regulatory_days <= regulatory_days),
  constraint retention_floor_regulation check (
    retain_until >= regulatory_until and days_after_retirement >= regulatory_days),
  constraint retention_floor_only_rises check (because = 'shortened'
    or (earlier_until <= retain_until and earlier_days <= days_after_retirement)),
  constraint retention_floor_begins check ((ordinal = 1) = (because in ('attached', 'before'))),
  constraint retention_floor_two_people check (
    num_nulls(shortening_id, approved_by, approval) = case because when 'shortened' then 0 else 3 end
    and set_by <> approved_by)
);
-- An earlier end: proposed by one, confirmed or rejected by another.
create table retention_shortening (
  id uuid primary key,
  evidence_id uuid not null,
  use_case_id uuid not null,
  retain_until timestamptz(3) not null,
  reason text not null,
  proposed_by uuid not null references person (id),
  proposed_at timestamptz(3) not null,
  unique (id, proposed_by),
  unique (id, evidence_id, retain_until),
  foreign key (evidence_id, use_case_id) references evidence (id, use_case_id)
);
create index retention_shortening_of on retention_shortening (evidence_id);
create index retention_shortening_use_case on retention_shortening (use_case_id, proposed_at);
create table retention_shortening_verdict (
  shortening_id uuid primary key,
  proposed_by uuid not null,
  given_by uuid not null references person (id),
  verdict text not null check (verdict in ('confirmed', 'rejected')),
  reason text not null,
  given_at timestamptz(3) not null,
  foreign key (shortening_id, proposed_by) references retention_shortening (id, proposed_by),
  unique (shortening_id, proposed_by, given_by, verdict),
  check (given_by <> proposed_by)
);
alter table retention_floor
  add constraint retention_floor_proposed foreign key (shortening_id, evidence_id, retain_until)
    references retention_shortening (id, evidence_id, retain_until),
  add constraint retention_floor_confirmed foreign key (shortening_id, set_by, approved_by, approval)
    references retention_shortening_verdict (shortening_id, proposed_by, given_by, verdict);
grant select, insert on retention_floor, retention_shortening, retention_shortening_verdict to assent_app;

-- A matter for which evidence is kept, whatever else. What it names is kept until somebody else releases or lifts it.
create table legal_hold (
  id uuid primary key,
  key text not null unique,
  title text not null,
  reason text not null,
  org_unit_id uuid not null references org_unit (id),
  placed_by uuid not null references person (id),
  placed_at timestamptz(3) not null,
  unique (id, placed_by)
);
create index legal_hold_placed on legal_hold (placed_at, id);
-- One piece of a use case, or all that it has and will have.
create table legal_hold_object (
  id uuid primary key,
  hold_id uuid not null references legal_hold (id),
  use_case_id uuid not null references use_case (id),
  evidence_id uuid,
  added_by uuid not null references person (id),
  added_at timestamptz(3) not null,
  unique (id, added_by),
  foreign key (evidence_id, use_case_id) references evidence (id, use_case_id)
);
create index legal_hold_object_of on legal_hold_object (hold_id);
create index legal_hold_object_use_case on legal_hold_object (use_case_id);
create table legal_hold_release (
  object_id uuid primary key,
  added_by uuid not null,
  released_by uuid not null references person (id),
  released_at timestamptz(3) not null,
  reason text not null,
  foreign key (object_id, added_by) references legal_hold_object (id, added_by),
  check (released_by <> added_by)
);
create table legal_hold_lifting (
  hold_id uuid primary key,
  placed_by uuid not null,
  lifted_by uuid not null references person (id),
  lifted_at timestamptz(3) not null,
  reason text not null,
  foreign key (hold_id, placed_by) references legal_hold (id, placed_by),
  check (lifted_by <> placed_by)
);
grant select, insert on legal_hold, legal_hold_object, legal_hold_release, legal_hold_lifting to assent_app;

-- Pieces of a use case that somebody proposes to dispose of, with what was to be seen of each, and what another said.
create table disposal (
  id uuid primary key,
  use_case_id uuid not null references use_case (id),
  reason text not null,
  policy_digest text not null,
  proposed_by uuid not null references person (id),
  proposed_at timestamptz(3) not null,
  unique (id, proposed_by),
  unique (id, use_case_id)
);
create index disposal_use_case on disposal (use_case_id, proposed_at);
create table disposal_piece (
  disposal_id uuid not null,
  use_case_id uuid not null,
  evidence_id uuid not null,
  shown jsonb not null,
  primary key (disposal_id, evidence_id),
  foreign key (disposal_id, use_case_id) references disposal (id, use_case_id),
  foreign key (evidence_id, use_case_id) references evidence (id, use_case_id)
);
create index disposal_piece_of on disposal_piece (evidence_id);
create table disposal_verdict (
  disposal_id uuid primary key,
  proposed_by uuid not null,
  given_by uuid not null references person (id),
  verdict text not null check (verdict in ('confirmed', 'rejected')),
  reason text not null,
  given_at timestamptz(3) not null,
  foreign key (disposal_id, proposed_by) references disposal (id, proposed_by),
  unique (disposal_id, verdict),
  check (given_by <> proposed_by)
);
-- What was disposed of: proposed by one, confirmed by another, after its time and free of holds.
create table evidence_disposal (
  evidence_id uuid primary key,
  disposal_id uuid not null,
  verdict text not null check (verdict = 'confirmed'),
  disposed_at timestamptz(3) not null,
  foreign key (disposal_id, evidence_id) references disposal_piece (disposal_id, evidence_id),
  foreign key (disposal_id, verdict) references disposal_verdict (disposal_id, verdict)
);
grant select, insert on disposal, disposal_piece, disposal_verdict, evidence_disposal to assent_app;
alter table evidence_disposal enable row level security;
create policy evidence_disposal_read on evidence_disposal for select to assent_app using (true);
create policy evidence_disposal_lawful on evidence_disposal for insert to assent_app with check (
  exists (
    select from retention_floor f join evidence e on e.id = f.evidence_id
      left join retirement r on r.use_case_id = e.use_case_id
    where f.evidence_id = evidence_disposal.evidence_id
      and f.ordinal = (select max(l.ordinal) from retention_floor l where l.evidence_id = f.evidence_id)
      and f.retain_until <= now()
      and (f.days_after_retirement = 0
        or r.retired_at + make_interval(hours => 24 * f.days_after_retirement) <= now()))
  and not exists (
    select from legal_hold_object o join evidence e on e.use_case_id = o.use_case_id
    where e.id = evidence_disposal.evidence_id and (o.evidence_id is null or o.evidence_id = e.id)
      and not exists (select from legal_hold_release x where x.object_id = o.id)
      and not exists (select from legal_hold_lifting x where x.hold_id = o.hold_id)));

-- What is disposed of keeps its row, with its digest, and loses what it said.
alter table evidence
  add column disposed_at timestamptz(3),
  drop constraint evidence_check,
  add constraint evidence_check check (
    (form in ('attestation', 'link')) = (statement is not null) or (disposed_at is not null and statement is null)),
  drop constraint evidence_url,
  add constraint evidence_url check ((form = 'link') = (url is not null) or (disposed_at is not null and url is null));
grant update (title, file_name, statement, url, disposed_at) on evidence to assent_app;
alter table evidence enable row level security;
create policy evidence_read on evidence for select to assent_app using (true);
create policy evidence_attach on evidence for insert to assent_app with check (disposed_at is null);
create policy evidence_erase on evidence for update to assent_app
  using (exists (select from evidence_disposal d where d.evidence_id = evidence.id))
  with check (title = '' and file_name is null and statement is null and url is null
    and disposed_at = (select d.disposed_at from evidence_disposal d where d.evidence_id = evidence.id));

-- And of the log, what only the piece itself said: its values and the salts of their hashes.
grant delete on audit_payload to assent_app;
alter table audit_payload enable row level security;
create policy audit_payload_read on audit_payload for select to assent_app using (true);
create policy audit_payload_add on audit_payload for insert to assent_app with check (true);
create policy audit_payload_erase on audit_payload for delete to assent_app using (
  exists (
    select from audit_event a join evidence_disposal d
      on d.evidence_id = (convert_from(a.leaf, 'UTF8')::jsonb ->> 'evidenceId')::uuid
    where a.id = audit_payload.event_id and a.type in ('evidence.attached', 'evidence.rejected')));

-- The bytes of files as their store has them. A row is locked while its bytes are removed, and while a piece with these
-- bytes is attached.
create table stored_blob (
  digest text primary key,
  size bigint not null check (size >= 0),
  stored_at timestamptz(3) not null,
  removed_at timestamptz(3),
  checked_at timestamptz(3),
  soundness text check (soundness in ('ok', 'missing', 'altered')),
  damaged_at timestamptz(3),
  retain_until timestamptz(3),
  held boolean,
  told_at timestamptz(3),
  check ((checked_at is null) = (soundness is null)),
  check ((soundness is distinct from 'ok' and soundness is not null) = (damaged_at is not null)),
  check ((told_at is null) = (held is null))
);
create index stored_blob_due on stored_blob (checked_at nulls first, digest) where removed_at is null;
create index stored_blob_damaged on stored_blob (damaged_at) where damaged_at is not null;
grant select, insert, update (stored_at, removed_at, checked_at, soundness, damaged_at, retain_until, held, told_at)
  on stored_blob to assent_app;
insert into stored_blob (digest, size, stored_at)
  select digest, max(size), min(attached_at) from evidence where form = 'file' group by digest;

-- Each day's look at some of them, and whose turn the next thing is.
create table custody_round (
  id uuid primary key,
  began_at timestamptz(3) not null,
  ended_at timestamptz(3) not null,
  checked integer not null,
  bytes bigint not null,
  damaged integer not null,
  mended integer not null,
  unanswered integer not null
);
create index custody_round_began on custody_round (began_at, id);
grant select, insert on custody_round to assent_app;
create table custody_turn (
  name text primary key check (name in ('check', 'collect', 'keep', 'raise')),
  next_at timestamptz(3) not null
);
insert into custody_turn (name, next_at) select name, '2000-01-01' from unnest(array['check', 'collect', 'keep', 'raise']) as name;
grant select, update (next_at) on custody_turn to assent_app;

-- What was there before retention was: kept until policy was asked, and at least until its use case is retired.
insert into retention_floor (evidence_id, ordinal, retain_until, days_after_retirement, policy_until, policy_days,
    regulatory_until, regulatory_days, because, classes, set_by, set_at)
  select id, 1, attached_at, 1, attached_at, 1, attached_at, 0, 'before', '{}', '00000000-0000-7000-8000-000000000001',
    attached_at from evidence;
