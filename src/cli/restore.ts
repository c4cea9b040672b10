import { readConfig } from '../config.js'
import { readBackup } from '../db/backup/read.js'
import { assertRestorable, restore } from '../db/backup/restore.js'
import { asOwner, findDatabase } from '../db/location.js'
import { RegistryError } from '../errors.js'
import { FolderStore } from '../evidence/blobs.js'

const usage = 'usage: assent restore FILE (into the empty database of DATABASE_URL or ASSENT_DATA_DIR)'

/** `assent restore FILE`: fills an empty database from a backup, all of it or nothing. */
export async function run(argv: string[]): Promise<number> {
  const [file, ...rest] = argv
  if (!file || rest.length > 0 || file.startsWith('-')) {
    console.error(usage)
    return 2
  }
  try {
    await bringBack(file)
    return 0
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    console.error(error.message)
    return 1
  }
}

/** The whole file is checked before anything is made. */
async function bringBack(file: string): Promise<void> {
  const config = readConfig()
  const manifest = await readBackup(file)
  assertRestorable(manifest)
  const location = await findDatabase(config)
  try {
    await asOwner(location, async (client) => {
      await restore({ client, evidence: new FolderStore(config.evidenceDir) }, file, manifest)
    })
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
    console.log(
      `restored ${rows} rows and ${manifest.evidence.files} files of evidence into ${location.name}`,
    )
    console.log(`It is the register as of ${manifest.takenAt}. Start it with: assent serve`)
  } finally {
    await location.stop()
  }
}
