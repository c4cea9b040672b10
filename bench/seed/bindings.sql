-- Each pipeline is bound to some approved use cases from all over the register.
insert into pipeline_binding (id, person_id, use_case_id, bound_by, bound_at)
select gen_random_uuid(), pipeline.id, chosen.id, pg_temp.id_of('person', 201), '2024-01-01'
from (
  select id, row_number() over (order by id) as turn
  from (
    select id, row_number() over (order by number) as place, count(*) over () as total
    from use_case where approval_id is not null
  ) approved
  where place % greatest(total / 4000, 1) = 0
) chosen
join (
  select id, row_number() over (order by id) - 1 as turn, count(*) over () as total
  from person where kind = 'service' and id <> '00000000-0000-7000-8000-000000000001'
) pipeline on pipeline.turn = chosen.turn % pipeline.total;

select setval('use_case_number', (select max(number) from use_case));
