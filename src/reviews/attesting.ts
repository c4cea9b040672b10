import type { WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { newId } from '../ids.js'
import type { Lane } from '../policy/lanes.js'
import type { Policies } from '../policy/load.js'
import { saveUseCase, type UseCaseRow } from '../use-cases/service.js'
import { close } from './closing.js'
import { type Opening, openRound } from './opening.js'
import { frozenBy } from './review.js'
import { laneOn } from './routing.js'
import { isDrawn } from './sample.js'
import type * as store from './store.js'
import type { Submission } from './submission.js'

/**
 * an owner declares the statement of policy, and the use case is cleared at once. A share of them, drawn by the
 * id of the decision, is reviewed afterwards by people, while the approval stands.
 * @returns the round that is open now, or the one that the attestation closed
 */
export async function attest(
  tx: WriteTx,
  policies: Policies,
  useCase: UseCaseRow,
  opening: Opening,
  { attest }: Pick<Submission, 'attest'>,
): Promise<store.ReviewRow> {
  const { attestation } = opening.way.lane
  if (!attestation) throw new Error(`lane ${opening.way.lane.id} has no attestation`)
  assertAttests(tx, useCase, opening.right, attestation, attest)
  const review = await openRound(tx, useCase, opening)
  const decisionId = newId()
  const sampled = isDrawn(decisionId, attestation.sampleShare)
  const by = { attestedBy: tx.principal.personId, attestation: attestation.statement, sampled }
  const reason = 'attested by its owner; the lane of its tier asks for no vote'
  const closed = await close(tx, policies, {
    ...{ useCase, review, votes: [], outcome: 'approved', reason, attested: { decisionId, ...by } },
  })
  if (!sampled) return closed.review
  return await openSample(tx, policies, closed.useCase, opening)
}

async function openSample(
  tx: WriteTx,
  policies: Policies,
  useCase: UseCaseRow,
  opening: Opening,
): Promise<store.ReviewRow> {
  const route = 'sample'
  const lane = await laneOn(tx, policies, useCase, opening.tier, route)
  const way = { route, sinceVersion: useCase.version, ...lane } as const
  const review = await openRound(tx, useCase, { ...opening, way })
  saveUseCase(tx, useCase, frozenBy(review))
  return review
}

function assertAttests(
  { principal: { personId } }: WriteTx,
  { id, businessOwnerId, riskOwnerId }: UseCaseRow,
  right: string,
  { statement }: NonNullable<Lane['attestation']>,
  attests: true | undefined,
): void {
  if (personId !== businessOwnerId && personId !== riskOwnerId) {
    throw new RegistryError('forbidden', 'its business owner or its risk owner attests this, nobody else', {
      rule: right,
      denied: { action: 'submit', kind: 'UseCase', id },
    })
  }
  if (attests) return
  throw new RegistryError(
    'invalid',
    `your word clears this at once: send "attest": true to declare "${statement}"`,
  )
}
