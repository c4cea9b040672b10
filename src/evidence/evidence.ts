import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { day, givenInstant, type Instant } from '../instant.js'
import { reason, text } from '../text.js'
import * as examples from './examples.js'

export const EvidenceKind = z
  .enum([
    'risk_assessment',
    'test_report',
    'privacy_assessment',
    'security_assessment',
    'bias_evaluation',
    'model_card',
    'vendor_document',
    'monitoring_report',
    'legal_opinion',
    'other',
  ])
  .meta({ id: 'EvidenceKind' })
export type EvidenceKind = z.infer<typeof EvidenceKind>

/** What somebody else than the giver made of a piece of evidence. There is one, and it stays. */
export const Verdict = z
  .strictObject({
    verdict: z.enum(['accepted', 'refused']),
    givenBy: z.uuid().describe('Id of a person'),
    givenAt: z.iso.datetime(),
    note: z.string(),
    seats: z
      .array(z.string())
      .describe('Seats that they held there: some evidence is for certain ones to accept'),
  })
  .meta({
    id: 'EvidenceVerdict',
    description: 'What somebody else than the giver made of it; there is one, and it stays',
  })
export type Verdict = z.infer<typeof Verdict>

/** Whether its bytes may be had: a scanner holds some back, and what was disposed of is gone. */
export const EvidenceState = z.enum(['quarantined', 'available', 'rejected', 'disposed']).meta({
  id: 'EvidenceState',
  description: 'Whether its bytes may be had, as the virus scanner says; `disposed` is gone for good',
})
export type EvidenceState = z.infer<typeof EvidenceState>

/** One piece of evidence. It is never changed, and goes only by disposal; a newer one is attached beside it. */
export const Evidence = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    kind: EvidenceKind,
    title: z.string().describe('Empty once it was disposed of'),
    form: z.enum(['file', 'attestation', 'link']),
    digest: z.string().describe('`sha256:` and 64 hex digits, of the bytes that `content` gives'),
    size: z.int().describe('Bytes'),
    mediaType: z.string().describe('As declared by whoever attached it, and as its first bytes say'),
    fileName: z.string().nullable().describe('Null for what is no file'),
    statement: z.string().nullable().describe('What was attested, or what the link shows; null for a file'),
    url: z.string().nullable().describe('Of a link, for people to open; Assent never does'),
    state: EvidenceState,
    disposalId: z.uuid().nullable().describe('By which it was disposed of; its digest stays'),
    damagedAt: z.iso
      .datetime()
      .nullable()
      .describe(
        'When its bytes were found missing or altered; null when they are sound, or were not looked at',
      ),
    freshUntil: z.iso.datetime().nullable().describe('From then on it counts as stale; null for never'),
    isFresh: z.boolean().describe('At the time of the answer'),
    counts: z
      .boolean()
      .describe('Accepted, available, fresh and not superseded: what a decision made now rests on'),
    supersedesId: z
      .uuid()
      .nullable()
      .describe('The older piece, in whose place this one comes once it is accepted'),
    supersededById: z.uuid().nullable().describe('The last newer piece that was accepted, in its place'),
    newerId: z
      .uuid()
      .nullable()
      .describe('The last piece that came after it and was not refused: accepted, or not judged yet'),
    sharedFromId: z.uuid().nullable().describe('The same bytes in another use case, from where it was taken'),
    attachedBy: z.uuid().describe('Id of a person, who cannot judge it'),
    attachedAt: z.iso.datetime(),
    givenAt: z.iso
      .datetime()
      .describe(
        'When its bytes were first given, here or where it is shared from: what policy counts freshness from',
      ),
    verdict: Verdict.nullable().describe('Null until somebody else judged it'),
  })
  .meta({
    id: 'Evidence',
    description: 'A file, an attestation or a link; it is never changed, and goes only by disposal',
    examples: [examples.evidence],
  })
export type Evidence = z.infer<typeof Evidence>

const shapes = {
  kind: EvidenceKind,
  title: text(300).trim().min(3),
  freshUntil: givenInstant.describe('From then on it counts as stale; left out, it never does'),
  supersedesId: z
    .uuid()
    .describe('An older piece of the same use case and kind, which counts until this one is accepted')
    .optional(),
}

export const NewAttestation = z
  .strictObject({
    kind: shapes.kind,
    title: shapes.title,
    statement: text(20_000)
      .trim()
      .min(10, 'say what you attest, in at least ten characters')
      .describe('What you vouch for'),
    freshUntil: shapes.freshUntil.optional(),
    supersedesId: shapes.supersedesId,
  })
  .meta({
    id: 'NewAttestation',
    description: "A person's word instead of a file",
    examples: [examples.newAttestation],
  })
export type NewAttestation = z.infer<typeof NewAttestation>

export const NewLink = z
  .strictObject({
    kind: shapes.kind,
    title: shapes.title,
    url: text(2000)
      .pipe(z.url({ protocol: /^https$/, error: 'must be a URL that begins with https://' }))
      .refine((url) => !holdsCredentials(url), 'holds a name or password; leave them out')
      .describe('Where it is, for people to open; Assent never does'),
    statement: text(20_000)
      .trim()
      .min(10, 'say what it shows, in at least ten characters')
      .describe('What it shows; what is there may change, this stays'),
    freshUntil: shapes.freshUntil.optional(),
    supersedesId: shapes.supersedesId,
  })
  .meta({
    id: 'NewLink',
    description: 'A page elsewhere, and what it shows',
    examples: [examples.newLink],
  })
