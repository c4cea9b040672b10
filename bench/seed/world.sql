-- Units, people and tokens. bench.tokens holds [name, role, digest] of everybody who signs in.

insert into org_unit (id, key, name, parent_id, created_at)
select pg_temp.id_of('unit', g), 'line-' || g, 'Line of business ' || g, '00000000-0000-7000-8000-000000000002', '2024-01-01'
from generate_series(1, 5) g;

insert into org_unit (id, key, name, parent_id, created_at)
select pg_temp.id_of('unit', 10 + g), 'team-' || g, 'Team ' || g, pg_temp.id_of('unit', 1 + g % 5), '2024-01-01'
from generate_series(0, 19) g;

insert into person (id, kind, name, email, status, created_at)
select pg_temp.id_of('person', g), 'human', 'Person ' || g, 'person-' || g || '@example.org', 'active', '2024-01-01'
from generate_series(1, 300) g;

insert into rights_grant (id, person_id, kind, name, org_unit_id, granted_by, granted_at)
select pg_temp.id_of('grant', g), pg_temp.id_of('person', g), 'role', case when g <= 200 then 'business_owner' else 'risk_owner' end,
  pg_temp.id_of('unit', 10 + g % 20), '00000000-0000-7000-8000-000000000001', '2024-01-01'
from generate_series(1, 300) g;

insert into system (id, key, name, kind, created_at)
select pg_temp.id_of('system', g), 'system-' || g, 'System ' || g, 'tool', '2024-01-01' from generate_series(1, 50) g;

-- Those who sign in: people, and service accounts for the role of a pipeline.
insert into person (id, kind, name, status, created_at)
select (t->>'id')::uuid, case when t->>'role' = 'pipeline' then 'service' else 'human' end, t->>'name', 'active', '2024-01-01'
from jsonb_array_elements(:accounts::jsonb) t;

insert into rights_grant (id, person_id, kind, name, org_unit_id, granted_by, granted_at)
select gen_random_uuid(), (t->>'id')::uuid, 'role', t->>'role', '00000000-0000-7000-8000-000000000002',
  '00000000-0000-7000-8000-000000000001', '2024-01-01'
from jsonb_array_elements(:accounts::jsonb) t;

insert into access_token (id, person_id, person_kind, kind, name, digest, created_by, created_at, expires_at)
select gen_random_uuid(), p.id, p.kind, case when p.kind = 'service' then 'service' else 'personal' end, 'bench',
  t->>'digest', p.id, '2024-01-01', '2100-01-01'
from jsonb_array_elements(:accounts::jsonb) t join person p on p.id = (t->>'id')::uuid;
