import { z } from 'zod'
import { Lane } from '../policy/lanes.js'
import { AppliedOverlay } from '../policy/overlays.js'
import { UseCaseRequirements } from '../requirements/requirement.js'
import { Route } from '../reviews/review.js'
import { Tier } from '../use-cases/use-case.js'
import { Brief } from './brief.js'
import * as examples from './examples.js'

const Precedent = z
  .strictObject({
    decisionId: z.uuid().describe('To cite as `precedentId` when you submit'),
    useCase: z.strictObject({ key: z.string(), title: z.string() }),
    decidedAt: z.iso.datetime(),
    conditions: z.int().describe('Conditions of that approval, which would hold here too'),
    lane: z.strictObject({ id: z.string(), title: z.string() }).describe('What citing it leads to'),
  })
  .meta({ id: 'CitablePrecedent', description: 'An approved case of the same pattern' })

/** What submitting a use case now would lead to. */
export const Prospect = z
  .strictObject({
    tier: Tier.describe('That it would be decided for'),
    route: Route,
    lane: Lane.describe('With what overlays add'),
    overlays: z.array(AppliedOverlay).describe('Rules for its line of business or jurisdiction that apply'),
    imposes: z.array(z.string()).describe('Patterns of conditions that an approval would carry'),
    readyToDecide: UseCaseRequirements.shape.readyToDecide,
    missing: z
      .array(z.string())
      .describe('What policy asks for and is not there, and what to do next; what holds it up comes first'),
    since: Brief.shape.since,
    precedents: z.array(Precedent).describe('Approvals that it could cite, the newest first'),
  })
  .meta({
    id: 'ReviewProspect',
    description: 'What submitting it now would lead to; nothing is saved',
    examples: [examples.prospect],
  })
export type Prospect = z.infer<typeof Prospect>
