-- Catalogs of controls that were imported. Those that are shipped are policy, and lie in its folder.

-- One version. Whoever wants it otherwise imports another one.
create table catalog (
  id uuid primary key,
  key text not null,
  version text not null,
  title text not null,
  description text,
  source jsonb not null,
  ties_to text check (ties_to <> key),
  functions jsonb not null,
  categories jsonb not null,
  risks jsonb not null,
  control_count integer not null check (control_count > 0),
  format text not null check (format in ('oscal', 'csv')),
  file_digest text not null,
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  imported_by uuid not null references person (id),
  imported_at timestamptz(3) not null,
  unique (key, version)
);
grant select, insert, update (last_event_no, last_event_at) on catalog to assent_app;

create table catalog_control (
  catalog_id uuid not null references catalog (id),
  control_id text not null,
  position integer not null check (position >= 0),
  function text not null,
  category text not null,
  title text not null,
  text text,
  parent text check (parent <> control_id),
  ties text[] not null,
  risks text[] not null,
  primary key (catalog_id, control_id),
  unique (catalog_id, position),
  foreign key (catalog_id, parent) references catalog_control (catalog_id, control_id)
);
grant select, insert on catalog_control to assent_app;
