import { z } from 'zod'
import { Standing } from '../use-cases/standing.js'
import { standingAt } from './examples.js'

export const StandingAt = z
  .strictObject({
    ...Standing.shape,
    at: z.iso.datetime().describe('The instant it is of'),
    revision: z.int().describe('The revision of the use case that was the last one then'),
  })
  .meta({ id: 'StandingAt', description: 'How a use case stands at an instant', examples: [standingAt] })
export type StandingAt = z.infer<typeof StandingAt>
