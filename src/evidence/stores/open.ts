import type { Config } from '../../config.js'
import type { BlobStore } from '../blobs.js'
import { FolderStore } from './folder.js'

/** The store that is configured; nothing is asked of it yet. */
export async function openStore({ evidenceDir }: Pick<Config, 'evidenceDir'>): Promise<BlobStore> {
  return new FolderStore(evidenceDir)
}
