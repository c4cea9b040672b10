import { z } from 'zod'
import { MediaType } from '../evidence/media-type.js'
import { addIssues, repeated } from './flaws.js'

export const EvidenceFile = z
  .strictObject({
    version: z.literal(1),
    mediaTypes: z.array(MediaType).min(1, 'name at least one media type').describe('What a file may be'),
    largestBytes: z
      .int()
      .min(1)
      .max(10 * 2 ** 30)
      .describe('The most that a file may have, unless ASSENT_UPLOAD_LIMIT is less'),
  })
  .superRefine(({ mediaTypes }, ctx) =>
    addIssues(
      ctx,
      repeated(mediaTypes, (type) => type).map((index) => ({
        path: ['mediaTypes', index],
        message: 'is named above already; remove it',
      })),
    ),
  )
export type EvidenceFile = z.infer<typeof EvidenceFile>
