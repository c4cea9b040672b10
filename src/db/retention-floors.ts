import type pg from 'pg'
import type { Asked, Floor } from '../policy/retention-file.js'
import { insertAll } from './insert-all.js'
import { retentionFloors } from './schema.js'

export type FloorRow = typeof retentionFloors.$inferSelect

/** What is new about how long a piece is kept. What is left out stays as it was. */
export type NewFloor = Pick<FloorRow, 'evidenceId' | 'because' | 'setBy' | 'setAt'> &
  Partial<Pick<FloorRow, 'classes' | 'policyDigest' | 'reason' | 'shorteningId' | 'approvedBy'>> & {
    floor: Floor
    asked?: Asked
  }

/** the next row of how long a piece is kept, or its first. */
export async function insertFloor(
  client: pg.ClientBase,
  { floor, asked, ...set }: NewFloor,
  earlier?: FloorRow,
): Promise<FloorRow> {
  const before = earlier && askedIn(earlier)
  const { policy, regulatory, classes } = asked ?? before ?? nothing(floor)
  const row: FloorRow = {
    ...{ policyDigest: null, reason: null, shorteningId: null, approvedBy: null, classes },
    ...set,
    ordinal: (earlier?.ordinal ?? 0) + 1,
    ...{ retainUntil: floor.until, daysAfterRetirement: floor.daysAfterRetirement },
    ...{ policyUntil: policy.until, policyDays: policy.daysAfterRetirement },
    ...{ regulatoryUntil: regulatory.until, regulatoryDays: regulatory.daysAfterRetirement },
    approval: set.because === 'shortened' ? 'confirmed' : null,
    earlierOrdinal: earlier?.ordinal ?? null,
    ...{ earlierUntil: earlier?.retainUntil ?? null, earlierDays: earlier?.daysAfterRetirement ?? null },
    ...{ earlierPolicyUntil: before?.policy.until ?? null },
    ...{ earlierPolicyDays: before?.policy.daysAfterRetirement ?? null },
    ...{ earlierRegulatoryUntil: before?.regulatory.until ?? null },
    ...{ earlierRegulatoryDays: before?.regulatory.daysAfterRetirement ?? null },
  }
  await insertAll(client, retentionFloors, [row])
  return row
}

export function floorIn({ retainUntil, daysAfterRetirement }: FloorRow): Floor {
  return { until: retainUntil, daysAfterRetirement }
}

/** What policy had asked for when a row was set. */
export function askedIn(row: FloorRow): Asked {
  return {
    policy: { until: row.policyUntil, daysAfterRetirement: row.policyDays },
    regulatory: { until: row.regulatoryUntil, daysAfterRetirement: row.regulatoryDays },
    classes: row.classes,
  }
}

function nothing(floor: Floor): Asked {
  return { policy: floor, regulatory: { until: floor.until, daysAfterRetirement: 0 }, classes: [] }
}
