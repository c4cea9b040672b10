import { z } from 'zod'
import type { BlobStore } from '../evidence/blobs.js'
import { operation } from '../http/operations.js'
import { page, pageQuery } from '../http/paging.js'
import type { App } from '../http/types.js'
import type { Policies } from '../policy/load.js'
import { Custody, CustodyRound, Damage } from './custody.js'
import { getCustody, listDamaged, listRounds } from './service.js'

interface Deps {
  blobs: BlobStore
  policies: Pick<Policies, 'retention'>
}

const common = { tag: 'Retention', right: { action: 'read', subject: 'EvidenceStore' } } as const
const query = z.strictObject(pageQuery)

/** In what state the bytes of evidence are, for who answers for the whole organisation. */
export async function custodyRoutes(app: App, { blobs, policies }: Deps): Promise<void> {
  app.get(
    '/v1/evidence-store',
    operation({
      ...common,
      id: 'getEvidenceStore',
      summary: 'In what state the files of evidence are',
      description:
        'Each day some files are read and compared with their digests, so that each has its turn within `withinDays`; damaged ones every day.',
      answers: { 200: Custody },
    }),
    async (request) =>
      await app.read(request, (tx) => getCustody(tx, blobs, policies.retention.reconciliation)),
  )

  app.get(
    '/v1/evidence-store/rounds',
    operation({
      ...common,
      id: 'listCustodyRounds',
      summary: 'The daily checks of files of evidence, the last first',
      description: 'How many files and bytes were read, and what was found damaged, mended, or not at all.',
      query,
      answers: { 200: page(CustodyRound) },
    }),
    async (request) => await app.page(request, listRounds),
  )

  app.get(
    '/v1/evidence-store/damaged',
    operation({
      ...common,
      id: 'listDamagedFiles',
      summary: 'Files that are not what their digests say',
      description: 'Put the right bytes back from a backup: they are found sound within a day.',
      query,
      answers: { 200: page(Damage) },
    }),
    async (request) => await app.page(request, listDamaged),
  )
}
