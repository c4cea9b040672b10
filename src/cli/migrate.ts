import { readConfig } from '../config.js'
import { asOwner, findDatabase } from '../db/location.js'
import { migrate } from '../db/migrate.js'

/** `assent migrate`: brings the database up to this version, then ends. */
export async function run(): Promise<number> {
  const location = await findDatabase(readConfig())
  try {
    const names = await asOwner(location, migrate)
    console.log(names.length > 0 ? `ran ${names.join(', ')}` : 'nothing to do')
    return 0
  } finally {
    await location.stop()
  }
}
