-- Evidence: links, newer pieces in place of older ones, one piece for several use cases, and what a scanner says.

alter table evidence
  drop constraint evidence_form_check,
  add constraint evidence_form_check check (form in ('file', 'attestation', 'link')),
  drop constraint evidence_check,
  add constraint evidence_check check ((form in ('attestation', 'link')) = (statement is not null)),
  add column url text,
  add column supersedes_id uuid,
  add column shared_from_id uuid,
  add constraint evidence_url check ((form = 'link') = (url is not null)),
  add constraint evidence_of_kind unique (id, use_case_id, kind),
  add constraint evidence_of_bytes unique (id, digest, size);

-- What supersedes is of the same use case and the same kind, and nothing is superseded twice.
alter table evidence
  add constraint evidence_supersedes foreign key (supersedes_id, use_case_id, kind)
    references evidence (id, use_case_id, kind),
  add constraint evidence_superseded_once unique (supersedes_id),
  add constraint evidence_not_itself check (supersedes_id <> id and shared_from_id <> id);

-- What is shared has the same bytes, and serves another use case once.
alter table evidence
  add constraint evidence_shared foreign key (shared_from_id, digest, size) references evidence (id, digest, size),
  add constraint evidence_shared_once unique (shared_from_id, use_case_id);

-- Which bytes no evidence has any more is asked once a day.
create index evidence_digest on evidence (digest);

-- Only where a scanner was configured when the file came. While it is quarantined, whoever claims it moves next_at on.
create table evidence_scan (
  evidence_id uuid primary key references evidence (id),
  state text not null check (state in ('quarantined', 'available', 'rejected')),
  tries integer not null,
  next_at timestamptz(3) not null,
  finding text,
  ended_at timestamptz(3),
  check ((state = 'quarantined') = (ended_at is null)),
  check ((state = 'rejected') = (finding is not null))
);
create index evidence_scan_due on evidence_scan (next_at) where state = 'quarantined';
grant select, insert, update (state, tries, next_at, finding, ended_at) on evidence_scan to assent_app;
