import { z } from 'zod'
import { text } from '../text.js'

/** A tool, model, dataset, agent or vendor product. One system can serve many use cases. */
export const System = z.strictObject({
  id: z.uuid(),
  key: z.string(),
  name: z.string(),
  kind: z.enum(['tool', 'model', 'dataset', 'agent', 'vendor_product']),
  vendor: z.string().nullable(),
  description: z.string(),
  revision: z.int(),
  createdAt: z.iso.datetime(),
})
export type System = z.infer<typeof System>

export const NewSystem = z.strictObject({
  key: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,79}$/,
      'use up to 80 lower-case letters, digits, dots, underscores and dashes',
    ),
  name: text(200).trim().min(1),
  kind: System.shape.kind,
  vendor: text(200).trim().min(1).nullable().default(null),
  description: text(5000).trim().default(''),
})
export type NewSystem = z.infer<typeof NewSystem>

export const SystemChange = z.strictObject({
  name: text(200).trim().min(1).optional(),
  vendor: text(200).trim().min(1).nullable().optional(),
  description: text(5000).trim().optional(),
})
export type SystemChange = z.infer<typeof SystemChange>
