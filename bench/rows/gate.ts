import { accountOf, accountsOf, type Bench, loadOn } from '../bench.js'
import { query } from '../database.js'
import { alternate, type Finding } from '../finding.js'
import { type LoadRequest, requestsPerSecond } from '../load/load.js'
import { transactionsPerSecond } from '../load/pgbench.js'
import { p99AtRate } from '../load/rate.js'

/** What one pipeline may ask. */
interface Asked {
  number: string
  token: string
}

/** Each pipeline asks for the use cases that it is bound to, and all answers are allows. */
async function questions(bench: Bench): Promise<Asked[]> {
  const tokenOf = new Map(accountsOf(bench, 'pipeline').map(({ id, token }) => [id, token]))
  const bindings = await query<{ number: string; person_id: string }>(
    bench.register,
    `select c.number, b.person_id from pipeline_binding b join use_case c on c.id = b.use_case_id order by b.id`,
  )
  return bindings.map(({ number, person_id }) => ({ number, token: tokenOf.get(person_id) ?? '' }))
}

async function looks(bench: Bench): Promise<LoadRequest[]> {
  const asked = await questions(bench)
  return asked.map(({ number, token }) => ({
    path: `/v1/gate?useCase=UC-${number}&environment=production`,
    token,
  }))
}

/** Looks at the gate, beside bare JSON and a bare read of one row. */
export async function gateRow(bench: Bench): Promise<Finding[]> {
  const { options, register, service, baseline } = bench
  const requests = await looks(bench)
  const points = (await questions(bench)).map(({ number, token }) => ({ path: `/point/${number}`, token }))
  const { ours, bare, point } = await alternate(
    { rounds: options.rounds, warmUp: true },
    {
      ours: () => requestsPerSecond(loadOn(bench, service, { requests })),
      bare: () => requestsPerSecond(loadOn(bench, baseline, { requests: [{ path: '/bare' }] })),
      point: () => requestsPerSecond(loadOn(bench, baseline, { requests: points })),
    },
  )
  const { p99 } = await alternate(options, {
    p99: () => p99AtRate(service.origin, requests, { perSecond: 300, seconds: options.seconds }),
  })
  const common = { size: register.size, unit: 'req/s', ours } as const
  return [
    {
      ...common,
      deed: 'look at the gate',
      baseline: { name: 'bare JSON', value: bare },
      bar: { atLeast: 0.2 },
    },
    {
      ...common,
      deed: 'look at the gate',
      baseline: { name: 'pipelined point read', value: point },
      bar: { atLeast: 0.5 },
    },
    { deed: 'gate at 300 req/s, p99', size: register.size, unit: 'ms', ours: p99, bar: { atMost: 10 } },
  ]
}

/** Asks before a deploy: the answer is kept, with its event. */
export async function askRow(bench: Bench): Promise<Finding[]> {
  const { options, register, service } = bench
  const { seconds } = options
  const asked = await questions(bench)
  const requests = asked.map(({ number, token }) => ({
    path: '/v1/gate/answers',
    token,
    body: JSON.stringify({ useCase: `UC-${number}`, environment: 'production' }),
  }))
  const variables = { asker: accountOf(bench, 'pipeline').id }
  const { ours, same } = await alternate(
    { rounds: options.rounds, warmUp: true },
    {
      ours: () => requestsPerSecond(loadOn(bench, service, { method: 'POST', requests })),
      same: () => transactionsPerSecond(register, { name: 'ask', audited: true, seconds, variables }),
    },
  )
  const baseline = { name: 'pgbench', value: same }
  return [
    { deed: 'ask the gate', size: register.size, unit: 'req/s', ours, baseline, bar: { atLeast: 0.35 } },
  ]
}

/** The gate of a large register beside that of a small one. */
export async function compareGates(small: Bench, large: Bench): Promise<Finding[]> {
  const rate = async (bench: Bench) => {
    const requests = await looks(bench)
    return async () => await requestsPerSecond(loadOn(bench, bench.service, { requests }))
  }
  const { few, many } = await alternate(
    { rounds: small.options.rounds, warmUp: true },
    {
      few: await rate(small),
      many: await rate(large),
    },
  )
  const name = `at ${small.register.size.toLocaleString('en')}`
  return [
    {
      deed: 'look at the gate, many use cases',
      size: large.register.size,
      unit: 'req/s',
      ours: many,
      baseline: { name, value: few },
      bar: { atLeast: 0.9 },
    },
  ]
}