export type NewLink = z.infer<typeof NewLink>

/** For which other use case a piece of evidence is to serve as well. */
export const NewUse = z
  .strictObject({ useCaseId: z.uuid() })
  .meta({ id: 'NewEvidenceUse', examples: [examples.newUse] })
export type NewUse = z.infer<typeof NewUse>

export const evidenceFilters = {
  kind: EvidenceKind.optional().describe('Only of this kind'),
  state: EvidenceState.optional().describe('Only what the virus scanner left so'),
  verdict: z.enum(['accepted', 'refused', 'none']).optional().describe('`none`: nobody judged it yet'),
  freshAt: givenInstant.optional().describe('Only what is fresh at this instant'),
}
export type EvidenceFilters = z.infer<z.ZodObject<typeof evidenceFilters>>

/** What evidence of all use cases can be narrowed down to. */
export const EvidenceQuery = z.strictObject({
  ...evidenceFilters,
  freshBefore: givenInstant
    .optional()
    .describe(
      'Only what goes stale before this instant, or is so already; with `freshAt`, what does in between',
    ),
  isCurrent: z
    .enum(['true', 'false'])
    .transform((word) => word === 'true')
    .optional()
    .describe(
      '`true`: only what somebody still has to see to or can rest on. `false`: only what was superseded or disposed of, or is of a retired use case',
    ),
  orgUnit: z.uuid().optional().describe('Only of use cases of this unit and everything below it'),
  sort: z
    .enum(['-attachedAt', 'attachedAt', 'freshUntil'])
    .default('-attachedAt')
    .describe('A minus sign means descending. By `freshUntil` comes only what goes stale at all'),
})
export type EvidenceQuery = z.infer<typeof EvidenceQuery>

/** The fields of the form that come before its file. */
export const FileFields = z
  .strictObject({
    kind: shapes.kind,
    title: shapes.title,
    freshUntil: shapes.freshUntil.optional(),
    supersedesId: shapes.supersedesId,
    digest: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, 'give `sha256:` and 64 lower-case hex digits')
      .optional()
      .describe('Of the file’s bytes: what arrives otherwise is refused'),
  })
  .meta({ examples: [examples.fileFields] })
export type FileFields = z.infer<typeof FileFields>

/** A file whose bytes are in the store already. */
export interface NewFile extends Omit<FileFields, 'digest'> {
  fileName: string
  mediaType: string
  digest: string
  size: number
}

export const Judgement = z
  .strictObject({ verdict: Verdict.shape.verdict, note: reason })
  .meta({ id: 'Judgement', examples: [examples.judgement] })
export type Judgement = z.infer<typeof Judgement>

/** @throws RegistryError `conflict` for evidence that is stale, or would be as soon as it is attached */
export function assertFresh(freshUntil: Instant | null, now: Instant): void {
  if (freshUntil === null || freshUntil > now) return
  throw new RegistryError(
    'conflict',
    `this evidence was fresh until ${day(freshUntil)}; attach a current one instead`,
  )
}

/** @throws RegistryError `conflict` while a scanner has not let it go, or when it found something */
export function assertAvailable(state: EvidenceState): void {
  if (state === 'available') return
  throw new RegistryError('conflict', unavailable[state])
}

const unavailable: Record<Exclude<EvidenceState, 'available'>, string> = {
  quarantined:
    'this file waits for the virus scanner; try again in a while, and tell whoever runs Assent if it stays so',
  rejected: 'the virus scanner found something in this file, so nobody gets it; attach a clean one',
  disposed:
    'this evidence was disposed of when its time was over; its digest is left, and the certificate of its disposal',
}

/** @throws RegistryError `conflict` for the use case that it is evidence of already */
export function assertElsewhere(isThere: boolean): void {
  if (!isThere) return
  throw new RegistryError('conflict', 'this is evidence of that use case already; name another use case')
}

export function assertUnjudged(verdict: Pick<Verdict, 'verdict' | 'givenAt'> | null): void {
  if (verdict === null) return
  throw new RegistryError(
    'conflict',
    `this evidence was ${verdict.verdict} on ${day(verdict.givenAt)}, which stays; attach a new one to go on`,
  )
}

/** @throws RegistryError `invalid` when the form and `Repr-Digest` name two digests */
export function assertSameDigest(given: string | undefined, announced: string | undefined): void {
  if (announced === undefined || given === announced) return
  throw new RegistryError(
    'invalid',
    'the digest of the form and Repr-Digest differ; give that of the file in both, or in one of them',
  )
}

function holdsCredentials(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { username, password } = new URL(url)
  return username !== '' || password !== ''
}

/** Characters that make a name read in another order than it is written, such as RIGHT-TO-LEFT OVERRIDE. */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * The last part of what a client calls its file, without what could mislead a reader or a file system.
 * @throws RegistryError `invalid` when that is longer than 255 characters
 */
export function fileNameOf(given: string | undefined): string {
  const [base = ''] = (given ?? '').split(/[/\\]/).slice(-1)
  const name = base
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .replace(DIRECTIONS, '')
    .trim()
  if (name.length > 255) {
    throw new RegistryError('invalid', 'the file name is longer than 255 characters; shorten it')
  }
  return /^\.*$/.test(name) ? 'unnamed' : name
}

/** @throws RegistryError `invalid` for what is no media type (RFC 6838 section 4.2) */
export function mediaTypeOf(given: string): string {
  if (/^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/.test(given)) return given
  throw new RegistryError('invalid', 'the file has no valid media type; send one such as application/pdf')
}
