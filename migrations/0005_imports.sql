-- Imports: what came in, how each row was understood, what became of it, and where a use case came from.

-- A register that exists elsewhere. Its row is locked while rows of it are applied, so that of two imports of one
-- file exactly one creates.
create table source_register (
  name text primary key,
  created_at timestamptz(3) not null
);

create table import_run (
  id uuid primary key,
  revision integer not null default 1,
  last_event_no integer not null default 0,
  last_event_at timestamptz(3),
  register text not null references source_register (name),
  org_unit_id uuid not null references org_unit (id),
  state text not null check (state in ('reading', 'previewed', 'applying', 'applied')),
  file_name text not null,
  file_digest text not null,
  format text not null check (format in ('csv', 'xlsx', 'ndjson')),
  encoding text,
  sheet text,
  header_row integer not null,
  columns jsonb not null,
  row_count integer not null,
  profile jsonb not null,
  profile_from text not null check (profile_from in ('chosen', 'detected', 'inferred', 'confirmed')),
  proposals jsonb,
  counts jsonb,
  -- the last row, by ordinal, that was previewed, or applied
  done_through integer not null default 0,
  -- the imports that carried rows of this file before: what they had and this file lacks is gone
  editions uuid[] not null default '{}',
  created_by uuid not null references person (id),
  created_at timestamptz(3) not null,
  applied_by uuid references person (id),
  applied_at timestamptz(3),
  check ((state = 'applied') = (applied_at is not null)),
  check ((applied_by is null) = (applied_at is null)),
  check (profile_from <> 'inferred' or state in ('reading', 'previewed'))
);
create index import_run_created on import_run (created_at, id);

-- The row as it came: its cells, in the order of the import's columns. It never changes and is never deleted.
create table import_row (
  import_id uuid not null references import_run (id),
  ordinal integer not null check (ordinal > 0),
  row_number integer not null,
  identity text not null,
  cells json not null,
  problems text[] not null default '{}',
  mapped jsonb not null,
  outcome text not null check (outcome in ('created', 'updated', 'unchanged', 'needs_attention', 'refused')),
  reasons jsonb not null,
  use_case_id uuid references use_case (id),
  primary key (import_id, ordinal)
);
create index import_row_identity on import_row (import_id, identity);
create index import_row_outcome on import_row (import_id, outcome, ordinal);

-- Where a use case came from: the row that was applied last, and the facts that it meant here, with which the next
-- one is compared.
create table use_case_source (
  use_case_id uuid primary key references use_case (id),
  register text not null references source_register (name),
  identity text not null,
  base jsonb not null,
  import_id uuid not null,
  ordinal integer not null,
  unique (register, identity),
  foreign key (import_id, ordinal) references import_row (import_id, ordinal)
);
create index use_case_source_import on use_case_source (import_id, ordinal);

-- For exports: the row as it came, as an object of column and cell, and how it was understood.
create view use_case_source_row as
  select s.use_case_id, s.register, s.identity, s.import_id, s.ordinal, r.row_number, i.profile ->> 'id' as profile,
    r.mapped,
    (select json_object_agg(c.value ->> 'name', r.cells -> (c.place - 1)::int order by c.place)
      from jsonb_array_elements(i.columns) with ordinality as c (value, place)) as raw
  from use_case_source s
  left join import_row r on r.import_id = s.import_id and r.ordinal = s.ordinal
  left join import_run i on i.id = s.import_id;

grant select, insert on source_register, import_run, import_row, use_case_source to assent_app;
grant select on use_case_source_row to assent_app;
-- for update needs a column that may be updated
grant update (created_at) on source_register to assent_app;
grant update (revision, last_event_no, last_event_at, register, state, row_count, profile, profile_from, proposals, counts,
  done_through, editions, applied_by, applied_at) on import_run to assent_app;
-- The row as it came never changes, only how it is understood and what became of it.
grant update (identity, mapped, outcome, reasons, use_case_id) on import_row to assent_app;
grant update (base, import_id, ordinal) on use_case_source to assent_app;
