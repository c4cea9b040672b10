import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { newId } from '../../src/ids.js'
import { startApp } from '../app.js'
import { answersFor } from '../committee.js'
import { scratch } from '../operation/service.js'
import { load, policyFolder, shippedPolicy, stricter } from '../policy-changes/policy.js'
import { everyRow } from '../unchanged.js'
import { assent } from './command.js'

const before = policyFolder(t)
const tried = policyFolder(t, {
  'risk-tiers.json': stricter,
  'requirements.json': (draft) => {
    const evidence = { kind: 'test_report', freshForDays: 365 }
    const report = { id: 'RQ-10', when: { tiers: ['high'] }, because: 'It was tried', evidence }
    draft.requirements = [{ ...report, ifMissing: 'refuse' }]
  },
  'lanes.json': ({ lanes }) => {
    for (const lane of lanes) if (lane.when?.tiers?.includes('high')) lane.validForDays = 200
  },
})
const world = await startApp(t, { policies: load(before) })
const there = await startApp(t, { connections: world.connections, policies: load(tried) })
const url = await world.app.listen({ host: '127.0.0.1', port: 0 })
const urlThere = await there.app.listen({ host: '127.0.0.1', port: 0 })
const { owner } = world
const sales = await world.unit('sales')
const claims = await world.unit('claims')
const writer = await world.person('Bea', { rights: ['business_owner'] })
const risk = await world.person('Rui', { rights: ['risk_owner'] })
const auditor = await world.person('Ada', { rights: ['auditor'] })
const admin = await world.person('Root', { rights: ['administrator'] })
const ofSales = await world.person('Sal', { rights: ['auditor'], unitId: sales })

const register = async (facts: object = {}) => {
  const { body } = await writer.post('/v1/use-cases', {
    ...{ title: 'Letters', purpose: 'Writes what customers read', orgUnitId: sales },
    ...{ answers: answersFor.limited, ...facts },
  })
  return body
}
const set = async (id: string, head: Record<string, unknown>) => {
  const columns = Object.keys(head).map((column, at) => `${column} = $${at + 2}`)
  await owner.query(`update use_case set ${columns.join(', ')} where id = $1`, [id, ...Object.values(head)])
}
const decided = (approvedTier: string) => ({
  ...{ approval_id: newId(), approved_tier: approvedTier, last_outcome: 'approved' },
  ...{ valid_until: '2100-01-01T00:00:00.000Z', material_facts: ['answers'], material_digest: 'sha256:0' },
})
const evil = 'Letters | <img src=x> @everyone `x` [y](https://example.com)'
const cases = {
  lapsing: await register({ title: evil }),
  rising: await register(),
  high: await register({ answers: answersFor.high, orgUnitId: claims }),
  minimal: await register({ answers: answersFor.minimal }),
  retired: await register(),
}
await set(cases.lapsing.id, decided('limited'))
await risk.post(`/v1/use-cases/${cases.retired.id}/retirement`, { reason: 'over' }, { 'if-match': '"1"' })

const env = { ASSENT_TOKEN: auditor.token }
const diff = async (args: string[], more: Record<string, string> = {}) =>
  await assent(['policy', 'diff', '--policy', tried, ...args], { ...env, ...more })
const inJson = async (args: string[], more: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await diff(['--format', 'json', ...args], more)
  return { code, stderr, found: stdout === '' ? undefined : JSON.parse(stdout) }
}
const exported = async () => {
  const headers = { authorization: `Bearer ${auditor.token}` }
  return (await world.app.inject({ url: '/v1/registers/use-cases?format=ndjson', headers })).payload
}

t.test('what a policy would do to the register of a server, before it is in force', async (t) => {
  const rows = await everyRow(owner)
  const { code, found } = await inJson(['--against', url])
  t.equal(code, 0)
  t.match(found, {
    ...{ from: world.policies.digest, to: there.policies.digest, examined: 4, changed: 3, omitted: 0 },
    kinds: { lapse: 1, tier_raised: 2, stricter: 3, lane: 2, requirements: 3, pending: 0, tier_lowered: 0 },
    tiers: [{ from: 'limited', to: 'high', count: 2 }],
    evidence: [{ requirement: 'RQ-10', more: 3, less: 0 }],
    asOf: /^\d{4}-/,
  })
  const { lapsing, rising, high } = cases
  t.match(found.useCases, [
    { key: lapsing.key, title: evil, standing: { from: 'cleared', to: 'lapsed' }, orgUnit: 'sales' },
    {
      key: rising.key,
      tier: { from: 'limited', to: 'high' },
      standing: null,
      lane: { from: 'limited', to: 'high' },
    },
    {
      ...{ key: high.key, tier: null, standing: null, lane: null, requirements: ['validity'] },
      evidence: { more: ['RQ-10'], less: [] },
    },
  ])
  t.strictSame(await everyRow(owner), rows, 'nothing changed')
})

