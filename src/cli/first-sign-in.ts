import { assentItself } from '../auth/assent.js'
import { buildAbility } from '../auth/decision-rights.js'
import { readRights } from '../auth/rights-words.js'
import { type Config, readConfig } from '../config.js'
import { openDatabase } from '../db/database.js'
import { findExistingDatabase } from '../db/location.js'
import { newId } from '../ids.js'
import { ImportProfile } from '../imports/profile.js'
import { loadPolicies } from '../policy/load.js'
import { prepareRecovery } from '../tokens/first-sign-in.js'

export const help = `usage: assent first-sign-in

Prints a one-time code for one more administrator, good for an hour, also when somebody administers already: for the
day when a token is lost or has expired. Only the code printed last works, and that it was printed is on record. The
database is that of DATABASE_URL, or the one in ASSENT_DATA_DIR, whether its service runs or not.`

/** `assent first-sign-in`. */
export async function run(): Promise<number> {
  const { code, expiresAt } = await openCode(readConfig())
  const body = JSON.stringify({ code, name: 'Your name' })
  console.error(
    `Until ${expiresAt}, this makes one administrator; keep the token it gives. At the running service:`,
  )
  console.error(`  curl -s URL/v1/first-sign-in -H 'content-type: application/json' -d '${body}'`)
  console.log(code)
  return 0
}

async function openCode(config: Config): ReturnType<typeof prepareRecovery> {
  const { decisionRights } = loadPolicies(config.policiesDir, ImportProfile)
  const location = await findExistingDatabase(config)
  try {
    const { statementTimeoutMs } = config
    const database = await openDatabase({
      connection: location.app,
      poolSize: 1,
      exportPoolSize: 1,
      statementTimeoutMs,
    })
    const request = {
      principal: assentItself,
      ability: buildAbility(readRights(decisionRights), assentItself),
      requestId: newId(),
    }
    try {
      return (await database.write(request, prepareRecovery)).value
    } finally {
      await database.close()
    }
  } finally {
    await location.stop()
  }
}
