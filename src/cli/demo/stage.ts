import type { OrgUnit } from '../../org-units/org-unit.js'
import type { Person } from '../../people/person.js'
import type { IssuedToken } from '../../tokens/token.js'
import { Caller } from './caller.js'
import { type Actor, people } from './cast.js'
import type { DemoIssuer } from './issuer.js'

/** Everybody who acts, signed in, and where they act. */
export interface Stage {
  url: string
  administrator: Caller
  /** By subject. */
  callers: Map<string, Caller>
  /** Person ids by subject. */
  ids: Map<string, string>
  pipeline: { id: string; token: string }
}

interface Start {
  url: string
  administratorToken: string
  issuer: DemoIssuer
}

/** Invites everybody with the rights they need, and makes the pipeline's service account. */
export async function setStage({ url, administratorToken, issuer }: Start): Promise<Stage> {
  const administrator = new Caller(url, async () => administratorToken)
  const rootId = await findRoot(administrator)
  const ids = new Map<string, string>()
  for (const actor of people) ids.set(actor.subject, await invite(administrator, actor, rootId))
  const callers = new Map(
    people.map(({ subject }) => [subject, new Caller(url, () => issuer.tokenFor(subject))]),
  )
  return { url, administrator, callers, ids, pipeline: await makePipeline(administrator, rootId) }
}

/** @throws Error when the cast has nobody like that */
export function as(stage: Stage, subject: string): Caller {
  const caller = stage.callers.get(subject)
  if (!caller) throw new Error(`nobody plays ${subject}`)
  return caller
}

export function idOf(stage: Stage, subject: string): string {
  return stage.ids.get(subject) ?? ''
}

async function findRoot(administrator: Caller): Promise<string> {
  const { items } = await administrator.get<{ items: OrgUnit[] }>('/v1/org-units')
  return items.find(({ parentId }) => parentId === null)?.id ?? ''
}

async function invite(
  administrator: Caller,
  { subject, name, rights }: Actor,
  orgUnitId: string,
): Promise<string> {
  const { id } = await administrator.post<Person>('/v1/people', { name, proof: { subject } })
  for (const right of rights) await grant(administrator, id, right, orgUnitId)
  return id
}

/** @param right `role` or `seat:name` */
async function grant(
  administrator: Caller,
  personId: string,
  right: string,
  orgUnitId: string,
): Promise<void> {
  const [role, seat] = right.split(':')
  const named = seat === undefined ? { kind: 'role', name: role } : { kind: 'seat', name: seat }
  await administrator.post(`/v1/people/${personId}/grants`, { ...named, orgUnitId })
}

async function makePipeline(administrator: Caller, rootId: string): Promise<Stage['pipeline']> {
  const { id } = await administrator.post<Person>('/v1/service-accounts', { name: 'Deploy pipeline' })
  await grant(administrator, id, 'pipeline', rootId)
  const { secret } = await administrator.post<IssuedToken>(`/v1/people/${id}/tokens`, { name: 'deploy' })
  return { id, token: secret }
}
