import type pg from 'pg'
import type { Principal } from '../auth/principal.js'
import { RegistryError } from '../errors.js'

/** Somebody's rights changed between the first byte of their request and its end. */
export class RightsMoved extends RegistryError {
  constructor() {
    super('conflict', 'your rights changed while this was under way; ask again')
  }
}

/**
 * Rights are read when a request begins, and its body may take minutes to come. So they are looked at again as the
 * last thing before a commit: every grant, revocation, departure and token is an event of the person it concerns.
 */
export async function assertRightsInForce(
  client: pg.ClientBase,
  { personId, asOfEventNo }: Principal,
): Promise<void> {
  if (asOfEventNo === undefined) return
  const { rowCount } = await client.query({
    name: 'rights_in_force',
    text: 'select from person where id = $1 and last_event_no = $2',
    values: [personId, asOfEventNo],
  })
  if (rowCount === 0) throw new RightsMoved()
}
