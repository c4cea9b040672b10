import { z } from 'zod'
import { givenInstant } from '../instant.js'

const common = {
  asOf: givenInstant.optional().describe('As it was at this instant; now, if left out'),
  evidence: z
    .enum(['bytes', 'digests'])
    .default('bytes')
    .describe('Whether files of evidence come with it, or only what they are and their digests'),
}

export const UseCasePackageQuery = z.strictObject(common)
export const RegisterPackageQuery = z.strictObject({
  ...common,
  orgUnit: z.uuid().optional().describe('The unit and everything below it'),
})
export type PackageQuery = z.infer<typeof RegisterPackageQuery>

/** A file of a package that holds a record a line. */
export const RecordFile = z.strictObject({ name: z.string(), rows: z.int(), size: z.int() })

/** `manifest.json`: what a package is of, and how much is in it. */
export const PackageManifest = z.strictObject({
  format: z.literal('assent-package'),
  formatVersion: z.literal(1),
  asOf: z.iso.datetime(),
  settled: z.boolean(),
  madeAt: z.iso.datetime(),
  madeBy: z.strictObject({ id: z.uuid(), name: z.string() }),
  of: z.strictObject({ useCase: z.string().nullable(), orgUnit: z.uuid().nullable() }),
  policy: z.strictObject({ inForce: z.string(), named: z.array(z.string()) }),
  records: z.array(RecordFile),
  evidence: z.strictObject({ form: z.enum(['bytes', 'digests']), files: z.int(), size: z.int() }),
})
export type PackageManifest = z.infer<typeof PackageManifest>

/** What the last file of a package is called; without it the package is not whole. */
export const SUMS = 'manifest.sha256'

/** The name of a file of evidence in a package. */
export function evidenceName(digest: string): string {
  return `evidence/${digest.slice('sha256:'.length)}`
}

/** A line of `sha256sum`. */
export function sumLine(digest: string, name: string): string {
  return `${digest.slice('sha256:'.length)}  ${name}\n`
}

/** All that a person needs to read a package without Assent. */
export const guide = `WHAT THIS IS

An audit package: what a register of uses of AI held at one instant, who decided what, on which evidence, and what
its log says. manifest.json tells the instant (asOf), who made the package, and of what. It holds what its maker may
read, and nothing else. If "settled" is false, the instant was less than a minute old: writes may have been under way.

IS IT WHOLE AND UNALTERED?

    sha256sum -c manifest.sha256

manifest.sha256 is the last file. If it is missing, the package was cut off. "assent package verify FILE" checks the
same without unpacking, and that no event is missing and no decision lacks its votes.

HOW TO READ IT

Files that end in .ndjson hold one JSON object a line (UTF-8). Instants are RFC 3339, in UTC. Ids tie them together.

    register.ndjson     use cases: facts, tier, standing, owners, at the instant
    versions.ndjson     every version of the facts, by whom and why
    reviews.ndjson      rounds of review, with the lane of policy each went through
    votes.ndjson        every vote with its rationale; replaced ones, too
    decisions.ndjson    every decision, with the votes (voteIds) and evidence it rests on
    conditions.ndjson   obligations and limits; who answers for one is as of when the package was made
    suspensions.ndjson  what was stopped, and by whom it was lifted
    incidents.ndjson    what went wrong; the severity is as of when the package was made, entries tell its changes
    grants.ndjson       roles and seats: who could do what, from when until when
    evidence.ndjson     pieces of evidence; "digest" is the SHA-256 of the bytes
    evidence/           those bytes, each named by its SHA-256; absent if the manifest says "digests"
    events.ndjson       the log of these use cases, in order
    policies/           the policy in force when the package was made; manifest.json names the digests of others

THE LOG

"leaf" is the entry of the log, byte for byte, in base64; it is JSON (RFC 8785). For each use case "eventNo" counts
from 1 without gaps. "sealed" holds what the entry has only hashes of: each hash is the SHA-256 of the 16 bytes of
"salt" and of the value as RFC 8785 JSON, in base64url without padding; null where it was erased. Answers of the gate
and refusals are not in here.
`
