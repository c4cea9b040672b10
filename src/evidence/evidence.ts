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
  })
  .meta({
    id: 'EvidenceVerdict',
    description: 'What somebody else than the giver made of it; there is one, and it stays',
  })
export type Verdict = z.infer<typeof Verdict>

/** One piece of evidence. It is never changed and never deleted; a newer one is attached beside it. */
export const Evidence = z
  .strictObject({
    id: z.uuid(),
    useCaseId: z.uuid(),
    kind: EvidenceKind,
    title: z.string(),
    form: z.enum(['file', 'attestation']),
    digest: z.string().describe('`sha256:` and 64 hex digits, of the bytes that `content` gives'),
    size: z.int().describe('Bytes'),
    mediaType: z.string().describe('As declared by whoever attached it, and as its first bytes say'),
    fileName: z.string().nullable().describe('Null for an attestation'),
    statement: z.string().nullable().describe('What was attested; null for a file'),
    freshUntil: z.iso.datetime().nullable().describe('From then on it counts as stale; null for never'),
    attachedBy: z.uuid().describe('Id of a person, who cannot judge it'),
    attachedAt: z.iso.datetime(),
    verdict: Verdict.nullable().describe('Null until somebody else judged it'),
  })
  .meta({
    id: 'Evidence',
    description: 'A file or an attestation; it is never changed and never deleted',
    examples: [examples.evidence],
  })
export type Evidence = z.infer<typeof Evidence>

const shapes = {
  kind: EvidenceKind,
  title: text(300).trim().min(3),
  freshUntil: givenInstant.describe('From then on it counts as stale; left out, it never does'),
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
  })
  .meta({
    id: 'NewAttestation',
    description: "A person's word instead of a file",
    examples: [examples.newAttestation],
  })
export type NewAttestation = z.infer<typeof NewAttestation>

/** The fields of the form that come before its file. */
export const FileFields = z
  .strictObject({
    kind: shapes.kind,
    title: shapes.title,
    freshUntil: shapes.freshUntil.optional(),
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
