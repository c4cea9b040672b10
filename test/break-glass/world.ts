// Use cases as a committee left them, and what the gate says of them in an emergency.
import type { Test } from 'tap'
import type { Answer, Person } from '../app.js'
import { startCommittee } from '../committee.js'
import { type Head, registered } from '../gate/register.js'

export type World = Awaited<ReturnType<typeof startWorld>>

/** A committee, and a pipeline that is bound to what `put` puts into the register. */
export async function startWorld(t: Test) {
  const committee = await startCommittee(t)
  const { owner, riskOwner, businessOwner, unitId } = committee
  const pipeline = await committee.person('Deploy', { kind: 'service', rights: ['pipeline'], unitId })

  /** Retired last: no pipeline is bound to what has ended. */
  const put = async ({ retired_at, ...head }: Head = {}): Promise<{ id: string; key: string }> => {
    const owners = { risk_owner_id: riskOwner.id, business_owner_id: businessOwner.id }
    const useCase = await registered(committee, { unitId, ...owners, ...head })
    await riskOwner.post(`/v1/use-cases/${useCase.id}/pipelines`, { personId: pipeline.id })
    await owner.query('update use_case set retired_at = $2 where id = $1', [useCase.id, retired_at ?? null])
    return useCase
  }
  return { ...committee, pipeline, put }
}

export const emergency = { environment: 'production', reason: 'the portal is down', hours: 8 }

export async function open(by: Person, useCaseId: string, more: object = {}): Promise<Answer> {
  return await by.post(`/v1/use-cases/${useCaseId}/break-glass`, { ...emergency, ...more })
}

export async function close(by: Person, id: string): Promise<Answer> {
  return await by.post(`/v1/break-glass/${id}/closing`, { reason: 'the fix is out' })
}

export async function judge(by: Person, id: string, verdict = 'justified'): Promise<Answer> {
  return await by.post(`/v1/break-glass/${id}/review`, { verdict, note: 'one deploy, announced' })
}

export async function look(
  { pipeline }: Pick<World, 'pipeline'>,
  key: string,
  accept: boolean,
  environment = 'production',
): Promise<Answer> {
  const asked = { useCase: key, environment, acceptBreakGlass: String(accept) }
  return await pipeline.get(`/v1/gate?${new URLSearchParams(asked)}`)
}

export async function ask(
  { pipeline }: Pick<World, 'pipeline'>,
  key: string,
  acceptBreakGlass: boolean,
  idempotencyKey?: string,
): Promise<Answer> {
  const asked = { useCase: key, environment: 'production', acceptBreakGlass }
  return await pipeline.post(
    '/v1/gate/answers',
    asked,
    idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey },
  )
}

export const codes = ({ body }: Answer): string[] => body.reasons.map(({ code }: { code: string }) => code)
