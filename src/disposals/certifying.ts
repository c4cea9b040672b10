import { authorize } from '../auth/decision-rights.js'
import type { ReadTx } from '../db/transaction.js'
import { keyOf } from '../use-cases/use-case.js'
import { assertConfirmed, type Certificate } from './disposal.js'
import * as store from './store.js'

/**
 * What is left to show of what is gone: every word of it rests on rows and events that nobody changes.
 * @throws RegistryError `conflict` before the disposal is confirmed
 */
export async function getCertificate(tx: ReadTx, id: string): Promise<Certificate> {
  const { disposal, verdict, useCase } = await store.getShownRow(tx, id)
  const { orgUnitId, businessOwnerId, riskOwnerId, title } = useCase
  authorize(tx.ability, 'read', 'Disposal', { ...disposal, orgUnitId, businessOwnerId, riskOwnerId })
  const confirmed = assertConfirmed(verdict)
  const [pieces, traces, names] = await Promise.all([
    store.listPieceRows(tx, [id]),
    store.listTraces(tx, id),
    store.namesOf(tx, [disposal.proposedBy, confirmed.givenBy]),
  ])
  const traceOf = new Map(traces.map(({ evidenceId, ...trace }) => [evidenceId, trace]))
  const signed = (personId: string, at: string, reason: string) => ({
    ...{ by: { id: personId, name: names.get(personId) ?? '' }, at, reason },
  })
  return {
    ...{ format: 'assent-disposal-certificate', formatVersion: 1, disposalId: id },
    useCase: { id: disposal.useCaseId, key: keyOf(useCase.number), title },
    disposedAt: confirmed.givenAt,
    proposed: signed(disposal.proposedBy, disposal.proposedAt, disposal.reason),
    confirmed: signed(confirmed.givenBy, confirmed.givenAt, confirmed.reason),
    policy: disposal.policyDigest,
    pieces: pieces.map(({ evidenceId, shown }) => {
      const trace = traceOf.get(evidenceId)
      if (!trace) throw new Error('a piece was disposed of without a trace')
      return { evidenceId, ...shown, ...trace }
    }),
  }
}
