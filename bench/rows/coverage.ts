import type { Bench } from '../bench.js'
import { peakMegabytes, resetPeak, startService } from '../children.js'
import { alternate, type Finding, secondsOf } from '../finding.js'
import { copyByPsql, coverageStatements } from '../load/psql.js'
import { receive } from '../load/receive.js'
import { seed, seedProfiles } from '../seed/seed.js'

/** Profiles in the list. */
const SIZE = 100_000

/**
 * How far the controls of each of many use cases are, in one list that is asked once and streamed, beside psql with the
 * same list without them; and what memory that takes.
 */
export async function coverageRow({ options, cluster }: Bench): Promise<Finding[]> {
  const register = await cluster.filled('assent_coverage', SIZE, async (superuser) => {
    const accounts = await seed(superuser, SIZE)
    await seedProfiles(superuser)
    return accounts
  })
  const token = register.accounts.find(({ role }) => role === 'auditor')?.token ?? ''
  const service = await startService(register, { profile: options.profile })
  const ask = (path: string) => async () =>
    await secondsOf(async () => await receive(`${service.origin}${path}`, token))
  try {
    await ask('/v1/profiles?limit=1')()
    resetPeak(service.pid)
    const statements = await coverageStatements()
    const { list, sum, without } = await alternate(options, {
      list: ask('/v1/profiles?format=ndjson'),
      sum: ask('/v1/coverage'),
      without: () => copyByPsql(register, statements),
    })
    const memory = peakMegabytes(service.pid)
    const common = { size: SIZE, unit: 's' } as const
    const baseline = { name: 'psql, the same without coverage', value: without }
    return [
      { ...common, deed: 'coverage of each, one list', ours: list, baseline, bar: { atMost: 4 } },
      { ...common, deed: 'coverage of all together', ours: sum, baseline, bar: { atMost: 4 } },
      { ...common, deed: 'coverage, peak memory', unit: 'MB', ours: memory, bar: { atMost: 200 } },
    ]
  } finally {
    await service.stop()
  }
}
