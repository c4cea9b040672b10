import { z } from 'zod'
import * as examples from './examples.js'

/** What a person wants to be told. */
export const NoticeChoices = z
  .strictObject({ mail: z.boolean().describe('Mail about what waits for you, and about what you own') })
  .meta({ id: 'NoticeChoices', examples: [examples.choices] })
export type NoticeChoices = z.infer<typeof NoticeChoices>
