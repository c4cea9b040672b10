// The stores that the contract is held against, each empty, with ways to harm it that no interface should have.
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as s3 from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { v7 as newId } from 'uuid'
import type { BlobStore } from '../../src/evidence/blobs.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { S3Store } from '../../src/evidence/stores/s3.js'
import type { S3Location } from '../../src/net/s3-address.js'

/** A store, and what somebody could do to it behind its back. */
export interface Kept {
  store: BlobStore
  /** Another process over the same bytes. */
  other: BlobStore
  /** Puts other bytes in the place of these, or nothing. */
  damage(digest: string, bytes: Buffer | null): Promise<void>
  /** What lies there or is on its way, in whatever words the store has. */
  names(): Promise<string[]>
}

export type Kind = [name: string, make: (t: Test) => Promise<Kept>]

export const endpoint = process.env.ASSENT_TEST_S3_ENDPOINT
export const noServer = endpoint ? false : 'no S3 server: `npm run test:s3` starts one and runs this'

/** S3 takes no smaller parts. */
const PART_BYTES = 5 * 2 ** 20

export const folderKind: Kind = [
  'a folder',
  async (t) => {
    const folder = t.testdir()
    const placeOf = (digest: string) => {
      const hex = digest.slice('sha256:'.length)
      return join(folder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex)
    }
    return {
      store: new FolderStore(folder),
      other: new FolderStore(folder),
      async damage(digest, bytes) {
        rmSync(placeOf(digest), { force: true })
        if (!bytes) return
        mkdirSync(dirname(placeOf(digest)), { recursive: true })
        writeFileSync(placeOf(digest), bytes)
        chmodSync(placeOf(digest), 0o400)
      },
      names: async () => filesIn(folder),
    }
  },
]

export const bucketKind: Kind = ['a bucket', async (t) => await makeBucket(t)]

/** A bucket of its own with object lock, or without, and the raw client of whoever holds its keys. */
export async function makeBucket(t: Test, change: Partial<S3Location> = {}, locking = true) {
  const client = rawClient()
  t.teardown(() => client.destroy())
  const bucket = `assent-${newId()}`
  const asked = { Bucket: bucket, ObjectLockEnabledForBucket: locking }
  await client.send(new s3.CreateBucketCommand(asked))
  const location = locationOf(bucket, change)
  const folder = t.testdir()
  const limits = { partBytes: PART_BYTES }
  const keyOf = (digest: string) => {
    const hex = digest.slice('sha256:'.length)
    return `${location.prefix}sha256/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
  }
  const versions = async (Prefix = '') => {
    const listed = await client.send(new s3.ListObjectVersionsCommand({ Bucket: bucket, Prefix }))
    return [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])]
  }
  return {
    ...{ client, bucket, location, folder, keyOf, versions },
    store: new S3Store(location, folder, limits),
    other: new S3Store(location, join(folder, 'other'), limits),
    async damage(digest: string, bytes: Buffer | null) {
      for (const { Key, VersionId } of await versions(keyOf(digest))) {
        await client.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key, VersionId }))
      }
      if (!bytes) return
      await client.send(new s3.PutObjectCommand({ Bucket: bucket, Key: keyOf(digest), Body: bytes }))
    },
    names: async () => [...(await versions()).map(({ Key = '' }) => Key), ...filesIn(folder)],
  }
}

export function locationOf(bucket: string, change: Partial<S3Location> = {}): S3Location {
  const usual = { endpoint, region: undefined, pathStyle: true, acceptUnlocked: false }
  return { bucket, prefix: 'of/assent/', ...usual, ...change }
}

/** Retries and checksums as the SDK has them out of the box. */
function rawClient(): s3.S3Client {
  return new s3.S3Client({
    ...(endpoint !== undefined && { endpoint }),
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
}

/** Names of every file in a folder and below. */
export function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}
