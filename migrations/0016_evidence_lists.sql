-- Evidence across use cases: what waits for a verdict, and what goes stale next.
create index evidence_attached on evidence (attached_at, id);
create index evidence_stale on evidence (fresh_until, id) where fresh_until is not null;
