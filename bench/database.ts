import pg from 'pg'
import type { Place } from './cluster.js'

/** Asks the database beside the service, with the rights of the service. */
export async function query<R extends pg.QueryResultRow>(
  { host, database }: Place,
  text: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ host, database, user: 'assent_app' })
  await client.connect()
  try {
    const { rows } = await client.query<R>(text, values)
    return rows
  } finally {
    await client.end()
  }
}