t.test('an export says the same as the server that it came from, with the policy beside it', async (t) => {
  const file = join(scratch(t), 'register.ndjson')
  writeFileSync(file, await exported())
  const { found: ofServer } = await inJson(['--against', url])
  const { found, code } = await inJson(['--against', file, '--base', before])
  t.equal(code, 0)
  t.strictSame({ ...found, asOf: null }, { ...ofServer, asOf: null })
  const same = await assent(['policy', 'diff', '--against', file, '--base', tried, '--policy', tried])
  t.match(same.stdout, /2 of 4 use cases would change[\s\S]*pending/, 'not applied yet')
})

t.test('a token sees the units of its role', async (t) => {
  const { found } = await inJson(['--against', url], { ASSENT_TOKEN: ofSales.token })
  t.match(found, { examined: 3, changed: 2 })
})

t.test('a pipeline fails on the kinds of change that it names, and on no others', async (t) => {
  const ending = async (kinds: string) => (await diff(['--against', url, '--fail-on', kinds])).code
  t.equal(await ending('lapse'), 1)
  t.equal(await ending('tier_lowered, lapse'), 1)
  t.equal(await ending('tier_lowered,open_review'), 0)
  t.equal(await ending('any'), 1)
  const same = ['policy', 'diff', '--against', url, '--policy', before, '--fail-on', 'any']
  const { code, stdout } = await assent(same, env)
  t.equal(code, 0)
  t.match(stdout, 'Nothing changes for any of 4 use cases')
})

