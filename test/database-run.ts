import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

export interface Connection {
  host: string
  port: number
  user: string
  database: string
  password?: string
  options?: string
}

/**
 * The connection of one of Assent's roles. The embedded server trusts whoever reaches its socket; elsewhere the
 * superuser steps into the role, which has no password.
 */
export function roleOf(
  superuser: Connection,
  database: string,
  role: 'assent_owner' | 'assent_app',
): Connection {
  if (superuser.host.startsWith('/') && !superuser.password) return { ...superuser, database, user: role }
  return { ...superuser, database, options: `-c role=${role}` }
}

export async function openClient(connection: Connection): Promise<pg.Client> {
  const client = new pg.Client(connection)
  await client.connect()
  return client
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** What the server of a run has to say to its test files. */
export type News = { connection: Connection; prefix: string; pid: number } | { error: string }

/** Whole or not at all: whoever waits for the news reads it as soon as it is there. */
export function announce(folder: string, news: News): void {
  writeFileSync(join(folder, 'draft.json'), JSON.stringify(news))
  renameSync(join(folder, 'draft.json'), join(folder, 'news.json'))
}

export function readNews(folder: string): News | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'news.json'), 'utf8'))
  } catch {
    return undefined
  }
}
