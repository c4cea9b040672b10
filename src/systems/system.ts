import { z } from 'zod'
import { text } from '../text.js'
import { newSystem, system, systemChange } from './examples.js'

export const System = z
  .strictObject({
    id: z.uuid(),
    key: z.string().describe('Short name, for files'),
    name: z.string(),
    kind: z.enum(['tool', 'model', 'dataset', 'agent', 'vendor_product']),
    vendor: z.string().nullable().describe('Who it is bought from; null when it is our own'),
    description: z.string(),
    revision: z.int().describe('Rises with each change; it is the ETag'),
    createdAt: z.iso.datetime(),
  })
  .meta({
    id: 'System',
    description: 'A tool, model, dataset, agent or vendor product; one system can serve many use cases',
    examples: [system],
  })
export type System = z.infer<typeof System>

export const NewSystem = z
  .strictObject({
    key: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._-]{0,79}$/,
        'use up to 80 lower-case letters, digits, dots, underscores and dashes',
      )
      .describe('Short name, for files; it stays'),
    name: text(200).trim().min(1),
    kind: System.shape.kind,
    vendor: text(200).trim().min(1).nullable().default(null).describe('Who it is bought from'),
    description: text(5000).trim().default(''),
  })
  .meta({ id: 'NewSystem', examples: [newSystem] })
export type NewSystem = z.infer<typeof NewSystem>

export const SystemChange = z
  .strictObject({
    name: text(200).trim().min(1).optional(),
    vendor: text(200).trim().min(1).nullable().optional(),
    description: text(5000).trim().optional(),
  })
  .meta({ id: 'SystemChange', examples: [systemChange] })
export type SystemChange = z.infer<typeof SystemChange>
