import { z } from 'zod'
import type { ReadTx } from '../db/transaction.js'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import type { Instant } from '../instant.js'
import { ConditionPattern } from './conditions-file.js'
import { policyInForce } from './examples.js'
import { BreakGlassPolicy, Enforcement, GateFile } from './gate-policy.js'
import { Severity } from './incidents-file.js'
import { ChangeClasses, Lane } from './lanes.js'
import type { Policies } from './load.js'
import { Overlay } from './overlays.js'
import { Right } from './rights-file.js'
import { Question, TierRule } from './risk-tiers-file.js'
import { Trial, TriedFacts, tryTier } from './trial.js'

const tag = 'Policies'
const right = { action: 'read', subject: 'Policy' } as const

const PolicyInForce = z
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

interface Parts {
  policies: Policies
  findLoadedAt(tx: ReadTx, digest: string): Promise<Instant | null>
}

/** The rules in force, and what they would say. */
export async function policyRoutes(app: App, { policies, findLoadedAt }: Parts): Promise<void> {
  app.get(
    '/v1/policies',
    operation({
      id: 'getPolicies',
      tag,
      summary: 'The policy in force',
      description:
        'As read at the start of the process; `digest` names it in tiers, decisions and answers of the gate.',
      right,
      answers: { 200: PolicyInForce },
    }),
    async (request) => {
      const { digest, riskTiers, lanes, overlays, conditions, incidents, gate, decisionRights } = policies
      const { allow, deny } = decisionRights
      return {
        digest,
        loadedAt: await app.read(request, (tx) => findLoadedAt(tx, digest)),
        questions: riskTiers.questions,
        rules: riskTiers.rules,
        lanes: lanes.lanes,
        changeClasses: lanes.changeClasses,
        overlays: overlays.overlays,
        conditions: conditions.conditions,
        severities: incidents.severities,
        breakGlass: gate.breakGlass ?? null,
        environments: gate.environments,
        answersValidForMinutes: gate.answersValidForMinutes,
        decisionRights: { allow, deny },
      }
    },
  )

  app.post(
    '/v1/tiers/trial',
    operation({
      id: 'tryTier',
      tag,
      summary: 'Which tier would these answers give, and what would follow?',
      description:
        'The tier with the rules that fired, the lane with what overlays add, and the conditions that an approval would carry. Saves nothing.',
      right,
      body: TriedFacts,
      answers: { 200: Trial },
    }),
    async (request) => tryTier(policies, request.body),
  )
}
