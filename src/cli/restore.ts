import { resolve } from 'node:path'
import { type Config, readConfig } from '../config.js'
import { readBackup } from '../db/backup/read.js'
import { assertRestorable, restore } from '../db/backup/restore.js'
import { asOwner, findDatabase } from '../db/location.js'
import { openStore } from '../evidence/stores/open.js'
import { UsageError } from './flags.js'

export const help = `usage: assent restore FILE

Fills an empty database from FILE, which assent backup wrote, and brings it up to this version: all of it or nothing.
The database is that of DATABASE_URL, or one that is made in ASSENT_DATA_DIR; evidence goes to the folder or
bucket that is set, where it is locked anew once the service runs.
The whole file is checked before anything is touched.`

/** `assent restore FILE`. */
export async function run(argv: string[]): Promise<number> {
  const [file, ...rest] = argv
  if (!file || rest.length > 0 || file.startsWith('-')) {
    throw new UsageError('assent restore takes the name of one file that assent backup wrote')
  }
  const config = readConfig()
  const manifest = await readBackup(file)
  assertRestorable(manifest)
  const location = await findDatabase(config)
  try {
    await asOwner(location, async (client) => {
      await restore({ client, evidence: await openStore(config) }, file, manifest)
    })
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
    console.log(
      `restored ${rows} rows and ${manifest.evidence.files} files of evidence into ${location.name}`,
    )
    console.log(`It is the register as of ${manifest.takenAt}. ${startWith(config)}`)
    return 0
  } finally {
    await location.stop()
  }
}

function startWith({ databaseUrl, dataDir }: Config): string {
  const isUsual = databaseUrl !== undefined || dataDir === resolve('.assent')
  return `Start it with: assent serve${isUsual ? '' : `, and ASSENT_DATA_DIR=${dataDir}`}`
}
