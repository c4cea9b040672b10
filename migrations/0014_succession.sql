-- A newer piece takes the place of an older one once somebody accepted it. If it is refused, another may come: each
-- attempt has the next number, so that there are never two at once.
alter table evidence
  add column attempt integer not null default 1 check (attempt > 0),
  drop constraint evidence_superseded_once,
  add constraint evidence_superseded_once unique (supersedes_id, attempt),
  add constraint evidence_attempts check (supersedes_id is not null or attempt = 1);

-- What policy required and was not there at a decision: of which requirement it is, and what has to be there for it to
-- be met.
alter table condition
  add column requirement text,
  add column asks jsonb not null default '[]',
  add constraint condition_of_requirement check ((requirement is null) = (asks = '[]'));
