import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { text } from '../text.js'
import { newOrgUnit, orgUnit, orgUnitChange } from './examples.js'

/** One part of the organisation. The units form a tree with one root; a grant covers its unit and all below. */
export const OrgUnit = z
  .strictObject({
    id: z.uuid(),
    key: z.string().describe('Short name, for files and pipelines'),
    name: z.string(),
    parentId: z.uuid().nullable().describe('The unit it lies under; null for the root'),
    revision: z.int().describe('Rises with each change; it is the ETag'),
    createdAt: z.iso.datetime(),
  })
  .meta({
    id: 'OrgUnit',
    description: 'One part of the organisation; a grant covers its unit and all below',
    examples: [orgUnit],
  })
export type OrgUnit = z.infer<typeof OrgUnit>

export const NewOrgUnit = z
  .strictObject({
    key: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._-]{0,59}$/,
        'use up to 60 lower-case letters, digits, dots, underscores and dashes',
      )
      .describe('Short name, for files and pipelines; it stays'),
    name: text(200).trim().min(1),
    parentId: z.uuid().describe('The unit it lies under'),
  })
  .meta({ id: 'NewOrgUnit', examples: [newOrgUnit] })
export type NewOrgUnit = z.infer<typeof NewOrgUnit>

export const OrgUnitChange = z
  .strictObject({
    name: text(200).trim().min(1).optional(),
    parentId: z.uuid().optional().describe('The unit to move it under, with all below it'),
  })
  .meta({ id: 'OrgUnitChange', examples: [orgUnitChange] })
export type OrgUnitChange = z.infer<typeof OrgUnitChange>

/**
 * @param below ids of the unit itself and everything under it
 * @throws RegistryError `conflict` when the move would tear the unit out of the tree
 */
export function assertMovable(unit: OrgUnit, parentId: string, below: string[]): void {
  if (unit.parentId === null)
    throw new RegistryError('conflict', 'the root unit stays where it is; move the others')
  if (below.includes(parentId)) {
    throw new RegistryError('conflict', 'a unit cannot lie under itself; choose a parent outside it')
  }
}
