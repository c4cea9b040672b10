import { and, eq, inArray, isNull, or } from 'drizzle-orm'
import { reviewParties, reviewSeats } from '../db/schema.js'
import type { WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'

type SeatRow = typeof reviewSeats.$inferSelect

export interface Seating {
  reviewId: string
  seat: string
  /** The holder whose delegate fills the seat. */
  onBehalfOf: string | undefined
}

/**
 * seats a person in a round: their part as elector, and the seat itself, and the same for the holder whom
 * they vote for. The keys of the database stand against a second person in the seat, a second seat for either of
 * them, and anyone who is excluded.
 */
export async function takeSeat(tx: WriteTx, { reviewId, seat, onBehalfOf }: Seating): Promise<void> {
  const { personId } = tx.principal
  const because = `votes for the ${seat} seat`
  const seated = [personId, onBehalfOf].filter((id) => id !== undefined)
  await tx.sql
    .insert(reviewParties)
    .values(seated.map((id) => ({ reviewId, personId: id, part: 'elector' as const, because })))
    .onConflictDoNothing()
  const representedBy =
    onBehalfOf === undefined ? [] : [{ reviewId, seat, personId: onBehalfOf, representedBy: personId }]
  const inserted = [{ reviewId, seat, personId, represents: onBehalfOf ?? null }]
  for (const row of [...inserted, ...representedBy]) {
    await tx.sql.insert(reviewSeats).values(row).onConflictDoNothing()
  }
  const taken = await tx.sql
    .select()
    .from(reviewSeats)
    .where(
      and(
        eq(reviewSeats.reviewId, reviewId),
        or(eq(reviewSeats.seat, seat), inArray(reviewSeats.personId, seated)),
      ),
    )
  assertSeated(taken, personId, seat, onBehalfOf)
}

function assertSeated(
  taken: SeatRow[],
  personId: string,
  seat: string,
  onBehalfOf: string | undefined,
): void {
  const mine = taken.find((row) => row.personId === personId)
  if (mine?.vacatedAt) {
    throw conflict('you gave up your seat in this round; another holder of it votes now')
  }
  if (mine?.representedBy) throw conflict('somebody votes for you in this round; ask them to change the vote')
  if (mine && mine.seat !== seat) {
    throw conflict(`you vote for the ${mine.seat} seat in this round; one person fills one seat`)
  }
  const filling = taken.find(
    (row) => row.seat === seat && row.vacatedAt === null && row.representedBy === null,
  )
  if (filling?.personId !== personId) {
    throw conflict(`somebody else votes for the ${seat} seat in this round; nothing to do`)
  }
  if (filling.represents === (onBehalfOf ?? null)) return
  throw conflict('you vote in this round already, for yourself or for another; change that vote instead')
}

/** leaves the seat to another holder; what was voted from it stays on record and counts no more. */
export async function vacateSeat(tx: WriteTx, reviewId: string, seat: string): Promise<void> {
  const filled = and(
    eq(reviewSeats.reviewId, reviewId),
    eq(reviewSeats.seat, seat),
    isNull(reviewSeats.vacatedAt),
  )
  await tx.sql.update(reviewSeats).set({ vacatedAt: tx.now }).where(filled)
}

function conflict(message: string): RegistryError {
  return new RegistryError('conflict', message)
}
