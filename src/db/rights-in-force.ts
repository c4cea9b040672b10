import type pg from 'pg'
import { isInForce, type Principal, type Represented } from '../auth/principal.js'
import { RegistryError } from '../errors.js'
import type { Instant } from '../instant.js'

/** Somebody's rights changed between the first byte of their request and its end. */
export class RightsMoved extends RegistryError {
  constructor() {
    super('conflict', 'your rights changed while this was under way; ask again')
  }
}

/**
 * Rights are read when a request begins, and its body may take minutes to come. So they are looked at again as the
 * last thing before a commit: every grant, revocation, departure, delegation and token is an event of the person it
 * concerns. Whoever fills a seat for somebody else has the rights of two people, and both are looked at.
 */
export async function assertRightsInForce(
  client: pg.ClientBase,
  principal: Principal,
  now: Instant,
): Promise<void> {
  const { personId, asOfEventNo, standsFor = [] } = principal
  if (asOfEventNo === undefined) return
  if (!isInForce(principal, now)) throw new RightsMoved()
  if (standsFor.length > 0) return await assertUnmoved(client, [{ personId, asOfEventNo }, ...standsFor])
  const { rowCount } = await client.query({
    name: 'rights_in_force',
    text: 'select from person where id = $1 and last_event_no = $2',
    values: [personId, asOfEventNo],
  })
  if (rowCount === 0) throw new RightsMoved()
}

async function assertUnmoved(client: pg.ClientBase, people: Represented[]): Promise<void> {
  const { rowCount } = await client.query({
    name: 'rights_of_all_in_force',
    text: `select from person p join unnest($1::uuid[], $2::int[]) as seen (id, event_no) using (id)
      where p.last_event_no = seen.event_no`,
    values: [people.map(({ personId }) => personId), people.map(({ asOfEventNo }) => asOfEventNo)],
  })
  if (rowCount !== people.length) throw new RightsMoved()
}
