import { RegistryError } from '../../errors.js'

/** Why a bucket did not do what it was asked. */
export class BucketFault extends RegistryError {
  /** S3's own word for it, such as `AccessDenied`, or Node's. */
  readonly word: string
  /** The bucket was reached and said no: trying again would be in vain. */
  readonly isAnswer: boolean

  constructor(message: string, word: string, isAnswer: boolean, cause: Error) {
    super('unavailable', message, { cause })
    this.word = word
    this.isAnswer = isAnswer
  }
}

/** What the SDK throws, as far as it matters here. */
interface SdkError {
  name: string
  message: string
  code?: string
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number }
  $retryable?: object
}

/** In words for whoever runs Assent. Of the SDK's error only what cannot hold a secret goes into the log. */
export function faultOf(error: unknown, bucket: string): BucketFault {
  const { name, message, code, $metadata: { requestId, attempts } = {} } = error as SdkError
  const word = name === 'Error' && code ? code : name
  const cause = new Error(
    `${word}: ${message} (request ${requestId ?? 'unanswered'}, attempt ${attempts ?? 1})`,
  )
  return new BucketFault(sentenceOf(error, word, bucket), word, isAnswered(error), cause)
}

function sentenceOf(error: unknown, word: string, bucket: string): string {
  if (word === 'ObjectLockConfigurationNotFoundError') {
    return `the bucket ${bucket} locks nothing; name one that was made with object lock, or set ASSENT_S3_ALLOW_UNLOCKED=true to keep evidence where whoever holds its keys can delete it`
  }
  if (word === 'NoSuchBucket' || word === 'NotFound') {
    return `there is no bucket ${bucket}; correct ASSENT_EVIDENCE_STORE, ASSENT_S3_ENDPOINT or ASSENT_S3_REGION`
  }
  if (isOfSetup(error)) {
    return `the bucket ${bucket} cannot be used as it is set up (${(error as Error).message}); see "Stores" in src/evidence/README.md`
  }
  if (isAnswered(error)) {
    return `the evidence store refuses this (${word}); tell whoever runs Assent to look at the rights to the bucket ${bucket}`
  }
  return 'the evidence store cannot be reached now; try again later, or tell whoever runs Assent to look at its bucket'
}

/** No server means to be asked again after a 4xx, but for those that ask for patience. */
export function isAnswered(error: unknown): boolean {
  const { $metadata: { httpStatusCode: status } = {}, $retryable } = error as SdkError
  if (isOfSetup(error)) return true
  return status !== undefined && status < 500 && $retryable === undefined
}

/** The SDK says so before it asks anybody: no keys, no region. What the network says has a code or a name. */
function isOfSetup(error: unknown): boolean {
  const { name, code, $metadata } = error as SdkError
  if (name === 'CredentialsProviderError') return true
  return name === 'Error' && code === undefined && $metadata?.httpStatusCode === undefined
}
