// A register with people who see different parts of it, and a clock that the test moves.
import type { Test } from 'tap'
import { buildAbility, readRights } from '../../src/auth/decision-rights.js'
import { drizzleOn } from '../../src/db/client.js'
import type { Request, WriteTx } from '../../src/db/transaction.js'
import { newId } from '../../src/ids.js'
import type { Instant } from '../../src/instant.js'
import { findPrincipal } from '../../src/people/service.js'
import { registerUseCases, type UseCaseRow } from '../../src/use-cases/service.js'
import { Facts, type Origin } from '../../src/use-cases/use-case.js'
import { type Person, startApp, type TestApp } from '../app.js'

export const START = '2026-03-01T09:00:00.000Z'

export type World = Awaited<ReturnType<typeof startWorld>>

/** `sales` with `sales-de` below it, and `claims`; the auditor sees all, the others their unit. */
export async function startWorld(t: Test) {
  const clock = { at: START as Instant, now: () => clock.at }
  const server = await startApp(t, { clock })
  const sales = await server.unit('sales')
  const units = { sales, salesDe: await server.unit('sales-de', sales), claims: await server.unit('claims') }
  const people = {
    auditor: await server.person('Ada', { rights: ['auditor'] }),
    salesOwner: await server.person('Sam', { rights: ['business_owner'], unitId: units.sales }),
    salesRisk: await server.person('Rui', { rights: ['risk_owner'], unitId: units.sales }),
    claimsRisk: await server.person('Cleo', { rights: ['risk_owner'], unitId: units.claims }),
    nobody: await server.person('Nia', { rights: [] }),
  }
  return { ...server, clock, units, ...people }
}

/** Registers use cases as a person who may, in one transaction; what is left out is as little as possible. */
export async function register(
  { database, policies }: TestApp,
  as: Person,
  cases: (Partial<Facts> & { orgUnitId: string; origin?: Origin })[],
): Promise<UseCaseRow[]> {
  const candidates = cases.map(({ origin = 'declared', ...facts }, index) => ({
    facts: Facts.parse({ title: `Use of AI ${index}`, purpose: 'Saves time', ...facts }),
    origin,
    reason: 'registered',
    right: 'DR-20',
  }))
  const request = await requestBy({ database, policies }, as)
  return (await database.write(request, (tx) => registerUseCases(tx, policies, candidates))).value
}

/** A deed in one transaction, as this person. */
export async function act<T>(
  server: Pick<TestApp, 'database' | 'policies'>,
  as: Person,
  deed: (tx: WriteTx) => Promise<T>,
): Promise<T> {
  return (await server.database.write(await requestBy(server, as), deed)).value
}

async function requestBy(
  { database, policies }: Pick<TestApp, 'database' | 'policies'>,
  { id }: Person,
): Promise<Request> {
  const principal = await findPrincipal(drizzleOn(database.pool), id, database.clock.now())
  if (!principal) throw new Error('nobody')
  const ability = buildAbility(readRights(policies.decisionRights), principal)
  return { principal, ability, requestId: newId() }
}
