import { z } from 'zod'
import { addDays, type Instant } from '../instant.js'
import { Tier } from '../use-cases/use-case.js'
import * as examples from './examples.js'

export const QueueKind = z
  .enum(['vote', 'condition', 'requirement', 'evidence', 'use_case', 'incident', 'break_glass', 'suspension'])
  .meta({
    id: 'QueueKind',
    description:
      'What waits: a vote, a condition to meet, something required that is missing or goes stale, evidence to judge, a use case to submit, an incident to close, an emergency opening to review, or a suspension to lift; a closed list within `/v1`, which may grow',
  })
export type QueueKind = z.infer<typeof QueueKind>

export const QueueItem = z
  .strictObject({
    kind: QueueKind,
    id: z.uuid().describe('Of the review, condition, evidence and so on'),
    useCase: z.strictObject({ id: z.uuid(), key: z.string(), title: z.string(), tier: Tier }),
    todo: z.string().describe('What to do, in a sentence'),
    dueAt: z.iso.datetime().nullable().describe('Null for what has no date'),
    isOverdue: z.boolean(),
    since: z.iso.datetime().describe('Since when it waits'),
    link: z.string().describe('Where to read what it is about, below this API'),
  })
  .meta({ id: 'QueueItem', description: 'One thing that waits for whoever asks' })
export type QueueItem = z.infer<typeof QueueItem>

export const Queue = z
  .strictObject({
    at: z.iso.datetime().describe('When this was read'),
    items: z.array(QueueItem).describe('The most urgent first'),
    more: z.array(QueueKind).describe('Kinds of which more wait than are shown'),
  })
  .meta({ id: 'Queue', description: 'What waits for whoever asks', examples: [examples.queue] })
export type Queue = z.infer<typeof Queue>

const SOON_DAYS = 7

/**
 * The most urgent first: what is overdue, what is due within seven days, what has no date, and then the rest. In each,
 * what is due or has waited longest comes first. Pure.
 */
export function byUrgency(items: readonly QueueItem[], now: Instant): QueueItem[] {
  const soon = addDays(now, SOON_DAYS)
  const bandOf = ({ isOverdue, dueAt }: QueueItem): number => {
    if (isOverdue) return 0
    if (dueAt === null) return 2
    return dueAt <= soon ? 1 : 3
  }
  const keyOf = (item: QueueItem) => `${bandOf(item)} ${item.dueAt ?? ''} ${item.since} ${item.id}`
  return items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
