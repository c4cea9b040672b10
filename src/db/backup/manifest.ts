import { z } from 'zod'

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const Count = z.int().min(0)

/** What a backup says of itself. It is the last thing written, so a backup without one is not whole. */
export const Manifest = z.strictObject({
  format: z.literal('assent-backup'),
  formatVersion: z.literal(1),
  /** The version of Assent that made it. */
  assent: z.string(),
  /** The instant of the snapshot: what was acknowledged before is in it. */
  takenAt: z.string(),
  migrations: z.array(z.strictObject({ name: z.string(), digest: Digest })).min(1),
  /** Rows in the text form of COPY, one a line; SHA-256 of them all. */
  tables: z.array(
    z.strictObject({ name: z.string(), columns: z.array(z.string()), rows: Count, digest: Digest }),
  ),
  sequences: z.array(
    z.strictObject({ name: z.string(), lastValue: z.string().regex(/^-?\d+$/), isCalled: z.boolean() }),
  ),
  /** Files are named by their digests; `digest` is that of the list of names, in order, a line each. */
  evidence: z.strictObject({ files: Count, size: Count, digest: Digest }),
})
export type Manifest = z.infer<typeof Manifest>

export type Table = Manifest['tables'][number]
export type Sequence = Manifest['sequences'][number]

/** Names of what a backup holds. */
export const tableMember = 'tables/'
export const evidenceMember = 'evidence/'
export const manifestMember = 'manifest.json'
export const sealMember = 'manifest.json.sha256'

/** The last member, in the form that `sha256sum` writes. */
export function sealOf(digest: string): string {
  return `${digest.replace('sha256:', '')}  ${manifestMember}\n`
}
