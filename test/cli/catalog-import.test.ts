import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../app.js'
import { csv, oscalFile } from '../catalogs/files.js'
import { everyRow } from '../unchanged.js'
import { assent } from './command.js'

const server = await startApp(t)
const admin = await server.person('Ada', { rights: ['administrator'] })
const human = await server.person('Hal', { rights: [] })
const url = await server.app.listen({ port: 0, host: '127.0.0.1' })
const dir = t.testdir()
const [oscalPath, csvPath] = [join(dir, 'a "catalog".json'), join(dir, 'house.csv')]
writeFileSync(oscalPath, oscalFile)
writeFileSync(csvPath, csv)
const env = { ASSENT_URL: url, ASSENT_TOKEN: admin.token }

t.test('an administrator imports a catalog from the command line', async (t) => {
  const { code, stdout, stderr } = await assent(
    ['catalog', 'import', oscalPath, '--id', 'nist-ai-rmf', '--version=1.0-official', '--ids', 'label'],
    env,
  )
  t.same(
    { code, stdout, stderr },
    { code: 0, stdout: 'Imported nist-ai-rmf 1.0-official, Sample: 3 controls.\n', stderr: '' },
  )
  const house = [
    '--id',
    'house',
    '--version',
    '1',
    '--title',
    'Hausordnung – Türen',
    '--ties-to',
    'nist-ai-rmf',
  ]
  const sourced = [
    '--source-url',
    'https://example.org/house',
    '--source-date',
    '2026-01-01',
    '--format',
    'csv',
  ]
  t.match(await assent(['catalog', 'import', csvPath, ...house, ...sourced], env), { code: 0 })
  t.match((await admin.get('/v1/catalogs/house')).body, {
    ...{ title: 'Hausordnung – Türen', tiesTo: 'nist-ai-rmf', controls: 3 },
    source: { url: 'https://example.org/house', date: '2026-01-01' },
  })
})

t.test('whatever goes wrong is said in a sentence, and nothing changes', async (t) => {
  const before = await everyRow(server.owner)
  const named = ['--id', 'x', '--version', '1', '--title', 'X']
  const cases: [string, string[], Record<string, string>, number, RegExp][] = [
    ['no file', named, env, 2, /name the file/],
    ['no id', [csvPath], env, 2, /--id/],
    ['a file that is not there', [join(dir, 'none'), ...named], env, 2, /cannot be read/],
    ['no catalog', [oscalPath, ...named, '--format', 'csv'], env, 2, /cannot be read/],
    ['ties to nowhere', [csvPath, ...named], env, 2, /ties: it lead/],
    [
      'a version that is there',
      [csvPath, '--id', 'us-insurers', '--version', '2026-09', '--title', 'X', '--ties-to', 'nist-ai-rmf'],
      env,
      2,
      /there is a version 2026-09 of us-insurers already/,
    ],
    [
      'not permitted',
      [csvPath, ...named],
      { ...env, ASSENT_TOKEN: human.token },
      3,
      /Administrators of the whole/,
    ],
    [
      'nobody there',
      [csvPath, ...named, '--timeout', '1'],
      { ...env, ASSENT_URL: 'http://127.0.0.1:9' },
      5,
      /gave up/,
    ],
  ]
  for (const [what, args, variables, code, stderr] of cases) {
    t.match(await assent(['catalog', 'import', ...args], variables), { code, stdout: '', stderr }, what)
  }
  t.same(await everyRow(server.owner), before)
})
