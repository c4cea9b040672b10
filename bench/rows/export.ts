import { accountOf, type Bench } from '../bench.js'
import { peakMegabytes, resetPeak, type Served, startService } from '../children.js'
import { query } from '../database.js'
import { alternate, type Finding, secondsOf } from '../finding.js'
import { copyByPsql, exportStatements } from '../load/psql.js'
import { receive } from '../load/receive.js'

/** A fifth of a register that is larger than this is exported: one line of business. */
const EXPORTED_AT_MOST = 200_000

/** The register as CSV, beside psql with the same statement; as it was a minute ago; and all of it, for the memory. */
export async function exportRow(bench: Bench): Promise<Finding[]> {
  const { options, register } = bench
  const orgUnit = register.size > EXPORTED_AT_MOST ? await oneLine(bench) : undefined
  const statements = await exportStatements({ orgUnit })
  const service = await startService(register, { profile: options.profile })
  try {
    resetPeak(service.pid)
    const asOf = new Date(Date.now() - 60_000).toISOString()
    const { ours, psql, past } = await alternate(options, {
      ours: () => secondsToReceive(bench, service, { orgUnit }),
      psql: () => copyByPsql(register, statements),
      past: () => secondsToReceive(bench, service, { orgUnit, asOf }),
    })
    if (orgUnit) await secondsToReceive(bench, service, {})
    const rows = orgUnit ? register.size / 5 : register.size
    const deed = `export ${rows.toLocaleString('en')} as CSV`
    const common = { size: register.size, unit: 's' } as const
    return [
      { ...common, deed, ours, baseline: { name: 'psql', value: psql }, bar: { atMost: 1.25 } },
      {
        ...common,
        deed: `${deed}, as of`,
        ours: past,
        baseline: { name: 'now', value: ours },
        bar: { atMost: 2 },
      },
      {
        ...common,
        deed: 'export all, memory',
        unit: 'MB',
        ours: peakMegabytes(service.pid),
        bar: { atMost: 160 },
      },
    ]
  } finally {
    await service.stop()
  }
}

async function oneLine({ register }: Bench): Promise<string> {
  const [line] = await query<{ id: string }>(register, `select id from org_unit where key = 'line-1'`)
  return line?.id ?? ''
}

async function secondsToReceive(
  bench: Bench,
  { origin }: Served,
  asked: { orgUnit?: string | undefined; asOf?: string },
): Promise<number> {
  const { token } = accountOf(bench, 'auditor')
  const { orgUnit, asOf } = asked
  const parameters = new URLSearchParams({
    format: 'csv',
    ...(orgUnit && { orgUnit }),
    ...(asOf && { asOf }),
  })
  return await secondsOf(async () => await receive(`${origin}/v1/registers/use-cases?${parameters}`, token))
}
