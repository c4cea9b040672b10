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
const RecordFile = z.strictObject({ name: z.string(), rows: z.int(), size: z.int() })

const manifest = {
  format: z.literal('assent-package'),
  asOf: z.iso.datetime(),
  settled: z.boolean(),
  madeAt: z.iso.datetime(),
  madeBy: z.strictObject({ id: z.uuid(), name: z.string() }),
  of: z.strictObject({ useCase: z.string().nullable(), orgUnit: z.uuid().nullable() }),
  records: z.array(RecordFile),
}
const evidence = { form: z.enum(['bytes', 'digests']), files: z.int(), size: z.int() }

/** What packages were before there were controls, retention and the policies of the past in them. */
const FirstManifest = z.strictObject({
  ...manifest,
  formatVersion: z.literal(1),
  policy: z.strictObject({ inForce: z.string(), named: z.array(z.string()) }),
  evidence: z.strictObject(evidence),
})

const SecondManifest = z.strictObject({
  ...manifest,
  formatVersion: z.literal(2),
  policy: z.strictObject({
    inForce: z.string().nullable(),
    inForceWhenMade: z.string(),
    named: z.array(z.strictObject({ digest: z.string(), folder: z.string().nullable() })),
  }),
  evidence: z.strictObject({ ...evidence, withheld: z.record(z.string(), z.int()) }),
})
/** `manifest.json` as it is written now: what a package is of, and how much is in it. */
export type PackageManifest = z.infer<typeof SecondManifest>

/** `manifest.json` of any version that there was. */
export const AnyManifest = z.discriminatedUnion('formatVersion', [FirstManifest, SecondManifest])
export type AnyManifest = z.infer<typeof AnyManifest>

/** What the last file of a package is called; without it the package is not whole. */
export const SUMS = 'manifest.sha256'

/** Stands last in a package that broke off, and says why. */
export const INCOMPLETE = 'INCOMPLETE.txt'

/** The name of a file of evidence in a package. */
export function evidenceName(digest: string): string {
  return `evidence/${hexOf(digest)}`
}

/** Where the files of a policy lie. Whole digests would make names too long for a tar. */
export function policyFolder(digest: string): string {
  return `policies/${hexOf(digest).slice(0, 16)}`
}

/** A line of `sha256sum`. */
export function sumLine(digest: string, name: string): string {
  return `${hexOf(digest)}  ${name}\n`
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length)
}
