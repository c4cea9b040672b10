import { listOf, type Row, rowOf } from './finding.js'

/** What is said of one thing: by the log, or by a record. Undefined is what one of them does not say. */
export type Said = Record<string, unknown>

export interface Telling {
  /** What it is about, such as `vote`, and its name. */
  about: string
  said: Said
  /** When what a record says happened, where a package tells of it earlier than its log does. */
  at?: unknown
}

export type Words = (name: string) => unknown

/** What events say of how long evidence is kept, of what holds it, and of its disposal. */
export const keepingTold: Record<string, (leaf: Row, words: Words) => Telling[]> = {
  'retention.raised': (leaf) => [floor(leaf, leaf.ordinal)],
  'retention.extended': (leaf) => [floor(leaf, leaf.ordinal)],
  'retention.shortened': (leaf, words) => [
    floor(leaf, leaf.ordinal),
    verdict(`shortening ${leaf.shorteningId}`, leaf, words, 'confirmed'),
  ],
  'retention.shortening_rejected': (leaf, words) => [
    verdict(`shortening ${leaf.shorteningId}`, leaf, words, 'rejected'),
  ],
  'retention.shortening_proposed': ({ shorteningId, evidenceId, retainUntil, actor }, words) => [
    {
      about: `shortening ${shorteningId}`,
      said: { evidenceId, retainUntil, proposedBy: actor, reason: words('reason') },
    },
  ],
  'legal_hold.placed': (leaf, words) =>
    [...listOf(leaf.evidenceIds), ...(leaf.whole === true ? [null] : [])].map((evidenceId) => ({
      about: `hold ${leaf.holdId} of ${evidenceId ?? rowOf(leaf.aggregate).id}`,
      said: { key: leaf.key, title: words('title') },
    })),
  'legal_hold.released': ({ objectId, actor }, words) => [
    {
      about: `release ${objectId}`,
      said: { releasedBy: actor, releaseReason: words('reason') },
    },
  ],
  'legal_hold.lifted': ({ aggregate, holdId, actor }, words) => [
    {
      about: `lifting ${holdId} of ${rowOf(aggregate).id}`,
      said: { liftedBy: actor, liftingReason: words('reason') },
    },
  ],
  'disposal.proposed': ({ disposalId, actor, policy, evidenceIds }, words) => [
    {
      about: `disposal ${disposalId}`,
      said: {
        ...{ proposedBy: actor, policyDigest: policy, reason: words('reason') },
        evidenceIds: listOf(evidenceIds).map(String).sort(),
      },
    },
  ],
  'disposal.confirmed': (leaf, words) => [verdict(`disposal ${leaf.disposalId}`, leaf, words, 'confirmed')],
  'disposal.rejected': (leaf, words) => [verdict(`disposal ${leaf.disposalId}`, leaf, words, 'rejected')],
}

/** How long a piece is kept; nothing of what was attached before there was retention. */
export function floor({ evidenceId, retainUntil, daysAfterRetirement }: Row, ordinal: unknown): Telling {
  return { about: `retention ${evidenceId} ${ordinal}`, said: { retainUntil, daysAfterRetirement } }
}

function verdict(about: string, { actor }: Row, words: Words, given: string): Telling {
  return {
    about: `verdict on ${about}`,
    said: { verdict: given, givenBy: actor, verdictReason: words('reason') },
  }
}

/** What records say of the same. */
export const keepingRecords: Record<string, (row: Row) => Telling[]> = {
  'retention.ndjson': (row) => (isOlder(row) ? [] : [floor(row, row.ordinal)]),
  'shortenings.ndjson': (row) => [
    { about: `shortening ${row.id}`, said: pick(row, ['evidenceId', 'retainUntil', 'proposedBy', 'reason']) },
    ...judged(`shortening ${row.id}`, row),
  ],
  'holds.ndjson': (row) => {
    const { id, holdId, useCaseId, evidenceId, releasedAt, liftedAt } = row
    return [
      { about: `hold ${holdId} of ${evidenceId ?? useCaseId}`, said: row },
      ...(typeof releasedAt === 'string' ? [{ about: `release ${id}`, said: row }] : []),
      ...(typeof liftedAt === 'string' ? [{ about: `lifting ${holdId} of ${useCaseId}`, said: row }] : []),
    ]
  },
  'disposals.ndjson': ({ id, pieces, proposedAt, ...row }) => {
    const evidenceIds = listOf(pieces).map((piece) => String(rowOf(piece).evidenceId))
    return [
      { about: `disposal ${id}`, said: { ...row, evidenceIds: evidenceIds.sort() }, at: proposedAt },
      ...judged(`disposal ${id}`, row),
    ]
  },
}

/** Only rows that a migration wrote have no event. */
function isOlder({ ordinal, because, policyDigest }: Row): boolean {
  return ordinal === 1 && because === 'before' && policyDigest === null
}

function judged(about: string, { verdict, givenBy, givenAt, verdictReason }: Row): Telling[] {
  if (typeof verdict !== 'string') return []
  return [{ about: `verdict on ${about}`, said: { verdict, givenBy, verdictReason }, at: givenAt }]
}

export function pick(row: Row, names: string[]): Said {
  return Object.fromEntries(names.map((name) => [name, row[name]]))
}
