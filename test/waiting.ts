import { setTimeout as wait } from 'node:timers/promises'
import type pg from 'pg'
import type { Answer, TestApp } from './app.js'
import { openClient } from './database-run.js'

/**
 * Lets several requests meet: a third connection holds the row until all of them wait for it, in the order in which
 * they were sent, and then lets go.
 */
export async function meeting(
  { connections, owner }: Pick<TestApp, 'connections' | 'owner'>,
  row: { table: string; id: string },
  asks: (() => Promise<Answer>)[],
  meanwhile: () => Promise<void> = async () => {},
): Promise<Answer[]> {
  const holder = await openClient(connections.ownerConnection)
  try {
    await holder.query('begin')
    await holder.query(`select 1 from ${row.table} where id = $1 for update`, [row.id])
    const answers: Promise<Answer>[] = []
    for (const ask of asks) {
      answers.push(ask())
      await until(async () => (await countWaiting(owner)) === answers.length)
    }
    await meanwhile()
    await holder.query('commit')
    return await Promise.all(answers)
  } finally {
    await holder.end()
  }
}

async function countWaiting(owner: pg.Client): Promise<number> {
  const { rows } = await owner.query<{ waiting: number }>(
    `select count(distinct l.pid)::int as waiting from pg_locks l join pg_stat_activity a using (pid)
      where a.datname = current_database() and not l.granted`,
  )
  return rows[0]?.waiting ?? 0
}

export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(5)
}
