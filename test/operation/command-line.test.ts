// `assent backup` and `assent restore`, as an operator calls them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run as backup } from '../../src/cli/backup.js'
import { run as restore } from '../../src/cli/restore.js'
import { findExistingDatabase } from '../../src/db/location.js'
import { personOf } from '../app.js'
import { findMismatches, query, register, type Team } from './register.js'
import { embeddedAt, makeTeamAt, runToEnd, type Service, scratch, serve } from './service.js'
import { findLost, writeAlong } from './traffic.js'

t.setTimeout(150_000)

t.test('called wrongly, they say how', async (t) => {
  for (const argv of [[], ['register.zip'], ['.tar'], ['a.tar', 'b.tar'], ['--all.tar']]) {
    await t.rejects(backup(argv), { name: 'UsageError', message: /takes the name of one new file/ })
  }
  for (const argv of [[], ['a.tar', 'b.tar'], ['--force']]) {
    await t.rejects(restore(argv), { name: 'UsageError', message: /takes the name of one file/ })
  }
})

t.test('asked for its version, it says it', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.strictSame(await runToEnd('--version', [], {}), { code: 0, output: `${version}\n` })
})

t.test('where no database is, none is made to be backed up', async (t) => {
  const dataDir = join(scratch(t), 'data')
  const finding = findExistingDatabase({ databaseUrl: undefined, databaseOwnerUrl: undefined, dataDir })
  await t.rejects(finding, { code: 'unavailable', message: /there is no database in/ })
  t.notOk(existsSync(dataDir))
})

t.test('backed up beside a running service and restored elsewhere, all from the command line', async (t) => {
  const [dataDir, folder] = [scratch(t), scratch(t)]
  const service = await serve(t, { ASSENT_DATA_DIR: dataDir })
  const team = await makeTeamAt(service, embeddedAt(dataDir))
  const file = join(folder, 'register.tar.gz')
  const [here, there] = [{ ASSENT_DATA_DIR: dataDir }, { ASSENT_DATA_DIR: join(folder, 'there') }]
  const traffic = writeAlong(team)
  await traffic.acknowledge(20)
  const before = [...traffic.log]
  t.match(await runToEnd('backup', [file], here), {
    code: 0,
    output: /holds \d+ rows and 0 files of evidence/,
  })
  await traffic.stop()

  const whole = readFileSync(file)
  t.match(await runToEnd('backup', [file], here), { code: 1, output: /there is a file .* already/ })
  t.ok(readFileSync(file).equals(whole))
  const log = join(dataDir, 'postgres.log')
  t.match(await runToEnd('restore', [log], there), { code: 1, output: /not a backup of Assent/ })
  t.strictSame(readdirSync(folder), ['register.tar.gz'], 'what was refused left nothing behind')
  t.match(await runToEnd('restore', [file], here), { code: 1, output: /another Assent .* is using/ })

  const restoring = await runToEnd('restore', [file], there)
  t.match(restoring, { code: 0, output: /restored \d+ rows/ })
  t.match(restoring.output, `Start it with: assent serve, and ASSENT_DATA_DIR=${there.ASSENT_DATA_DIR}`)
  t.match(await runToEnd('restore', [file], there), { code: 1, output: /is not empty/ })
  t.match(await runToEnd('backup', [join(folder, 'again.tar')], there), { code: 0 }, 'also when nothing runs')
  const restored = await serve(t, there)
  t.strictSame(await findLost(embeddedAt(there.ASSENT_DATA_DIR), before), [])
  t.strictSame(await findMismatches(embeddedAt(there.ASSENT_DATA_DIR)), [])
  const [{ number }] = await query(
    embeddedAt(there.ASSENT_DATA_DIR),
    'select max(number)::int as number from use_case',
  )
  const answer = await register(rebound(team, restored), 'After the restore')
  t.equal(answer.status, 201, 'the same token signs in')
  t.ok(Number(answer.body.key.slice(3)) > number, 'and numbers go on')
  t.equal((await service.ask({ url: '/readyz' })).status, 200)

  const printed = await runToEnd('first-sign-in', [], there)
  t.match(printed, { code: 0, output: /"(assent_recover_\S+?)"/ })
  const [, code] = printed.output.match(/"(assent_recover_\S+?)"/) ?? []
  const payload = { code, name: 'Found again' }
  t.equal((await restored.ask({ method: 'POST', url: '/v1/first-sign-in', payload })).status, 201)
})

/** The same people at another service. */
function rebound(team: Team, { ask }: Service): Team {
  return { ...team, business: personOf(ask, team.business.id, team.business.token) }
}
