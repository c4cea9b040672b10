import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from '../bench.js'
import { startService } from '../children.js'
import { alternate, type Finding } from '../finding.js'

/** From nothing to the first answer: with a database to be made, and with one that is there. */
export async function startRow({ options }: Bench): Promise<Finding[]> {
  let dataDir = ''
  const { first, again } = await alternate(options, {
    first: async () => {
      dataDir = mkdtempSync(join(tmpdir(), 'assent-bench-'))
      chmodSync(dataDir, 0o755)
      return await secondsToStart(dataDir)
    },
    again: async () => {
      const seconds = await secondsToStart(dataDir)
      rmSync(dataDir, { recursive: true, force: true })
      return seconds
    },
  })
  return [
    { deed: 'first start, with initdb', size: null, unit: 's', ours: first, bar: { atMost: 5 } },
    { deed: 'start on its database', size: null, unit: 's', ours: again, bar: { atMost: 1 } },
  ]
}

async function secondsToStart(dataDir: string): Promise<number> {
  const service = await startService(undefined, { dataDir })
  await service.stop()
  return service.startSeconds
}
