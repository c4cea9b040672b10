import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApp } from '../app.js'
import { assent } from './command.js'

const app = await startApp(t)
const url = await app.app.listen({ host: '127.0.0.1', port: 0 })

t.test('a key stays with whoever made it, and is exchanged once for a token of their own', async (t) => {
  const HOME = t.testdir()
  const first = await assent(['join'], { HOME })
  t.equal(first.code, 0, first.stderr)
  const keyFile = join(HOME, '.config/assent/key')
  t.match(first.stderr, keyFile)
  const digest = first.stdout.trim()
  t.match(digest, /^[0-9a-f]{64}$/)
  t.equal((await assent(['join'], { HOME })).stdout.trim(), digest, 'the same again')
  writeFileSync(join(HOME, 'other'), 'a shopping list')
  t.equal((await assent(['join', '--key-file', join(HOME, 'other')], { HOME })).code, 2)

  const administrator = await app.person('Alan', { rights: ['administrator'] })
  const accept = async () => await assent(['join', '--accept', '--server', url], { HOME })
  t.not((await accept()).code, 0, 'not invited yet')
  t.equal(
    (await administrator.post('/v1/people', { name: 'Nora', proof: { keyDigest: digest } })).status,
    201,
  )
  t.equal((await assent(['join', '--accept', '--server', 'http://127.0.0.1:1'], { HOME })).code, 5)
  const joined = await accept()
  t.equal(joined.code, 0, joined.stderr)
  const tokenFile = join(HOME, '.config/assent/token')
  t.equal(joined.stdout.trim(), tokenFile)
  await checkToken(t, tokenFile)
  t.equal((await accept()).code, 2, 'the key is used up')
})

async function checkToken(t: Test, file: string): Promise<void> {
  const { mode } = statSync(file)
  t.equal(mode & 0o777, 0o600)
  const token = readFileSync(file, 'utf8').trim()
  t.match(token, /^assent_pt_/)
  const me = await app.ask({ method: 'GET', url: '/v1/me', headers: { authorization: `Bearer ${token}` } })
  t.match(me, { status: 200, body: { person: { name: 'Nora' } } })
}
