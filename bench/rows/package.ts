import { accountOf, type Bench } from '../bench.js'
import { peakMegabytes, resetPeak, startService } from '../children.js'
import { alternate, type Finding, secondsOf } from '../finding.js'
import { receive } from '../load/receive.js'

/** The audit package of the whole register without bytes of evidence, beside three of its registers as NDJSON. */
export async function packageRow(bench: Bench): Promise<Finding[]> {
  const { options, register } = bench
  const service = await startService(register, { profile: options.profile })
  const { token } = accountOf(bench, 'auditor')
  const read = async (path: string) => void (await receive(`${service.origin}/v1/${path}`, token))
  try {
    const registers = async () => {
      const asOf = encodeURIComponent(new Date(Date.now() - 1000).toISOString())
      for (const name of ['use-cases', 'decisions', 'votes']) {
        await read(`registers/${name}?format=ndjson&asOf=${asOf}`)
      }
    }
    resetPeak(service.pid)
    const { ours, bare } = await alternate(options, {
      ours: async () => await secondsOf(async () => await read('packages/register?evidence=digests')),
      bare: async () => await secondsOf(registers),
    })
    const memory = peakMegabytes(service.pid)
    const common = { size: register.size, deed: 'audit package' }
    return [
      { ...common, unit: 's', ours, baseline: { name: 'its registers', value: bare }, bar: { atMost: 4 } },
      { ...common, deed: 'audit package, peak memory', unit: 'MB', ours: memory, bar: { atMost: 160 } },
    ]
  } finally {
    await service.stop()
  }
}
