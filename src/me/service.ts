import { explain, possibleActions } from '../auth/decision-rights.js'
import type { ReadTx } from '../db/transaction.js'
import { getPerson } from '../people/service.js'
import { explainReview } from '../reviews/reading.js'
import { getReadable } from '../use-cases/reading.js'
import { keyOf } from '../use-cases/use-case.js'
import { HeldGrant, type Me } from './me.js'

const deeds = ['read', 'revise', 'raise_tier', 'attach', 'submit', 'retire', 'bind', 'ask'] as const

/** @throws RegistryError `not_found` for a use case that the caller may not see */
export async function getMe(tx: ReadTx, useCaseRef: string | undefined): Promise<Me> {
  const { personId, grants } = tx.principal
  return {
    person: await getPerson(tx, personId),
    grants: grants.map(({ kind, name, orgUnitId, for: holder = null }) =>
      HeldGrant.parse({ kind, name, orgUnitId, for: holder }),
    ),
    may: possibleActions(tx.ability),
    ...(useCaseRef === undefined ? { useCase: null, review: null } : await explainUseCase(tx, useCaseRef)),
  }
}

async function explainUseCase(tx: ReadTx, ref: string): Promise<Pick<Me, 'useCase' | 'review'>> {
  const row = await getReadable(tx, ref)
  const { id, number, openReviewId } = row
  const useCase = { id, key: keyOf(number), verdicts: explain(tx.ability, row, 'UseCase', deeds) }
  const verdicts = openReviewId === null ? undefined : await explainReview(tx, openReviewId)
  return { useCase, review: openReviewId !== null && verdicts ? { id: openReviewId, verdicts } : null }
}
