import t from 'tap'
import { openClient } from './database-run.js'
import { createDatabase } from './helper.js'

t.test('each database is its own, migrated, and open to the two roles alone', async (t) => {
  const [one, two] = await Promise.all([createDatabase(t), createDatabase(t)])
  const owner = await openClient(one.ownerConnection)
  const app = await openClient(one.appConnection)
  const other = await openClient(two.ownerConnection)
  t.teardown(() => Promise.all([owner.end(), app.end(), other.end()]))
  await owner.query('create table only_here (id int)')
  await t.rejects(other.query('select from only_here'), { code: '42P01' })
  await t.rejects(app.query('select from only_here'), { code: '42501' })
  t.same((await app.query('select current_user as role')).rows, [{ role: 'assent_app' }])
  t.ok((await app.query('select from schema_migration')).rowCount, 'migrated')
})
