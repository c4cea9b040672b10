import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { loadOwnKey } from '../auth/own-key.js'
import type { Config } from '../config.js'
import { RegistryError } from '../errors.js'

const FORM = 1
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * Keeps secrets that have to be read again, as signing does: AES-256-GCM, by a key that the database does not hold.
 * Sealed bytes are a form (1), 12 bytes of nonce, 16 of tag, and the ciphertext; each is bound to the row it lies in.
 */
export class Vault {
  readonly #key: Buffer

  constructor(secret: Buffer) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'assent webhook secrets', 32))
  }

  seal(secret: string, rowId: string): Buffer {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(rowId))
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()])
    return Buffer.concat([Buffer.of(FORM), iv, cipher.getAuthTag(), sealed])
  }

  /** @throws RegistryError `unavailable` when it was sealed by another key, for another row, or was altered */
  open(sealed: Buffer, rowId: string): string {
    try {
      const iv = sealed.subarray(1, 1 + IV_BYTES)
      const body = 1 + IV_BYTES + TAG_BYTES
      const cipher = createDecipheriv('aes-256-gcm', this.#key, iv, { authTagLength: TAG_BYTES })
      cipher.setAAD(Buffer.from(rowId)).setAuthTag(sealed.subarray(1 + IV_BYTES, body))
      return Buffer.concat([cipher.update(sealed.subarray(body)), cipher.final()]).toString()
    } catch (cause) {
      const message =
        'a webhook’s secret was sealed by another ASSENT_SECRET_KEY; set that one, or rotate the secret'
      throw new RegistryError('unavailable', message, { cause })
    }
  }
}

/** By the configured key, or one of this machine's own: processes on several machines need the configured one. */
export async function openVault({
  secretKey,
  dataDir,
}: Pick<Config, 'secretKey' | 'dataDir'>): Promise<Vault> {
  return new Vault(secretKey ? Buffer.from(secretKey) : await loadOwnKey(dataDir, 'secret'))
}
