import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { v7 as newId } from 'uuid'
import { digestOfSecret, mintSecret } from '../../src/auth/tokens.js'
import { projectRoot } from '../../src/config.js'
import { loadPolicies, type Policies } from '../../src/policy/load.js'
import { computeTier } from '../../src/policy/tiering.js'

/** Somebody who signs in while measuring. */
export interface Account {
  id: string
  name: string
  role: 'administrator' | 'risk_owner' | 'auditor' | 'pipeline'
  token: string
}

const PIPELINES = 100
/** Rows in one statement: enough to be fast, few enough to show that it moves. */
const BATCH = 20_000
const tables = [
  ...['use_case', 'use_case_version', 'use_case_state', 'review', 'decision'],
  ...['audit_event', 'audit_payload'],
]

/**
 * Fills an empty, migrated register with use cases, straight in SQL: heads, versions, states, decisions and events,
 * and the people and pipelines around them.
 * @param superuser of a server that may be as careless as it likes until this is done
 */
export async function seed(superuser: pg.ClientConfig, size: number): Promise<Account[]> {
  const accounts = makeAccounts()
  const policies = loadPolicies(join(projectRoot, 'policies'))
  await withSeeder(superuser, policies, async (client) => {
    await client.query(
      statement('world', { accounts: JSON.stringify(accounts.map(withDigest)), policy: policies.digest }),
    )
    const indexes = await dropIndexes(client)
    await insertUseCases(superuser, policies, size)
    for (const index of indexes) await client.query(index)
    await client.query(statement('bindings', {}))
  })
  await vacuum(superuser)
  return accounts
}

/** A control profile for each use case that is there. */
export async function seedProfiles(superuser: pg.ClientConfig): Promise<void> {
  const policies = loadPolicies(join(projectRoot, 'policies'))
  const catalog = policies.catalogs.find(({ id }) => id === 'nist-ai-rmf')
  const controls = JSON.stringify(catalog?.controls.map(({ id }) => id))
  await withSeeder(superuser, policies, async (client) => {
    await client.query(statement('profiles', { controls }))
  })
  await vacuum(superuser)
}

function makeAccounts(): Account[] {
  const one = (name: string, role: Account['role']): Account => {
    const { secret: token } = mintSecret(role === 'pipeline' ? 'sk' : 'pt')
    return { id: newId(), name, role, token }
  }
  return [
    ...[one('Administrator', 'administrator'), one('Risk owner', 'risk_owner'), one('Auditor', 'auditor')],
    ...Array.from({ length: PIPELINES }, (_, index) => one(`Pipeline ${index}`, 'pipeline')),
  ]
}

function withDigest({ id, name, role, token }: Account) {
  return { id, name, role, digest: digestOfSecret(token) }
}

async function insertUseCases(superuser: pg.ClientConfig, policies: Policies, size: number): Promise<void> {
  let next = 1
  const work = async (client: pg.Client): Promise<void> => {
    while (next <= size) {
      const first = next
      const last = Math.min(first + BATCH - 1, size)
      next = last + 1
      const values = { first: String(first), last: String(last), policy: policies.digest }
      await client.query(`begin; ${statement('use-cases', values)} commit`)
    }
  }
  await Promise.all([1, 2].map(async () => await withSeeder(superuser, policies, work)))
}

/** A session in which no constraint is checked row by row, with what the statements need at hand. */
async function withSeeder(
  superuser: pg.ClientConfig,
  policies: Policies,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({
    ...superuser,
    options: '-c timezone=UTC -c session_replication_role=replica',
  })
  await client.connect()
  try {
    await client.query(`set maintenance_work_mem = '1GB'; set max_parallel_maintenance_workers = 2`)
    await client.query(statement('functions', {}))
    await client.query(
      `create temp table variant (n int, answers jsonb, jurisdictions text[], channels text[], technique text,
        tier text, fired jsonb)`,
    )
    await client.query(`insert into variant select * from jsonb_populate_recordset(null::variant, $1)`, [
      JSON.stringify(variants(policies)),
    ])
    await work(client)
  } finally {
    await client.end()
  }
}

/** Four kinds of use cases, tiered by the policy in force. */
function variants({ riskTiers }: Policies) {
  const careful = {
    customer_facing: 'no',
    regulated_language: 'no',
    personal_data: 'none',
    decision_role: 'none',
    autonomy: 'human_in_loop',
    affected: 'nobody',
    vulnerable_people: 'no',
    annex_iii_area: 'none',
    omb_high_impact: 'no',
    prohibited_practice: 'none',
  }
  const kinds = [
    { answers: careful, technique: 'generative' as const },
    { answers: { ...careful, customer_facing: 'yes', personal_data: 'personal' }, technique: 'nlp' as const },
    {
      answers: { ...careful, decision_role: 'assists', affected: 'applicants' },
      technique: 'classical_ml' as const,
    },
    { answers: { customer_facing: 'no', decision_role: 'informs' }, technique: null },
  ]
  return kinds.map(({ answers, technique }, n) => {
    const facts = { technique, channels: ['web', 'phone'], jurisdictions: ['US-NY', 'EU'] }
    const { tier, fired } = computeTier(riskTiers, answers, facts)
    return { n, answers, ...facts, tier, fired }
  })
}

function statement(name: string, values: Record<string, string>): string {
  const text = readFileSync(join(projectRoot, 'bench/seed', `${name}.sql`), 'utf8')
  return text.replace(/(?<!:):(first|last|policy|accounts|controls)\b/g, (_, word) =>
    pg.escapeLiteral(values[word] ?? ''),
  )
}

/** Indexes are built faster over rows that are there. @returns what makes them anew */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
      from pg_index i where i.indrelid = any($1::regclass[])
        and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`,
    [tables],
  )
  for (const { name } of rows) await client.query(`drop index ${name}`)
  return rows.map(({ definition }) => definition)
}

async function vacuum(superuser: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(superuser)
  await client.connect()
  await client.query('vacuum analyze')
  await client.query('checkpoint')
  await client.end()
}
