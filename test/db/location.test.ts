import t from 'tap'
import { openDatabase } from '../../src/db/database.js'
import { findDatabase } from '../../src/db/location.js'
import { createDatabase } from '../helper.js'

t.test('a URL that would change the role the service acts as is refused', async (t) => {
  const databaseUrl = 'postgres://somebody@127.0.0.1/assent?options=-c%20statement_timeout%3D0'
  const found = findDatabase({ databaseUrl, databaseOwnerUrl: undefined, dataDir: '/nowhere' })
  await t.rejects(found, { code: 'invalid', message: /options/ })
})

t.test('the service does not start as the owner of its tables', async (t) => {
  const { ownerConnection } = await createDatabase(t)
  const opened = openDatabase({
    connection: ownerConnection,
    poolSize: 1,
    exportPoolSize: 1,
    statementTimeoutMs: 5000,
  })
  await t.rejects(opened, { code: 'unavailable', message: /assent_owner/ })
})
