import type { FastifyRequest } from 'fastify'
import { RegistryError } from '../errors.js'

/**
 * The SHA-256 that `Repr-Digest` (RFC 9530) gives for what is to be kept, as `sha256:` and 64 hex digits. Digests by
 * other algorithms are ignored, as the RFC has it.
 * @throws RegistryError `invalid` for a SHA-256 that is none
 */
export function givenReprDigest({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const members = [headers['repr-digest'] ?? []].flat().join(',').split(',')
  const member = members.map((one) => one.trim()).findLast((one) => /^sha-256(=|;|$)/.test(one))
  if (member === undefined) return undefined
  const [, base64 = ''] = /^sha-256=:([A-Za-z0-9+/]{43}=):(;.*)?$/.exec(member) ?? []
  if (base64 === '') {
    throw new RegistryError('invalid', 'Repr-Digest holds no SHA-256; write it as sha-256=:…: in Base64')
  }
  return `sha256:${Buffer.from(base64, 'base64').toString('hex')}`
}
