-- Each logged answer of the gate is an aggregate of its own, so that answers never wait for one another.
create table gate_answer (
  id uuid primary key,
  asked_by uuid not null references person (id),
  asked_at timestamptz(3) not null,
  use_case_id uuid references use_case (id),
  question jsonb not null,
  decision text not null check (decision in ('allow', 'deny')),
  enforced boolean not null,
  would_be text not null check (would_be in ('allow', 'deny')),
  reasons jsonb not null,
  policy_digest text not null,
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  check (decision = 'allow' or enforced)
);
create index gate_answer_use_case on gate_answer (use_case_id, asked_at, id);

grant select, insert on gate_answer to assent_app;
grant update (last_event_no, last_event_at) on gate_answer to assent_app;
