import { z } from 'zod'
import { givenInstant } from '../instant.js'
import { event } from './examples.js'

export const EventView = z
  .strictObject({
    id: z.uuid(),
    type: z.string().describe('Noun and verb, such as decision.made'),
    aggregate: z
      .strictObject({
        kind: z.string(),
        id: z.uuid(),
        no: z.int().describe('Counts the events of one aggregate from 1, without gaps'),
      })
      .describe('What it happened to'),
    recordedAt: z.iso.datetime(),
    actorId: z.uuid().describe('The person or service account who did it'),
    data: z.record(z.string(), z.unknown()).describe('What the log holds: ids, names and digests'),
    sealed: z
      .record(z.string(), z.unknown())
      .describe('Personal or bulky values; the log holds a salted hash of each in their place'),
    leaf: z
      .base64()
      .nullable()
      .describe(
        'The exact bytes in the log (RFC 8785 JSON), for `form=exact`; compare these, never a rewriting of them',
      ),
  })
  .meta({ id: 'Event', description: 'An event as people read it', examples: [event] })
export type EventView = z.infer<typeof EventView>

export const EventForm = z
  .enum(['plain', 'exact'])
  .default('plain')
  .describe('`exact` adds the bytes of the log')

export const EventFilters = z.strictObject({
  type: z.string().max(60).optional().describe('Such as decision.made'),
  actor: z.uuid().optional().describe('Who did it'),
  aggregate: z
    .uuid()
    .optional()
    .describe(
      'What it happened to: a use case, person, org unit, system, import, policy, catalog, webhook or gate answer',
    ),
  from: givenInstant.optional().describe('From this instant on'),
  to: givenInstant.optional().describe('Before this instant'),
})
export type EventFilters = z.infer<typeof EventFilters>

interface Stored {
  id: string
  type: string
  aggregateKind: string
  aggregateId: string
  eventNo: number
  recordedAt: string
  actorId: string
  leaf: Buffer
  sealed: Record<string, { value: unknown }> | null
}

/** Members that every leaf has; the rest is what happened. */
const HEADER = new Set(['v', 'id', 'type', 'at', 'aggregate', 'actor', 'sealed'])

export function presentEvent(row: Stored, form: 'plain' | 'exact'): EventView {
  const { id, type, aggregateKind: kind, aggregateId, eventNo: no, recordedAt, actorId, leaf, sealed } = row
  const members = Object.entries(JSON.parse(leaf.toString()) as EventView['data'])
  const values = Object.entries(sealed ?? {}).map(([name, { value }]) => [name, value])
  return {
    ...{ id, type, aggregate: { kind, id: aggregateId, no }, recordedAt, actorId },
    data: Object.fromEntries(members.filter(([name]) => !HEADER.has(name))),
    sealed: Object.fromEntries(values),
    leaf: form === 'exact' ? leaf.toString('base64') : null,
  }
}
