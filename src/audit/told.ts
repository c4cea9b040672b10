import type { EventType } from './events.js'

/** Events that others may want to be told of. The journal puts each of them into the outbox as well. */
export const toldTypes = [
  ...['use_case.retired', 'tier.raised', 'review.opened', 'review.withdrawn', 'decision.made'],
  ...['stage.opened', 'stage.closed', 'stage.overdue', 'approval.lapsed'],
  ...['condition.imposed', 'condition.reassigned', 'condition.met', 'condition.waived', 'condition.ended'],
  ...['condition.due_soon', 'condition.overdue', 'policy.loaded', 'policy.applied'],
  ...['use_case.suspended', 'suspension.lifted', 'incident.reported', 'incident.closed'],
  ...[
    'break_glass.opened',
    'break_glass.closed',
    'break_glass.reviewed',
    'webhook.tested',
    'webhook.disabled',
  ],
] as const satisfies EventType[]

export type ToldType = (typeof toldTypes)[number]

const told: ReadonlySet<string> = new Set(toldTypes)

export function isTold(type: string): type is ToldType {
  return told.has(type)
}
