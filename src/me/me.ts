import { z } from 'zod'
import { Grant, Person } from '../people/person.js'
import { me } from './examples.js'

/** What one action comes to, in the words of the right that decides it. */
export const Verdict = z
  .strictObject({
    action: z.string(),
    allowed: z.boolean(),
    right: z.string().nullable().describe('The decision right that speaks, as DR-nn'),
    because: z.string().describe('The sentence of that right'),
  })
  .meta({ id: 'ActionVerdict', description: 'What one action comes to' })

/** A grant as its holder needs it. */
export const HeldGrant = Grant.pick({ kind: true, name: true, orgUnitId: true })
  .extend({
    for: z.uuid().nullable().describe('Whose seat it is, if they delegated it to you: you vote for them'),
  })
  .meta({ id: 'HeldGrant' })

export const Me = z
  .strictObject({
    person: Person,
    grants: z.array(HeldGrant),
    may: z
      .record(z.string(), z.array(z.string()))
      .describe('By subject, what you may do to at least some of them: for menus, not for one case'),
    useCase: z
      .strictObject({ id: z.uuid(), key: z.string(), verdicts: z.array(Verdict) })
      .nullable()
      .describe('What you may do with the use case you asked about, and why not'),
    review: z
      .strictObject({ id: z.uuid(), verdicts: z.array(Verdict) })
      .nullable()
      .describe('The same for its open review, if there is one that you may see'),
  })
  .meta({ id: 'Me', description: 'Who asks, what they hold, and what they may do', examples: [me] })
export type Me = z.infer<typeof Me>
