/** An event as the outbox has it, with the bytes of the log. */
export interface ToldEvent {
  eventId: string
  leaf: Buffer
  /** `UC-1042`, if it happened to a use case. */
  useCase: string | null
}

interface Leaf extends Record<string, unknown> {
  id: string
  type: string
  at: string
  aggregate: { kind: string; id: string; no: number }
  actor: string
}

/** Members of every leaf that are said elsewhere, or mean nothing to others. */
const HEADER = new Set(['v', 'id', 'type', 'at', 'aggregate', 'actor', 'request', 'sealed'])

export function readLeaf(leaf: Buffer): Leaf {
  return JSON.parse(leaf.toString()) as Leaf
}

/** What happened, without what every event says: ids, names and digests, as the log may be read by outsiders. */
export function membersOf(leaf: Leaf): Record<string, unknown> {
  return Object.fromEntries(Object.entries(leaf).filter(([name]) => !HEADER.has(name)))
}

/**
 * The body of a webhook's request: thin, so that whoever wants to know more asks for it and is judged by their own
 * rights. Nothing sealed is in it, and it is the same text each time it is sent.
 */
export function payloadOf({ leaf: bytes, useCase }: ToldEvent): string {
  const leaf = readLeaf(bytes)
  const { id: eventId, type, at: timestamp, aggregate, actor: actorId } = leaf
  const data = { eventId, aggregate, ...(useCase !== null && { useCase }), actorId, ...membersOf(leaf) }
  return JSON.stringify({ type, timestamp, data })
}
