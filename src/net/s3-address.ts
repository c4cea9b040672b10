import { z } from 'zod'

/** A bucket and what the keys in it begin with: `s3://bucket`, or `s3://bucket/folder/of/ours`. */
export const S3Address = z.string().transform((value, ctx): { bucket: string; prefix: string } => {
  const [, bucket, folder] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[\w.-]+)*)\/?$/.exec(value) ?? []
  if (bucket && folder !== undefined) return { bucket, prefix: folder ? `${folder.slice(1)}/` : '' }
  ctx.addIssue('must be s3://bucket or s3://bucket/folder')
  return z.NEVER
})

/** A bucket of S3, or of something that speaks like it, and how it is reached. */
export interface S3Location extends z.output<typeof S3Address> {
  /** Undefined for that of AWS. */
  endpoint: string | undefined
  /** Undefined for what the environment of AWS says. */
  region: string | undefined
  /** The bucket stands in the path of a URL, not in its host. */
  pathStyle: boolean
  /** Somebody said that a bucket without object lock is fine. */
  acceptUnlocked: boolean
}
