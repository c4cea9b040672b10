import { accountOf, type Bench } from '../bench.js'
import { peakMegabytes, resetPeak, type Served, startService } from '../children.js'
import { alternate, type Finding, secondsOf } from '../finding.js'
import { form, plain, send } from '../load/send.js'

const LARGE = 2 ** 31
const SMALL = 2 ** 20
const AT_ONCE = 200

/** A file of 2 GiB as evidence, beside the same bytes streamed to disk; what memory that took; many files at once. */
export async function uploadRow(bench: Bench): Promise<Finding[]> {
  const { options, register, baseline } = bench
  const service = await startService(register, { profile: options.profile })
  try {
    const token = accountOf(bench, 'risk_owner').token
    const places = await listPlaces(service, token)
    const attach = async (size: number, at: number) =>
      await send(places[at % places.length] ?? '', form(size, `${at}`), token)
    const manyAtOnce = async () =>
      await Promise.all(
        Array.from(
          { length: AT_ONCE },
          async (_, at) => await patiently(async () => await attach(SMALL, at)),
        ),
      )
    for (let at = 0; at < 20; at += 1) await attach(SMALL, at)
    resetPeak(service.pid)
    const before = peakMegabytes(service.pid)
    const { ours, raw } = await alternate(options, {
      ours: async () => perSecond(await secondsOf(async () => await attach(LARGE, 0))),
      raw: async () =>
        perSecond(await secondsOf(async () => await send(`${baseline.origin}/disk`, plain(LARGE)))),
    })
    const after = peakMegabytes(service.pid)
    const { many } = await alternate(options, { many: async () => await secondsOf(manyAtOnce) })
    const memory = before !== undefined && after !== undefined ? after - before : undefined
    const common = { size: register.size, deed: 'upload of 2 GiB' }
    return [
      { ...common, unit: 'MB/s', ours, baseline: { name: 'to disk', value: raw }, bar: { atLeast: 0.7 } },
      { ...common, deed: 'upload, memory it adds', unit: 'MB', ours: memory, bar: { atMost: 64 } },
      { ...common, deed: '200 uploads of 1 MiB at once', unit: 's', ours: many, bar: { atMost: 10 } },
    ]
  } finally {
    await service.stop()
  }
}

/** As a client does that is told to try again: 200 at once may keep the last of them waiting for too long. */
async function patiently(deed: () => Promise<void>, tries = 5): Promise<void> {
  try {
    await deed()
  } catch (error) {
    if (tries === 1 || !String(error).includes('try again')) throw error
    await patiently(deed, tries - 1)
  }
}

function perSecond(seconds: number): number {
  return LARGE / 1e6 / seconds
}

/** Where evidence of different use cases is attached. */
async function listPlaces({ origin }: Served, token: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${origin}/v1/use-cases?limit=${AT_ONCE}`, { headers })
  const { items } = (await response.json()) as { items: { id: string; standing?: string }[] }
  return items.map(({ id }) => `${origin}/v1/use-cases/${id}/evidence/files`)
}
