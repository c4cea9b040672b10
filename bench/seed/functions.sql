-- Ids that say of themselves what they are, so that rows find each other without a look-up, in the form of UUIDv7.
create function pg_temp.id_of(kind text, number bigint) returns uuid language sql immutable return
  ('0190' || case kind
    when 'unit' then '0001' when 'person' then '0002' when 'grant' then '0003' when 'system' then '0004'
    when 'use_case' then '1000' when 'review' then '1001' when 'decision' then '1002' when 'event' then '1003'
    end || '-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid;

create function pg_temp.one_of(words text[], number bigint) returns text language sql immutable return
  words[1 + number % cardinality(words)];
