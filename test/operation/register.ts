// A register with something in every corner, and ways to look at a whole database.
import pg from 'pg'
import type { Test } from 'tap'
import { type Answer, ifMatch, type Person, type TestApp } from '../app.js'
import type { Connection } from '../database-run.js'
import { formAround, formType, typeOf } from '../evidence/world.js'
import { createDatabase, type TestDatabase } from '../helper.js'

/** Text that a careless copy would break. */
const awkward = 'tab\t newline\n backslash\\ \\N \\. quote" größer 漢字 🙂 \u2028'

export interface Team {
  business: Person
  risk: Person
  legal: Person
  compliance: Person
  security: Person
  pipeline: Person
  unitId: string
}

export async function makeTeam({ person, unit }: Pick<TestApp, 'person' | 'unit'>): Promise<Team> {
  const unitId = await unit('claims')
  const seat = async (name: string) =>
    await person(name, { rights: ['committee_member', `seat:${name}`], unitId })
  return {
    unitId,
    business: await person('Bea', { rights: ['business_owner'], unitId }),
    risk: await person('Rui', { rights: ['risk_owner'], unitId }),
    legal: await seat('legal'),
    compliance: await seat('compliance'),
    security: await seat('security'),
    pipeline: await person('deploy', { rights: ['pipeline'], unitId, kind: 'service' }),
  }
}

/** Registers one use of AI. */
export async function register(team: Team, title: string, size = 10): Promise<Answer> {
  return await team.business.post('/v1/use-cases', {
    title,
    purpose: `${awkward}${'words '.repeat(size)}`,
    orgUnitId: team.unitId,
    businessOwnerId: team.business.id,
    riskOwnerId: team.risk.id,
  })
}

export async function attach(person: Person, useCaseId: string, bytes: Buffer): Promise<Answer> {
  const type = typeOf(bytes)
  const { head, tail } = formAround({ kind: 'test_report', title: awkward.slice(0, 20) }, { type })
  return await person.post(`/v1/use-cases/${useCaseId}/evidence/files`, Buffer.concat([head, bytes, tail]), {
    'content-type': formType,
  })
}

/** Registers, changes, attaches, submits and votes: a row in most tables. */
export async function liveThrough(team: Team, title: string, evidence: Buffer[]): Promise<number[]> {
  const { business, risk, legal } = team
  const answers = [await register(team, title)]
  const url = `/v1/use-cases/${answers[0]?.body.id}`
  const act = async (doing: Promise<Answer>) => void answers.push(await doing)
  const seen = async () => ifMatch(await business.get(url))
  await act(business.patch(url, { facts: { tags: [title] }, reason: awkward }, await seen()))
  for (const bytes of evidence) await act(attach(business, answers[0]?.body.id, bytes))
  if (evidence.length > 0) {
    await act(
      risk.post(`/v1/evidence/${answers.at(-1)?.body.id}/verdict`, { verdict: 'accepted', note: awkward }),
    )
  }
  await act(risk.post(`${url}/reviews`, { note: awkward }, await seen()))
  const votes = `/v1/reviews/${answers.at(-1)?.body.id}/votes`
  await act(legal.post(votes, { seat: 'legal', choice: 'request_changes', rationale: awkward }))
  await act(business.post('/v1/org-units', { key: 'mine', name: 'Mine', parentId: team.unitId })) // on record
  return answers.map(({ status }) => status)
}

/** A database of the test's own without a single table. */
export async function createBlank(t: Test): Promise<TestDatabase> {
  const connections = await createDatabase(t)
  await query(connections.ownerConnection, 'drop schema public cascade')
  await query(connections.ownerConnection, 'create schema public; grant usage on schema public to public')
  return connections
}

export async function query(connection: Connection, sql: string) {
  const client = new pg.Client(connection)
  client.on('error', () => {}) // told by what is asked of it
  await client.connect()
  return (await client.query(sql).finally(() => client.end())).rows
}

/** Every row of every table as text, generated columns too, in an order of its own. */
export async function readEverything(client: pg.Client): Promise<Record<string, string[]>> {
  const tables = await client.query(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
  )
  const everything: Record<string, string[]> = {}
  for (const { name } of tables.rows) {
    const { rows } = await client.query(`select t::text as row from ${pg.escapeIdentifier(name)} t`)
    everything[name] = rows.map(({ row }) => row).sort()
  }
  return everything
}

/** Changes and events that do not match: there must be none. */
export async function findMismatches(connection: Connection): Promise<unknown[]> {
  return await query(
    connection,
    `with numbered as (
      select aggregate_id as id, count(*)::int as events, min(event_no) as first, max(event_no) as last
      from audit_event group by 1)
    select 'gap' as what, id from numbered where first <> 1 or last <> events
    union all
    select 'head', id from (
      select id, last_event_no from use_case union all select id, last_event_no from person
      union all select id, last_event_no from org_unit union all select id, last_event_no from system
      union all select id, last_event_no from gate_answer) a left join numbered using (id)
    where last_event_no <> coalesce(numbered.last, 0)
    union all
    select 'state', u.id from use_case u left join use_case_state s on s.use_case_id = u.id
    group by u.id having count(*) <> u.revision or max(s.revision) <> u.revision or u.revision <> u.last_event_no
    union all
    select 'version', u.id from use_case u left join use_case_version v on v.use_case_id = u.id
    group by u.id having count(*) <> u.version or max(v.version) <> u.version`,
  )
}
