import { readConfig } from '../config.js'
import { backUp } from '../db/backup/write.js'
import { asOwner, findExistingDatabase } from '../db/location.js'
import { openStore } from '../evidence/stores/open.js'
import { UsageError } from './flags.js'
import { shippedVersion } from './version.js'

export const help = `usage: assent backup FILE

Keeps every row and every file of evidence as of one instant in FILE, a .tar or .tar.gz that does not exist yet, while
the service goes on. The database is that of DATABASE_URL, or the one in ASSENT_DATA_DIR, whether its service runs or
not; evidence comes from its folder or bucket. Settings and the policies folder are yours to keep.

FILE gets its name once it is whole; one that ends in .partial-NUMBER is what a killed backup left: remove it.`

/** `assent backup FILE`. */
export async function run(argv: string[]): Promise<number> {
  const [file, ...rest] = argv
  if (!file || rest.length > 0 || !/[^/]\.(tar|tar\.gz|tgz)$/.test(file) || file.startsWith('-')) {
    throw new UsageError('assent backup takes the name of one new file, such as register.tar.gz')
  }
  const config = readConfig()
  const location = await findExistingDatabase(config)
  try {
    const manifest = await asOwner(location, async (client) => {
      const evidence = await openStore(config)
      return await backUp({ client, evidence, assent: shippedVersion() }, file, whenTold())
    })
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
    const { files } = manifest.evidence
    console.log(`${file} holds ${rows} rows and ${files} files of evidence, as of ${manifest.takenAt}`)
    return 0
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
