import { z } from 'zod'
import { Grant, Person } from '../people/person.js'

/** What one action comes to, in the words of the right that decides it. */
export const Verdict = z.strictObject({
  action: z.string(),
  allowed: z.boolean(),
  right: z.string().nullable().describe('The decision right that speaks, as DR-nn'),
  because: z.string(),
})

/** Who asks, what they hold, and what they may do. */
export const Me = z.strictObject({
  person: Person,
  grants: z.array(Grant.pick({ kind: true, name: true, orgUnitId: true })),
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
export type Me = z.infer<typeof Me>
