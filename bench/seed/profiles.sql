-- A profile of each use case: of the 72 controls of the AI RMF thirty that somebody assessed, others each time.
insert into control_profile (use_case_id, states, assessed_at)
select u.id, jsonb_build_object('nist-ai-rmf@1.0', (
    select jsonb_object_agg(c.id, (array['planned', 'in_place', 'in_place', 'not_effective', 'not_applicable'])
      [1 + (c.n * 7 + u.number) % 5])
    from jsonb_array_elements_text(:controls::jsonb) with ordinality as c (id, n)
    where (c.n * 5 + u.number) % 72 < 30)), u.updated_at
from use_case u;
