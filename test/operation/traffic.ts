// People who write without a pause, and a log of what they were answered.
import { type Answer, ifMatch } from '../app.js'
import type { Connection } from '../database-run.js'
import { query, register, type Team } from './register.js'

/** One request: when it was sent, how long its answer took, and the answer, if there was one. */
export interface Asked {
  sentAt: number
  tookMs: number
  status: number | undefined
  id: string
  revision: number
}

export interface Traffic {
  log: Asked[]
  /** Waits until so many more changes were acknowledged that were sent at or after an instant. */
  acknowledge(count: number, since?: number): Promise<void>
  /** Waits until everybody has their last answer. */
  stop(): Promise<Asked[]>
}

const WRITERS = 6

/** Each writer registers a use case, revises it three times, registers the next, and so on. */
export function writeAlong(team: Team): Traffic {
  const log: Asked[] = []
  const waiting: (() => void)[] = []
  let isOver = false
  const write = async (writer: number) => {
    let last: Answer | undefined
    for (let n = 0; !isOver; n += 1) {
      const sentAt = performance.now()
      const answer: Answer | undefined = await change(team, `Use ${writer} ${n}`, last).catch(() => undefined)
      const { id, revision } = answer?.body ?? {}
      log.push({ sentAt, tookMs: performance.now() - sentAt, status: answer?.status, id, revision })
      last = isGood(answer?.status) && n % 4 !== 3 ? answer : undefined
      for (const look of waiting) look()
    }
  }
  const writers = Array.from({ length: WRITERS }, async (_, writer) => await write(writer))
  return {
    log,
    async acknowledge(count, since = 0) {
      const already = log.length
      const found = () => acknowledged(log.slice(already)).filter(({ sentAt }) => sentAt >= since).length
      await new Promise<void>((resolve) => waiting.push(() => found() >= count && resolve()))
    },
    async stop() {
      isOver = true
      await Promise.all(writers)
      return log
    },
  }
}

async function change(team: Team, title: string, last: Answer | undefined): Promise<Answer> {
  if (!last) return await register(team, title)
  const revision = { facts: { tags: [title] }, reason: title }
  return await team.business.patch(`/v1/use-cases/${last.body.id}`, revision, ifMatch(last))
}

export function isGood(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300
}

export function acknowledged(log: Asked[]): Asked[] {
  return log.filter(({ status }) => isGood(status))
}

/** Acknowledged changes that are not there: there must be none. */
export async function findLost(connection: Connection, log: Asked[]): Promise<Asked[]> {
  const states = await query(connection, 'select use_case_id as id, revision from use_case_state')
  const kept = new Set(states.map(({ id, revision }) => `${id} ${revision}`))
  return acknowledged(log).filter(({ id, revision }) => !kept.has(`${id} ${revision}`))
}
