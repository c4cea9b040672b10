-- Each logged answer of the gate is an aggregate of its own, so that answers never wait for one another.
create table gate_answer (
  id uuid primary key,
  asked_by uuid not null references person (id),
  asked_at timestamptz(3) not null,
  question jsonb not null,
  -- null when nothing is registered under what was asked, or nothing that the asker may see
  use_case_id uuid references use_case (id),
  environment text not null,
  decision text not null check (decision in ('allow', 'deny')),
  enforced boolean not null,
  would_be text not null check (would_be in ('allow', 'deny')),
  reasons jsonb not null,
  version integer,
  standing text,
  valid_until timestamptz(3),
  policy_digest text not null,
  -- an Idempotency-Key counts for a minute; the ordinal numbers the answers that one key was given over time
  idempotency_key text,
  request_digest text,
  ordinal integer,
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  check (decision = case when enforced then would_be else 'allow' end),
  check ((decision = 'allow') = (valid_until is not null)),
  check ((use_case_id is null) = (version is null) and (use_case_id is null) = (standing is null)),
  check (num_nonnulls(idempotency_key, request_digest, ordinal) in (0, 3))
);
create index gate_answer_use_case on gate_answer (use_case_id, asked_at, id);
create unique index gate_answer_once on gate_answer (asked_by, idempotency_key, ordinal)
  where idempotency_key is not null;

grant select, insert on gate_answer to assent_app;
grant update (last_event_no, last_event_at) on gate_answer to assent_app;
