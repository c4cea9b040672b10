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
  /** Whether this person votes for the caller now. */
  isMyDelegate(personId: string): Promise<boolean>
}

/**
 * seats a person in a round: their part as elector, and the seat itself, and the same for the holder whom
 * they vote for. The keys of the database stand against a second person in the seat, a second seat for either of
 * them, and anyone who is excluded.
 * @throws RegistryError `conflict` for a seat that is taken, or somebody who is seated already
 */
export async function takeSeat(tx: WriteTx, seating: Seating): Promise<void> {
  const { reviewId, seat, onBehalfOf } = seating
  const { personId } = tx.principal
  const seated = [personId, onBehalfOf].filter((id) => id !== undefined)
  const taken = await listTaken(tx, reviewId, seat, seated)
  const back = taken.find((row) => row.personId === personId && row.vacatedAt === null)
  if (back?.representedBy && back.seat === seat && onBehalfOf === undefined) {
    return await assertBack(seating, back.representedBy)
  }
  if (isSeatedSo(taken, personId, seating)) return
  const elector = { reviewId, part: 'elector' as const, because: `votes for the ${seat} seat` }
  await tx.sql
    .insert(reviewParties)
    .values(seated.map((id) => ({ ...elector, personId: id })))
    .onConflictDoNothing()
  await tx.sql.insert(reviewSeats).values({ reviewId, seat, personId, represents: onBehalfOf ?? null })
  if (onBehalfOf === undefined) return
  await tx.sql.insert(reviewSeats).values({ reviewId, seat, personId: onBehalfOf, representedBy: personId })
}

/** once their delegation is over, holders speak for themselves again, from the same seat. */
async function assertBack({ isMyDelegate }: Seating, delegateId: string): Promise<void> {
  if (!(await isMyDelegate(delegateId))) return
  throw conflict('somebody votes for you in this round; end your delegation to them to vote yourself')
}

/** Whoever sits in this seat, and wherever these people sit. */
async function listTaken(
  tx: WriteTx,
  reviewId: string,
  seat: string,
  personIds: string[],
): Promise<SeatRow[]> {
  return await tx.sql
    .select()
    .from(reviewSeats)
    .where(
      and(
        eq(reviewSeats.reviewId, reviewId),
        or(eq(reviewSeats.seat, seat), inArray(reviewSeats.personId, personIds)),
      ),
    )
}

/** Whether they fill this seat already, for the same person; false if they may take it. */
function isSeatedSo(taken: SeatRow[], personId: string, { seat, onBehalfOf }: Seating): boolean {
  const mine = taken.find((row) => row.personId === personId)
  const holder = taken.find((row) => row.personId === onBehalfOf)
  if (mine) assertMine(mine, seat)
  const filling = taken.find(
    (row) => row.seat === seat && row.vacatedAt === null && row.representedBy === null,
  )
  if (filling && filling.personId !== personId) {
    throw conflict(`somebody else votes for the ${seat} seat in this round; nothing to do`)
  }
  if (filling && filling.represents !== (onBehalfOf ?? null)) {
    throw conflict('you vote in this round already, for yourself or for another; change that vote instead')
  }
  if (!filling && holder) {
    throw conflict('whoever you vote for has a seat in this round already; one person fills one seat')
  }
  return filling !== undefined
}

function assertMine(mine: SeatRow, seat: string): void {
  if (mine.vacatedAt !== null) {
    throw conflict('you gave up your seat in this round; another holder of it votes now')
  }
  if (mine.representedBy !== null) {
    throw conflict('somebody has voted for you in this round; one person fills one seat')
  }
  if (mine.seat === seat) return
  throw conflict(`you vote for the ${mine.seat} seat in this round; one person fills one seat`)
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
