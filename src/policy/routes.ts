import type { ReadTx } from '../db/transaction.js'
import { operation } from '../http/operations.js'
import type { App } from '../http/types.js'
import type { Instant } from '../instant.js'
import { PolicyInForce } from './in-force.js'
import type { Policies } from './load.js'
import { Trial, TriedFacts, tryTier } from './trial.js'

const tag = 'Policies'
const right = { action: 'read', subject: 'Policy' } as const

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
      const { digest, riskTiers, lanes, overlays, conditions, incidents, gate, retention } = policies
      const { allow, deny } = policies.decisionRights
      return {
        digest,
        loadedAt: await app.read(request, (tx) => findLoadedAt(tx, digest)),
        questions: riskTiers.questions,
        rules: riskTiers.rules,
        lanes: lanes.lanes,
        changeClasses: lanes.changeClasses,
        overlays: overlays.overlays,
        conditions: conditions.conditions,
        requirements: policies.requirements.requirements,
        retention: retention.classes,
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
        'The tier with the rules that fired, the lane with what overlays add, the conditions that an approval would carry, and the evidence and controls that it would rest on. Saves nothing.',
      right,
      body: TriedFacts,
      answers: { 200: Trial },
    }),
    async (request) => tryTier(policies, request.body),
  )
}
