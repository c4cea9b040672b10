import type pg from 'pg'
import type { Instant } from '../instant.js'
import type { Audience } from './mail.js'

/** What an event speaks of, for finding out whom it concerns. */
export interface Concern {
  eventId: string
  aggregateId: string
  reviewId: string | null
  stage: string | null
  decisionId: string | null
  conditionId: string | null
}

export interface Concerned {
  eventId: string
  personId: string
}

/** Every statement gets the same arrays, and answers pairs of event and person. */
const asked = `asked (event_id, aggregate_id, review_id, stage, decision_id, condition_id) as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[]))`

const aboveUnits = `above (unit, id) as (
    select distinct org_unit_id, org_unit_id from place
    union select a.unit, o.parent_id from above a join org_unit o on o.id = a.id where o.parent_id is not null)`

const ownersOf = (columns: string) => `with ${asked}
  select a.event_id as "eventId", p.id as "personId"
  from asked a join use_case u on u.id = a.aggregate_id join person p on p.id in (${columns})`

/**
 * Whoever can vote in the stage, or in those that opened with the round if none is named: holders of its seats for the unit, and their delegates; not those who are excluded
 * from the round, and not the delegates of these (R-41).
 */
const seatsOfStage = (onlyEmpty: boolean) => `with recursive ${asked},
  place as (
    select a.event_id, a.review_id, seat.value ->> 'seat' as seat, u.org_unit_id
    from asked a join review r on r.id = a.review_id join use_case u on u.id = r.use_case_id
    cross join lateral jsonb_array_elements(r.lane -> 'stages') as stage (value)
    cross join lateral jsonb_array_elements(stage.value -> 'seats') as seat (value)
    join review_stage s on s.review_id = r.id and s.stage = stage.value ->> 'id' and s.closed_at is null
    where r.closed_at is null and (s.stage = a.stage or (a.stage is null and s.opened_at = r.opened_at))),
  ${aboveUnits},
  holder as (
    select p.event_id, p.review_id, g.person_id
    from place p join above v on v.unit = p.org_unit_id
    join rights_grant g on g.kind = 'seat' and g.name = p.seat and g.org_unit_id = v.id and g.revoked_at is null
    where not exists (select from review_party x
        where x.review_id = p.review_id and x.person_id = g.person_id and x.part = 'excluded')
      ${onlyEmpty ? `and not exists (select from review_seat s where s.review_id = p.review_id and s.seat = p.seat and s.vacated_at is null)` : ''})
  select h.event_id as "eventId", h.person_id as "personId" from holder h
  union
  select h.event_id, d.to_id from holder h
    join delegation d on d.from_id = h.person_id and d.accepted_at is not null and d.ended_at is null
      and d.starts_at <= $7 and d.ends_at > $7
    where not exists (select from review_party x
      where x.review_id = h.review_id and x.person_id = d.to_id and x.part = 'excluded')`

const statements: Record<Audience, string> = {
  owners: ownersOf('u.business_owner_id, u.risk_owner_id'),
  risk_owner: ownersOf('u.risk_owner_id'),
  seats_of_stage: seatsOfStage(false),
  empty_seats_of_stage: seatsOfStage(true),
  condition_owner: `with ${asked}
    select a.event_id as "eventId", c.owner_id as "personId"
    from asked a join condition c on c.id = a.condition_id where c.owner_id is not null`,
  owners_of_imposed: `with ${asked}
    select a.event_id as "eventId", c.owner_id as "personId"
    from asked a join condition c on c.decision_id = a.decision_id where c.owner_id is not null`,
  administrators: `with recursive ${asked},
    place as (select a.event_id, w.org_unit_id from asked a join webhook w on w.id = a.aggregate_id),
    ${aboveUnits}
    select p.event_id as "eventId", g.person_id as "personId"
    from place p join above v on v.unit = p.org_unit_id
    join rights_grant g on g.kind = 'role' and g.name = 'administrator' and g.org_unit_id = v.id
      and g.revoked_at is null`,
}

/** Whom these events concern as this audience. */
export async function listConcerned(
  client: pg.ClientBase,
  audience: Audience,
  concerns: Concern[],
  now: Instant,
): Promise<Concerned[]> {
  const text = statements[audience]
  const values: unknown[] = [
    concerns.map(({ eventId }) => eventId),
    concerns.map(({ aggregateId }) => aggregateId),
    concerns.map(({ reviewId }) => reviewId),
    concerns.map(({ stage }) => stage),
    concerns.map(({ decisionId }) => decisionId),
    concerns.map(({ conditionId }) => conditionId),
  ]
  const { rows } = await client.query<Concerned>(text, text.includes('$7') ? [...values, now] : values)
  return rows
}
