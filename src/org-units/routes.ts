import { z } from 'zod'
import { requireRevision } from '../http/etag.js'
import { operation } from '../http/operations.js'
import { list } from '../http/paging.js'
import type { App } from '../http/types.js'
import { NewOrgUnit, OrgUnit, OrgUnitChange } from './org-unit.js'
import { createOrgUnit, getOrgUnit, listOrgUnits, reviseOrgUnit } from './service.js'

const params = z.strictObject({ id: z.uuid().describe('Of the org unit') })
const tag = 'Org units'

/** The tree of units that rights are scoped to. */
export async function orgUnitRoutes(app: App): Promise<void> {
  app.get(
    '/v1/org-units',
    operation({
      id: 'listOrgUnits',
      tag,
      summary: 'The whole tree of org units',
      description: 'Comes whole, in one list; `parentId` makes it a tree.',
      right: { action: 'read', subject: 'OrgUnit' },
      answers: { 200: list(OrgUnit) },
    }),
    async (request) => ({ items: await app.read(request, listOrgUnits) }),
  )

  app.post(
    '/v1/org-units',
    operation({
      id: 'createOrgUnit',
      tag,
      summary: 'Add an org unit below another',
      description: 'Rights that are granted for the unit above hold for the new one, too.',
      right: { action: 'manage', subject: 'OrgUnit' },
      body: NewOrgUnit,
      location: '/v1/org-units/{id}',
      answers: { 201: OrgUnit },
    }),
    async (request) => await app.write(request, (tx) => createOrgUnit(tx, request.body)),
  )

  app.get(
    '/v1/org-units/:id',
    operation({
      id: 'getOrgUnit',
      tag,
      summary: 'One org unit',
      description: 'With the unit above it; the whole tree is at `GET /v1/org-units`.',
      right: { action: 'read', subject: 'OrgUnit' },
      params,
      answers: { 200: OrgUnit },
    }),
    async (request) => await app.read(request, (tx) => getOrgUnit(tx, request.params.id)),
  )

  app.patch(
    '/v1/org-units/:id',
    operation({
      id: 'reviseOrgUnit',
      tag,
      summary: 'Rename an org unit or move it below another',
      description: 'Moving a unit moves all below it, and widens the rights of those above its new place.',
      right: { action: 'manage', subject: 'OrgUnit' },
      params,
      body: OrgUnitChange,
      ifMatch: true,
      answers: { 200: OrgUnit },
    }),
    async (request) => {
      const { params, body } = request
      return await app.write(request, (tx) => reviseOrgUnit(tx, params.id, requireRevision(request), body))
    },
  )
}
