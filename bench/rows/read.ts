import { Cursors } from '../../src/http/paging.js'
import { accountOf, type Bench, loadOn } from '../bench.js'
import { cursorSecret } from '../children.js'
import { query } from '../database.js'
import { alternate, type Finding } from '../finding.js'
import { requestsPerSecond } from '../load/load.js'

/** One use case, beside a bare handler that reads the same row. */
export async function getRow(bench: Bench): Promise<Finding[]> {
  const { options, register, service, baseline } = bench
  const { token } = accountOf(bench, 'auditor')
  const rows = await query<{ id: string }>(register, 'select id from use_case order by random() limit 4000')
  const ids = rows.map(({ id }) => id)
  const { ours, bare } = await alternate(
    { rounds: options.rounds, warmUp: true },
    {
      ours: () =>
        requestsPerSecond(
          loadOn(bench, service, { requests: ids.map((id) => ({ path: `/v1/use-cases/${id}`, token })) }),
        ),
      bare: () =>
        requestsPerSecond(
          loadOn(bench, baseline, { requests: ids.map((id) => ({ path: `/use-cases/${id}` })) }),
        ),
    },
  )
  const common = { size: register.size, unit: 'req/s', bar: { atLeast: 0.7 } } as const
  return [{ ...common, deed: 'get one use case', ours, baseline: { name: 'bare handler', value: bare } }]
}

/** A page of 50, the first one and the one after all others, each beside a bare handler with the same query. */
export async function listRow(bench: Bench): Promise<Finding[]> {
  const { options, register, service, baseline } = bench
  const { token } = accountOf(bench, 'auditor')
  const end = await lastRowButOnePage(bench)
  const rate = (served: typeof service, path: string) => async () =>
    await requestsPerSecond(loadOn(bench, served, { requests: [{ path, token }] }))
  const bareEnd = new URLSearchParams({ updatedAt: end.updated_at, id: end.id })
  const { first, bareFirst, last, bareLast } = await alternate(
    { rounds: options.rounds, warmUp: true },
    {
      first: rate(service, '/v1/use-cases'),
      bareFirst: rate(baseline, '/page?updatedAt=infinity&id=00000000-0000-0000-0000-000000000000'),
      last: rate(service, `/v1/use-cases?cursor=${cursorAfter(bench, end)}`),
      bareLast: rate(baseline, `/page?${bareEnd}`),
    },
  )
  const common = { size: register.size, unit: 'req/s', bar: { atLeast: 0.7 } } as const
  const after = `page after row ${(register.size - 50).toLocaleString('en')}`
  return [
    {
      ...common,
      deed: 'first page of 50',
      ours: first,
      baseline: { name: 'bare handler', value: bareFirst },
    },
    { ...common, deed: after, ours: last, baseline: { name: 'bare handler', value: bareLast } },
    {
      ...common,
      deed: after,
      ours: last,
      baseline: { name: 'first page', value: first },
      bar: { atLeast: 0.9 },
    },
  ]
}

interface LastRow {
  id: string
  updated_at: string
}

async function lastRowButOnePage({ register }: Bench): Promise<LastRow> {
  const [row] = await query<LastRow>(
    register,
    `select id, to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as updated_at
      from use_case order by updated_at, id offset 50 limit 1`,
  )
  if (!row) throw new Error('the register is too small to have a last page')
  return row
}

/** What the service would have given as `next`: walking there page by page would take minutes. */
function cursorAfter(bench: Bench, { updated_at, id }: LastRow): string {
  const { id: personId } = accountOf(bench, 'auditor')
  const scope = { personId, path: '/v1/use-cases', query: { sort: '-updatedAt' } }
  return new Cursors(Buffer.from(cursorSecret)).seal([updated_at, id], scope)
}
