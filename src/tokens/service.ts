import type { Signed } from '../auth/authenticate.js'
import { authorize } from '../auth/decision-rights.js'
import { digestOfSecret, kindOfSecret, mintSecret } from '../auth/tokens.js'
import { drizzleOn, type Sql } from '../db/client.js'
import type { Database } from '../db/database.js'
import type { ReadTx, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import { addDays, type Instant } from '../instant.js'
import { findInvited, join, joinByCode } from '../people/membership.js'
import { assertActive } from '../people/person.js'
import { findPrincipal, getPerson, lockPersonForToken, type PersonRow } from '../people/service.js'
import * as store from './store.js'
import {
  assertOwnToken,
  assertRoom,
  type IssuedToken,
  type NewToken,
  OWN_TOKEN_DAYS,
  type Token,
} from './token.js'

/** Right named where a person proves who they are and gets a token for themselves: no decision right is needed. */
const OWN = 'own'

/** A token for a service account. For a human nobody else can ever get one. */
export async function issueServiceToken(
  tx: WriteTx,
  personId: string,
  wanted: NewToken,
): Promise<IssuedToken> {
  const person = await lockPersonForToken(tx, personId)
  authorize(tx.ability, 'read', 'Person', person)
  const right = authorize(tx.ability, 'issue', 'Token', { personId, personKind: person.kind })
  assertActive(person)
  if (person.kind !== 'service') {
    throw new RegistryError(
      'conflict',
      'a person signs in as themselves; issue tokens for service accounts only',
    )
  }
  assertRoom(await store.countLiveTokens(tx, personId))
  return await issue(tx, person, 'service', wanted, right)
}

/** A new token of one's own, to replace the one at hand before it expires. */
export async function renewOwnToken(tx: WriteTx, wanted: NewToken): Promise<IssuedToken> {
  const person = await lockPersonForToken(tx, tx.principal.personId)
  assertActive(person)
  if (person.kind !== 'human') {
    throw new RegistryError(
      'conflict',
      'a service account gets its tokens from an administrator; ask for a new one',
    )
  }
  assertOwnToken(person, wanted)
  assertRoom(await store.countLiveTokens(tx, person.id))
  return await issue(tx, person, 'personal', wanted, OWN)
}

/** @throws RegistryError `unauthenticated` unless somebody was invited by the digest of this key */
export async function findInvitedByKey({ pool }: Pick<Database, 'pool'>, key: string): Promise<string> {
  const personId = await findInvited(drizzleOn(pool), { keyDigest: digestOfSecret(key) })
  if (personId !== undefined) return personId
  throw new RegistryError(
    'unauthenticated',
    'this key opens no invitation, or none any more; ask an administrator to invite you by its digest',
  )
}

/** Exchanges a key, once, for a token of the person who was invited with its digest. */
export async function acceptByKey(tx: WriteTx): Promise<IssuedToken> {
  const person = await join(tx, tx.principal.personId)
  return await issue(tx, person, 'personal', { name: 'first sign-in', expiresInDays: OWN_TOKEN_DAYS }, OWN)
}

/** Exchanges a code that was printed for the operator, once, for an administrator's own token. */
export async function signInFirst(tx: WriteTx, code: string, name: string): Promise<IssuedToken> {
  const recovers = kindOfSecret(code) === 'recover'
  const person = await joinByCode(tx, { code: digestOfSecret(code), recovers }, name)
  return await issue(tx, person, 'personal', { name: 'first sign-in', expiresInDays: OWN_TOKEN_DAYS }, OWN)
}

async function issue(
  tx: WriteTx,
  person: PersonRow,
  kind: Token['kind'],
  { name, expiresInDays }: NewToken,
  right: string,
): Promise<IssuedToken> {
  const { secret, digest } = mintSecret(kind === 'service' ? 'sk' : 'pt')
  const row = await store.insertToken(tx, {
    id: newId(),
    personId: person.id,
    personKind: person.kind,
    kind,
    name,
    digest,
    createdBy: tx.principal.personId,
    createdAt: tx.now,
    expiresAt: addDays(tx.now, expiresInDays),
  })
  const { id: tokenId, expiresAt } = row
  tx.record(person, { type: 'token.issued', right, tokenId, kind, expiresAt, sealed: { name } })
  return { token: present(row), secret }
}

export async function revokeToken(tx: WriteTx, id: string): Promise<Token> {
  const { personId } = await store.getTokenRow(tx, id)
  const person = await lockPersonForToken(tx, personId)
  const right = authorize(tx.ability, 'revoke', 'Token', { id, personId, personKind: person.kind })
  const token = await store.getTokenRow(tx, id)
  if (token.revokedAt) throw new RegistryError('conflict', 'this token is revoked already; nothing to do')
  await store.revokeTokenRow(tx, id)
  tx.record(person, { type: 'token.revoked', right, tokenId: id, sealed: {} })
  return present(await store.getTokenRow(tx, id))
}

export async function listTokens(tx: ReadTx, personId: string): Promise<Token[]> {
  const { kind: personKind } = await getPerson(tx, personId)
  authorize(tx.ability, 'read', 'Token', { personId, personKind })
  const rows = await store.listTokenRows(tx, personId)
  return rows.map(present)
}

/** Who a live token stands for; used to sign in. */
export async function findByToken(on: Sql, digest: string, now: Instant): Promise<Signed | undefined> {
  const token = await store.findLiveToken(on, digest, now)
  const principal = token && (await findPrincipal(on, token.personId, now))
  return principal && { principal, expiresAt: Date.parse(token.expiresAt) / 1000 }
}

function present({
  digest: _digest,
  revokedBy: _revokedBy,
  personKind: _kind,
  ...token
}: store.TokenRow): Token {
  return token
}