t.test(
  'a comment for a pull request counts all, lists a bounded number, and runs no mark-up of others',
  async (t) => {
    const { stdout } = await diff(['--against', url, '--format', 'markdown', '--fail-on', 'lapse'])
    t.match(stdout, '**3 of 4 use cases')
    t.match(stdout, /\| limited \| high \| 2 \|/)
    t.match(stdout, /\| RQ-10 \| more of 3 \| {2}\|/)
    t.match(stdout, 'Not accepted here: `lapse`.')
    const [row = ''] = stdout
      .split('\n')
      .filter((line) => line.includes(cases.lapsing.key.replace('-', '\\-')))
    t.equal(row.split(/(?<!\\)\|/).length, 6, 'four cells')
    t.notMatch(row, /<img|@everyone|\]\(|https:\/\//)
    const one = (await diff(['--against', url, '--format', 'markdown', '--limit', '1'])).stdout
    t.match(one, 'And 2 more.')
    const none = (await diff(['--against', url, '--limit', '0'])).stdout
    t.match(none, /3 of 4 use cases/)
    t.match(none, 'and 3 more')
  },
)

t.test('what does not come whole is compared with nothing', async (t) => {
  const folder = scratch(t)
  const lines = (await exported()).trimEnd().split('\n')
  const [first = '', ...others] = lines
  const broken: [name: string, text: string, words: RegExp][] = [
    ['cut off', lines.join('\n').slice(0, -20), /breaks off in line \d; export it again/],
    ['no JSON', `${first}\n{"key": \n${others.join('\n')}\n`, /line 2 of the register is not JSON/],
    ['of another kind', `${JSON.stringify({ id: 1 })}\n`, /line 1 of the register is no use case/],
    ['of an older version', `${first.replace('"orgUnitKeys"', '"x"')}\n`, /line 1.*orgUnitKeys is missing/],
  ]
  for (const [name, text, words] of broken) {
    const file = join(folder, 'register.ndjson')
    writeFileSync(file, text)
    const { code, stdout, stderr } = await diff(['--against', file, '--base', shippedPolicy])
    t.strictSame([code, stdout], [2, ''], name)
    t.match(stderr, words, name)
  }
  const breaking = createServer((request, response) => {
    if (request.url?.startsWith('/v1/policies')) {
      world.app.inject({ url: '/v1/policies', headers: { authorization: `Bearer ${auditor.token}` } }).then(
        ({ payload }) => response.end(payload),
        () => response.destroy(),
      )
      return
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(`${first}\n`, () => response.destroy())
  })
  breaking.listen(0, '127.0.0.1')
  await once(breaking, 'listening')
  t.teardown(() => breaking.close())
  const at = `http://127.0.0.1:${(breaking.address() as AddressInfo).port}`
  const { code, stdout } = await diff(['--against', at])
  t.strictSame([code, stdout], [5, ''], 'a server that breaks off')
})

t.test('every other way in which it cannot compare has a code and a sentence', async (t) => {
  const broken = policyFolder(t, { 'gate.json': (draft) => delete draft.environments })
  const cases: [args: string[], code: number, words: RegExp, more?: Record<string, string>][] = [
    [[], 2, /say what to compare with/],
    [['--against', '/nowhere.ndjson', '--base', shippedPolicy], 2, /there is no file/],
    [
      ['--against', join(shippedPolicy, 'gate.json')],
      2,
      /name the folder of the one it was made under with --base/,
    ],
    [['--against', url, '--base', shippedPolicy], 2, /leave --base out/],
    [['--against', url, '--fail-on', 'lapses'], 2, /--fail-on takes any, or some of lapse/],
    [['--against', url, '--limit', 'all'], 2, /--limit must be a whole number/],
    [['--against', url, '--format', 'html'], 2, /--format must be one of text, json, markdown/],
    [['--against', 'http://assent.example.com'], 2, /would show your token/],
    [['--against', url, '--timeout', 'long'], 2, /--timeout must be/],
    [['--against', url], 3, /./, { ASSENT_TOKEN: 'assent_pt_nobody' }],
    [['--against', url], 3, /export/, { ASSENT_TOKEN: writer.token }],
    [['--against', 'http://127.0.0.1:9', '--timeout', '1'], 5, /nothing listens/],
  ]
  for (const [args, code, words, more] of cases) {
    const ended = await assent(['policy', 'diff', '--policy', tried, ...args], { ...env, ...more })
    t.strictSame([ended.code, ended.stdout], [code, ''], args.join(' '))
    t.match(ended.stderr, words, args.join(' '))
    t.notMatch(ended.stderr, auditor.token)
  }
  const { code, stderr } = await assent(['policy', 'diff', '--against', url, '--policy', broken], env)
  t.equal(code, 1)
  t.match(stderr, /gate\.json:1:1: environments is missing; add it\./)
})

t.test('what was foretold is what an application brings, and then nothing is left', async (t) => {
  const { found: foretold } = await inJson(['--against', url])
  const apply = async (args: string[] = [], token = admin.token) =>
    await assent(['policy', 'apply', '--server', urlThere, ...args], { ASSENT_TOKEN: token })
  const rows = await everyRow(owner)

  const pending = await assent(
    ['policy', 'diff', '--policy', tried, '--against', urlThere, '--fail-on', 'any'],
    env,
  )
  t.equal(pending.code, 0, 'what waits to be applied is no fault of whoever changes the policy next')
  t.match(pending.stdout, /pending +2 /)
  const refused = await apply(['--yes'], auditor.token)
  t.equal(refused.code, 3)
  t.notMatch(refused.stdout, 'Applied', 'an auditor sees what it would change, and changes nothing')
  const looked = await apply()
  t.equal(looked.code, 0)
  t.match(looked.stdout, /2 of 4 use cases get another tier.*; 1 approvals lapse/)
  t.match(looked.stdout, 'Nothing was changed; --yes applies it.')
  t.strictSame(await everyRow(owner), rows, 'nothing changed')

  const applied = await apply(['--yes'])
  t.equal(applied.code, 0, applied.stderr)
  t.match(applied.stdout, 'Applied: 2 changed, and 1 approvals lapsed.')
  for (const { key, tier, standing } of foretold.useCases) {
    const { body } = await there.ask({
      method: 'GET',
      url: `/v1/use-cases/${key}`,
      headers: { authorization: `Bearer ${auditor.token}` },
    })
    if (tier) t.equal(body.tier.effective, tier.to)
    if (standing) t.equal(body.standing.standing, standing.to)
  }
  const after = await everyRow(owner)
  t.match((await apply(['--yes'])).stdout, 'Nothing is left to apply')
  t.strictSame(await everyRow(owner), after, 'nothing changed')
  const again = await assent(
    ['policy', 'diff', '--policy', tried, '--against', urlThere, '--format', 'json'],
    env,
  )
  t.match(JSON.parse(again.stdout), { changed: 0 })
  const json = await apply(['--format', 'json'])
  t.match(JSON.parse(json.stdout), { applied: false, changed: 0, examined: 4 })
})

t.test('the help tells each kind of change that a pipeline can fail on', async (t) => {
  const { stdout } = await assent(['policy', 'diff', '--help'])
  for (const kind of ['lapse', 'tier_raised', 'open_review', 'pending'])
    t.match(stdout, new RegExp(`^ +${kind} `, 'm'))
  t.match((await assent(['policy', 'apply', '--help'])).stdout, /^usage: assent policy apply/)
  t.match(readFileSync(join(tried, 'risk-tiers.json'), 'utf8'), 'RT-40', 'the folder that is tried stays')
})
