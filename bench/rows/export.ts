import { accountOf, type Bench } from '../bench.js'
import { peakMegabytes, resetPeak, type Served, startService } from '../children.js'
import { alternate, type Finding, secondsOf } from '../finding.js'
import { copyByPsql, exportStatements } from '../load/psql.js'
import { receive } from '../load/receive.js'

/** The register as CSV, beside psql with the same statements; as it was a minute ago; and what memory that took. */
export async function exportRow(bench: Bench): Promise<Finding[]> {
  const { options, register } = bench
  const statements = await exportStatements()
  const service = await startService(register, { profile: options.profile })
  try {
    resetPeak(service.pid)
    const { ours, psql, past } = await alternate(options, {
      ours: () => secondsToReceive(bench, service, {}),
      psql: () => copyByPsql(register, statements),
      past: () => secondsToReceive(bench, service, { asOf: new Date(Date.now() - 60_000).toISOString() }),
    })
    const memory = peakMegabytes(service.pid)
    const common = { size: register.size, deed: 'export as CSV', unit: 's' } as const
    return [
      { ...common, ours, baseline: { name: 'psql', value: psql }, bar: { atMost: 1.25 } },
      {
        ...common,
        deed: 'export as of',
        ours: past,
        baseline: { name: 'now', value: ours },
        bar: { atMost: 2 },
      },
      { ...common, deed: 'export, peak memory', unit: 'MB', ours: memory, bar: { atMost: 160 } },
    ]
  } finally {
    await service.stop()
  }
}

async function secondsToReceive(bench: Bench, { origin }: Served, asked: { asOf?: string }): Promise<number> {
  const { token } = accountOf(bench, 'auditor')
  const parameters = new URLSearchParams({ format: 'csv', ...asked })
  return await secondsOf(async () => await receive(`${origin}/v1/registers/use-cases?${parameters}`, token))
}
