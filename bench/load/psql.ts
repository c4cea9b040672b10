import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import pg from 'pg'
import { buildAbility, readRights } from '../../src/auth/decision-rights.js'
import type { Principal } from '../../src/auth/principal.js'
import { projectRoot } from '../../src/config.js'
import { copyRecords, type Selection } from '../../src/db/selection.js'
import { ASSENT_ID, ROOT_UNIT_ID } from '../../src/ids.js'
import { loadPolicies, type Policies } from '../../src/policy/load.js'
import { selectionFor } from '../../src/profiles/covering.js'
import { selectUseCases } from '../../src/registers/service.js'
import type { Place } from '../cluster.js'
import { secondsOf } from '../finding.js'
import { isHere, run } from '../tools.js'

const auditor: Principal = {
  personId: ASSENT_ID,
  kind: 'human',
  name: 'Auditor',
  boundUseCaseIds: [],
  grants: [{ kind: 'role', name: 'auditor', orgUnitId: ROOT_UNIT_ID, units: 'all' }],
}

/**
 * What the service says to PostgreSQL to export the register of use cases as CSV, for an auditor who sees all of it.
 * The service's own code says it here, to somebody who only writes it down.
 */
export async function exportStatements(): Promise<string[]> {
  const policies = loadPolicies(join(projectRoot, 'policies'))
  const moment = { asOf: new Date().toISOString(), settled: true, isPast: false, isPage: false }
  const questions = policies.riskTiers.questions.map(({ id }) => id)
  return await statementsOf(selectUseCases(abilityOf(policies), {}, moment), { csv: { questions } })
}

/** The same for the list of profiles, without what coverage is made of. */
export async function coverageStatements(): Promise<string[]> {
  const policies = loadPolicies(join(projectRoot, 'policies'))
  const tx = { ability: abilityOf(policies), now: new Date().toISOString() }
  const { kinds, columns, from, where, order } = selectionFor(tx, {})
  const { states: _states, answers: _answers, ...otherKinds } = kinds
  const { states: _column, answers: _facts, ...others } = columns
  const numbered = { ...order, keyOf: ({ key }: { key: string }) => key }
  return await statementsOf({ from, where, order: numbered, kinds: otherKinds, columns: others }, 'lines')
}

const abilityOf = ({ decisionRights }: Policies) => buildAbility(readRights(decisionRights), auditor)

async function statementsOf<R>(
  selection: Selection<R>,
  form: Parameters<typeof copyRecords>[2],
): Promise<string[]> {
  const heard: string[] = []
  const client = {
    query(said: string | pg.QueryConfig) {
      heard.push(typeof said === 'string' ? said : withValues(said))
      return new PassThrough().end()
    },
    release() {},
  }
  const pool = { connect: async () => client } as unknown as pg.Pool
  await copyRecords(pool, selection, form)
  return heard.slice(0, 3)
}

function withValues({ text, values = [] }: pg.QueryConfig): string {
  const literal = (value: unknown) =>
    Array.isArray(value)
      ? `array[${value.map((element) => pg.escapeLiteral(String(element))).join(', ')}]`
      : pg.escapeLiteral(String(value))
  return text.replace(/\$(\d+)/g, (_, number: string) => literal(values[Number(number) - 1]))
}

/** @returns seconds until psql had written it all into a pipe; undefined where psql is missing */
export async function copyByPsql(
  { host, database }: Place,
  [begin = '', settings = '', copy = '']: string[],
): Promise<number | undefined> {
  if (!isHere('psql')) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'assent-bench-'))
  try {
    const file = join(folder, 'export.sql')
    writeFileSync(file, `${begin};\n${settings} \\g /dev/null\n${copy};\ncommit;\n`)
    const session = `PGOPTIONS='-c timezone=UTC -c datestyle=ISO'`
    const psql = `psql -X -q -v ON_ERROR_STOP=1 -h '${host}' -U assent_app -f '${file}' ${database}`
    return await secondsOf(async () => await run('sh', ['-c', `${session} ${psql} | cat > /dev/null`]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
