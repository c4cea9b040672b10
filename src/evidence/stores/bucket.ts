import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import * as s3 from '@aws-sdk/client-s3'
import type { S3Location } from '../../net/s3-address.js'
import { type ByteRange, hexOf, type Protection } from '../blobs.js'
import { faultOf, isAnswered } from './bucket-fault.js'
import type { Draft } from './drafts.js'

/** One version of an object: what was put there once, whatever was put or marked as deleted on top of it. */
export interface Version {
  key: string
  id: string
  size: number
  putAt: Date
  /** Says that the object is deleted; what was there before still is. */
  isMarker: boolean
}

interface Limits {
  /** Larger files go in parts of this many bytes, so that a fault in the middle repeats one part alone. */
  partBytes?: number
  /** How long a connection may take to come about. */
  connectMs?: number
}

const TRIES = 3
const FIRST_WAIT_MS = 200
/** A server that says nothing for this long is not coming back. */
const SILENT_MS = 30_000
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/**
 * A bucket with versions, asked with bounded patience. Whatever goes wrong is a {@link BucketFault}, which is a
 * RegistryError `unavailable`.
 */
export class Bucket {
  readonly #client: s3.S3Client
  readonly #name: string
  readonly #partBytes: number

  constructor(location: S3Location, { partBytes = 64 * 2 ** 20, connectMs = 3000 }: Limits = {}) {
    const { bucket, endpoint, region, pathStyle } = location
    this.#name = bucket
    this.#partBytes = partBytes
    this.#client = new s3.S3Client({
      ...(endpoint !== undefined && { endpoint, region: 'us-east-1' }),
      ...(region !== undefined && { region }),
      forcePathStyle: pathStyle,
      maxAttempts: TRIES,
      logger: silent,
      // The signature covers the SHA-256 of what is sent; other servers than AWS may not know the SDK's own checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: connectMs,
        socketTimeout: SILENT_MS,
        httpAgent: { maxSockets: 200 },
        httpsAgent: { maxSockets: 200 },
      },
    })
  }

  /** @throws BucketFault unless the bucket is there, and locks what it is told to lock */
  async assertLocking(signal: AbortSignal): Promise<void> {
    const command = new s3.GetObjectLockConfigurationCommand({ Bucket: this.#name })
    await this.#ask(() => this.#client.send(command, { abortSignal: signal }))
  }

  /** @throws BucketFault unless the bucket is there */
  async assertThere(signal: AbortSignal): Promise<void> {
    const command = new s3.HeadBucketCommand({ Bucket: this.#name })
    await this.#ask(() => this.#client.send(command, { abortSignal: signal }))
  }

  /** Every version of every object whose key begins so, the newest of a key first. */
  async *versions(prefix: string): AsyncGenerator<Version[]> {
    let from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {}
    while (from) {
      const command = new s3.ListObjectVersionsCommand({ Bucket: this.#name, Prefix: prefix, ...from })
      const page: s3.ListObjectVersionsCommandOutput = await this.#ask(() => this.#client.send(command))
      const versions = (page.Versions ?? []).map((version) => versionOf(version, false))
      const markers = (page.DeleteMarkers ?? []).map((marker) => versionOf(marker, true))
      yield [...versions, ...markers]
      const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page
      from = page.IsTruncated ? { KeyMarker, VersionIdMarker } : undefined
    }
  }

  /** Puts a file that is known to be whole; the server compares what arrives with its SHA-256. */
  async put(key: string, draft: Draft): Promise<void> {
    if (draft.size > this.#partBytes) return await this.#putParts(key, draft)
    const sha256 = Buffer.from(hexOf(draft.digest), 'hex')
    const asked = { Bucket: this.#name, Key: key, ContentLength: draft.size, ...checksumOf(sha256) }
    await this.#again(draft.path, {}, (Body) =>
      this.#client.send(signedFor(new s3.PutObjectCommand({ ...asked, Body }), sha256)),
    )
  }

  async get({ key, id }: Version, range?: ByteRange): Promise<Readable> {
    const Range = range && `bytes=${range.start}-${range.end}`
    const command = new s3.GetObjectCommand({ Bucket: this.#name, Key: key, VersionId: id, Range })
    const { Body } = await this.#ask(() => this.#client.send(command))
    return Body as Readable
  }

  async protectionOf({ key, id }: Version): Promise<Protection> {
    const command = new s3.HeadObjectCommand({ Bucket: this.#name, Key: key, VersionId: id })
    const found = await this.#ask(() => this.#client.send(command))
    return {
      retainUntil: found.ObjectLockRetainUntilDate?.toISOString() ?? null,
      held: found.ObjectLockLegalHoldStatus === 'ON',
    }
  }

  /** In compliance mode: from then on nobody shortens it, the owner of the bucket included. */
  async retain({ key, id }: Version, until: string): Promise<void> {
    const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(until) } as const
    const asked = { Bucket: this.#name, Key: key, VersionId: id, Retention }
    await this.#ask(() => this.#client.send(new s3.PutObjectRetentionCommand(asked)))
  }

  async hold({ key, id }: Version, held: boolean): Promise<void> {
    const LegalHold = { Status: held ? 'ON' : 'OFF' } as const
    const asked = { Bucket: this.#name, Key: key, VersionId: id, LegalHold }
    await this.#ask(() => this.#client.send(new s3.PutObjectLegalHoldCommand(asked)))
  }

  /** One that is gone already is fine. */
  async delete({ key, id }: Version): Promise<void> {
    const command = new s3.DeleteObjectCommand({ Bucket: this.#name, Key: key, VersionId: id })
    await this.#ask(() => this.#client.send(command))
  }

  /** Lets go of parts that a process left when it died, which cost as much as whole files. */
  async abortUploads(prefix: string, before: Date): Promise<void> {
    const list = new s3.ListMultipartUploadsCommand({ Bucket: this.#name, Prefix: prefix })
    const { Uploads = [] } = await this.#ask(() => this.#client.send(list))
    for (const { Key, UploadId, Initiated } of Uploads) {
      if (Initiated && Initiated < before) await this.#abort({ Bucket: this.#name, Key, UploadId })
    }
  }

  async #putParts(key: string, { path, size }: Draft): Promise<void> {
    const asked = { Bucket: this.#name, Key: key, ChecksumAlgorithm: 'SHA256' } as const
    const { UploadId } = await this.#ask(() => this.#client.send(new s3.CreateMultipartUploadCommand(asked)))
    const upload = { Bucket: this.#name, Key: key, UploadId }
    try {
      const Parts: s3.CompletedPart[] = []
      for (let start = 0; start < size; start += this.#partBytes) {
        const range = { start, end: Math.min(start + this.#partBytes, size) - 1 }
        Parts.push(await this.#putPart({ ...upload, PartNumber: Parts.length + 1 }, path, range))
      }
      const complete = new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })
      await this.#ask(() => this.#client.send(complete))
    } catch (error) {
      await this.#abort(upload).catch(() => {}) // the daily collection tries again
      throw error
    }
  }

  async #putPart(
    part: Omit<s3.UploadPartCommandInput, 'Body'>,
    path: string,
    range: ByteRange,
  ): Promise<s3.CompletedPart> {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path, range)) hash.update(chunk)
    const sha256 = hash.digest()
    const asked = { ...part, ContentLength: range.end - range.start + 1, ...checksumOf(sha256) }
    const { ETag } = await this.#again(path, range, (Body) =>
      this.#client.send(signedFor(new s3.UploadPartCommand({ ...asked, Body }), sha256)),
    )
    return { PartNumber: part.PartNumber, ETag, ...checksumOf(sha256) }
  }

  async #abort(upload: s3.AbortMultipartUploadCommandInput): Promise<void> {
    await this.#ask(() => this.#client.send(new s3.AbortMultipartUploadCommand(upload)))
  }

  /** The SDK does not repeat what it sends as a stream, so each attempt brings a new one. */
  async #again<T>(path: string, range: Partial<ByteRange>, send: (body: Readable) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const body = createReadStream(path, range)
      try {
        return await send(body)
      } catch (error) {
        if (attempt === TRIES || isAnswered(error)) throw faultOf(error, this.#name)
        await sleep(FIRST_WAIT_MS * 4 ** attempt)
      } finally {
        body.destroy()
      }
    }
  }

  async #ask<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (error) {
      throw faultOf(error, this.#name)
    }
  }
}

function versionOf(found: s3.ObjectVersion | s3.DeleteMarkerEntry, isMarker: boolean): Version {
  const { Key: key = '', VersionId: id = 'null', LastModified: putAt = new Date(0) } = found
  return { key, id, size: ('Size' in found && found.Size) || 0, putAt, isMarker }
}

/** AWS compares it as well, keeps it beside the object, and asks for it where a bucket locks by default. */
function checksumOf(sha256: Buffer): { ChecksumSHA256: string } {
  return { ChecksumSHA256: sha256.toString('base64') }
}

/** Signs with the SHA-256 of the bytes, which every server compares with what arrives. */
function signedFor<T extends s3.PutObjectCommand | s3.UploadPartCommand>(command: T, sha256: Buffer): T {
  const { middlewareStack } = command as s3.PutObjectCommand
  middlewareStack.add(
    (next) => async (args) => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers['x-amz-content-sha256'] = sha256.toString('hex')
      return await next(args)
    },
    { step: 'build', name: 'signedPayload' },
  )
  return command
}
