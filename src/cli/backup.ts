import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot, readConfig } from '../config.js'
import { backUp } from '../db/backup/write.js'
import { asOwner, findExistingDatabase } from '../db/location.js'
import { RegistryError } from '../errors.js'
import { FolderStore } from '../evidence/blobs.js'

const usage = 'usage: assent backup FILE.tar|FILE.tar.gz'

/** `assent backup FILE`: keeps every row and every file of evidence as of one instant, while the service goes on. */
export async function run(argv: string[]): Promise<number> {
  const [file, ...rest] = argv
  if (!file || rest.length > 0 || !/\.(tar|tar\.gz|tgz)$/.test(file)) {
    console.error(usage)
    return 2
  }
  try {
    await keep(file)
    return 0
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    console.error(error.message)
    return 1
  }
}

async function keep(file: string): Promise<void> {
  const config = readConfig()
  const location = await findExistingDatabase(config)
  try {
    const manifest = await asOwner(location, async (client) => {
      const evidence = new FolderStore(config.evidenceDir)
      return await backUp({ client, evidence, assent: shippedVersion() }, file, whenTold())
    })
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
    const { files } = manifest.evidence
    console.log(`${file} holds ${rows} rows and ${files} files of evidence, as of ${manifest.takenAt}`)
  } finally {
    await location.stop()
  }
}

/** Told to stop, a backup removes what it wrote so far. */
function whenTold(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
  return controller.signal
}

function shippedVersion(): string {
  return JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version
}
