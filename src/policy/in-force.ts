import { z } from 'zod'
import { ConditionPattern } from './conditions-file.js'
import { policyInForce } from './examples.js'
import { BreakGlassPolicy, Enforcement, GateFile } from './gate-policy.js'
import { Severity } from './incidents-file.js'
import { ChangeClasses, Lane } from './lanes.js'
import { Overlay } from './overlays.js'
import { Requirement } from './requirements.js'
import { RetentionClass } from './retention-file.js'
import { Right } from './rights-file.js'
import { Question, TierRule } from './risk-tiers-file.js'

export const PolicyInForce = z
  .strictObject({
    digest: z.string().describe('Of every policy file; versions and decisions name it'),
    loadedAt: z.iso
      .datetime()
      .nullable()
      .describe('When it came into force; null while another process runs with a later one'),
    questions: z.array(Question).describe('The intake questions'),
    rules: z.array(TierRule).describe('From answers and facts to tiers'),
    lanes: z
      .array(Lane)
      .describe(
        'Who decides, by tier and facts: the first that fits. One without `when` is referred to by others',
      ),
    changeClasses: ChangeClasses,
    overlays: z.array(Overlay).describe('Exceptions for a line of business or a jurisdiction'),
    conditions: z
      .array(ConditionPattern)
      .describe('Conditions in words that were agreed once, to choose from'),
    requirements: z
      .array(Requirement)
      .describe('Evidence and controls that an approval rests on, by tier and facts'),
    retention: z.array(RetentionClass).describe('How long evidence is kept at least'),
    severities: z.array(Severity).describe('Of incidents, the lowest first'),
    breakGlass: BreakGlassPolicy.nullable().describe('Null where nobody may open the gate in an emergency'),
    environments: z.record(z.string(), Enforcement).describe('What a denial of the gate means in each'),
    answersValidForMinutes: GateFile.shape.answersValidForMinutes,
    decisionRights: z.strictObject({ allow: z.array(Right), deny: z.array(Right) }),
  })
  .meta({
    id: 'PolicyInForce',
    description: 'The policy in force, as a client needs it to show a form and to explain an answer',
    examples: [policyInForce],
  })
