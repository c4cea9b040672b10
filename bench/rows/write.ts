import { accountOf, type Bench, loadOn } from '../bench.js'
import { query } from '../database.js'
import { alternate, type Finding } from '../finding.js'
import { type LoadRequest, requestsPerSecond } from '../load/load.js'
import { transactionsPerSecond } from '../load/pgbench.js'

/** Revises facts, which is a version, a state and an event in one transaction. */
export async function writeRow(bench: Bench): Promise<Finding[]> {
  const { options, register, service } = bench
  const { seconds } = options
  const { ours, same, unaudited } = await alternate(
    { rounds: options.rounds, warmUp: true },
    {
      ours: async () => {
        const requests = await revisions(bench)
        return await requestsPerSecond(loadOn(bench, service, { method: 'PATCH', requests }))
      },
      same: () => transactionsPerSecond(register, { name: 'revise', audited: true, seconds }),
      unaudited: () => transactionsPerSecond(register, { name: 'revise', audited: false, seconds }),
    },
  )
  const common = { size: register.size, unit: 'req/s' } as const
  return [
    { ...common, deed: 'revise', ours, baseline: { name: 'pgbench', value: same }, bar: { atLeast: 0.35 } },
    {
      ...common,
      deed: 'revise in pgbench, audited',
      ours: same,
      baseline: { name: 'not audited', value: unaudited },
      bar: { atLeast: 0.7 },
    },
  ]
}

/** Use cases that were never reviewed, as they are now: each request makes the next revision of one of them. */
async function revisions(bench: Bench): Promise<LoadRequest[]> {
  const { token } = accountOf(bench, 'risk_owner')
  const benefits = `Fewer errors, as seen in run {turn} of ${new Date().toISOString()}`
  const body = JSON.stringify({ facts: { benefits }, reason: 'measured' })
  const rows = await query<{ id: string; revision: number }>(
    bench.register,
    'select id, revision from use_case where number % 10 > 5 order by random() limit 4000',
  )
  return rows.map(({ id, revision }) => ({ path: `/v1/use-cases/${id}`, token, revision, body }))
}
