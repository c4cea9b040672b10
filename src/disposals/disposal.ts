import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { day, type Instant } from '../instant.js'
import { NewProposalVerdict, ProposalVerdict } from '../retention/retention.js'
import { reason } from '../text.js'
import * as examples from './examples.js'

export { NewProposalVerdict }

/** What is to be seen of a piece before it goes, and after; of what it says itself, nothing. */
const Shown = z.strictObject({
  evidenceId: z.uuid(),
  kind: z.string(),
  form: z.string(),
  digest: z.string().describe('Of its bytes; it stays'),
  size: z.int().describe('Bytes'),
  attachedAt: z.iso.datetime(),
  retainedUntil: z.iso.datetime().describe('From then on it need not be kept'),
  classes: z.array(z.string()).describe('Ids of the classes of policy under which it was kept'),
  decisionIds: z.array(z.uuid()).describe('Decisions that rested on it'),
})

export const DisposalCandidate = z
  .strictObject({
    ...Shown.shape,
    title: z.string(),
    useCase: z.strictObject({ id: z.uuid(), key: z.string(), title: z.string() }),
  })
  .meta({
    id: 'DisposalCandidate',
    description: 'A piece whose time is over, that nothing holds, and on which nothing in force rests',
    examples: [examples.candidate],
  })
export type DisposalCandidate = z.infer<typeof DisposalCandidate>

export const NewDisposal = z
  .strictObject({
    evidenceIds: z.array(z.uuid()).min(1, 'name at least one piece').max(200),
    reason,
  })
  .meta({ id: 'NewDisposal', examples: [examples.newDisposal] })
export type NewDisposal = z.infer<typeof NewDisposal>

/** Pieces of a use case that one person proposes to dispose of, and what another said. */
export const Disposal = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    useCase: z.strictObject({ key: z.string(), title: z.string() }),
    reason: z.string(),
    policy: z.string().describe('Digest of the policy in force when it was proposed'),
    proposedBy: z.uuid().describe('Id of a person, who cannot confirm it'),
    proposedAt: z.iso.datetime(),
    verdict: ProposalVerdict.nullable().describe('Null while it waits for somebody else'),
    pieces: z.array(Shown),
  })
  .meta({
    id: 'Disposal',
    description: 'Evidence to be disposed of, for two people to agree on',
    examples: [examples.disposal],
  })
export type Disposal = z.infer<typeof Disposal>

export const disposalFilters = {
  state: z.enum(['open', 'confirmed', 'rejected']).optional().describe('Only those that are so now'),
}
export type DisposalFilters = z.infer<z.ZodObject<typeof disposalFilters>>

const Signed = z.strictObject({
  by: z.strictObject({ id: z.uuid(), name: z.string() }),
  at: z.iso.datetime(),
  reason: z.string(),
})

/** What is left to show once evidence is gone. */
export const Certificate = z
  .strictObject({
    format: z.literal('assent-disposal-certificate'),
    formatVersion: z.literal(1),
    disposalId: z.uuid(),
    useCase: z.strictObject({ id: z.uuid(), key: z.string(), title: z.string() }),
    disposedAt: z.iso.datetime(),
    proposed: Signed,
    confirmed: Signed,
    policy: z.string().describe('Digest of the policy in force when it was proposed'),
    pieces: z.array(
      z.strictObject({
        ...Shown.shape,
        eventNo: z.int().describe('Of `evidence.disposed` in the log of the use case'),
        bytes: z
          .enum(['none', 'shared', 'waiting', 'removed'])
          .describe(
            '`none`: it had no file; `shared`: other evidence has the same bytes; `waiting`: the store was not asked yet, or refused',
          ),
        bytesRemovedAt: z.iso.datetime().nullable(),
      }),
    ),
  })
  .meta({
    id: 'DisposalCertificate',
    description: 'What was disposed of, when, by whom, and under which classes of which policy',
    examples: [examples.certificate],
  })
export type Certificate = z.infer<typeof Certificate>

/** A piece as the rule looks at it. */
export interface Weighed {
  id: string
  isDisposed: boolean
  /** From when on it need not be kept; null while that is open. */
  endsAt: Instant | null
  /** Keys of the legal holds over it. */
  heldBy: string[]
  isRetired: boolean
  hasOpenReview: boolean
  /** A newer piece came in its place, or it was refused. */
  isPast: boolean
  /** The approval in force was decided on it, or a condition of the use case was met by it. */
  isRestedOn: boolean
}

/**
 * why a piece may not be disposed of, in a sentence that says what would have to happen first; null
 * when it may. Pure.
 */
export function obstacleTo(piece: Weighed, now: Instant): string | null {
  const { isDisposed, heldBy, endsAt, isRetired, hasOpenReview, isPast, isRestedOn } = piece
  if (isDisposed) return 'was disposed of already; leave it out'
  if (heldBy.length > 0)
    return `is under the legal hold ${heldBy.join(', ')}; somebody has to lift that first`
  if (endsAt === null) return 'is kept until some time after its use case is retired; retire that first'
  if (endsAt > now) return `is kept until ${day(endsAt)}; wait until then, or propose to shorten that`
  if (isRetired) return null
  if (hasOpenReview) return 'may be needed in the review that is open; wait until that is closed'
  if (isRestedOn) return 'is what an approval or a condition rests on; it can go once its use case is retired'
  if (!isPast)
    return 'may still count; it can go once a newer piece came in its place, or its use case is retired'
  return null
}

/** @throws RegistryError `conflict` naming the pieces that may not go, and why */
export function assertDisposable(pieces: Weighed[], now: Instant): void {
  const obstacles = pieces.flatMap((piece) => {
    const obstacle = obstacleTo(piece, now)
    return obstacle === null ? [] : [`${piece.id} ${obstacle}`]
  })
  const [first, ...others] = obstacles
  if (first === undefined) return
  const more = others.length > 0 ? `; ${others.length} more pieces may not go either` : ''
  throw new RegistryError('conflict', `this may not be disposed of now: ${first}${more}`)
}

/** @throws RegistryError `conflict` when somebody confirmed or rejected it */
export function assertUndecided(verdict: { verdict: string; givenAt: Instant } | null): void {
  if (verdict === null) return
  throw new RegistryError(
    'conflict',
    `this disposal was ${verdict.verdict} on ${day(verdict.givenAt)}, which stays; propose another one if need be`,
  )
}

/** @throws RegistryError `conflict` for what nobody disposed of */
export function assertConfirmed<V extends { verdict: string }>(verdict: V | null): V {
  if (verdict?.verdict === 'confirmed') return verdict
  throw new RegistryError(
    'conflict',
    'nothing was disposed of by this, so there is no certificate; ask again once somebody confirmed it',
  )
}
