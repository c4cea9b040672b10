import type { Config } from '../../config.js'
import type { BlobStore } from '../blobs.js'
import { FolderStore } from './folder.js'

/**
 * The store that is configured. The SDK of S3 is loaded only where it is used.
 * @throws RegistryError `unavailable` for a bucket that is not there, refuses, or locks nothing
 */
export async function openStore({ evidenceDir, s3 }: Pick<Config, 'evidenceDir' | 's3'>): Promise<BlobStore> {
  if (!s3) return new FolderStore(evidenceDir)
  const { S3Store } = await import('./s3.js')
  const store = new S3Store(s3, evidenceDir)
  await store.start()
  return store
}
