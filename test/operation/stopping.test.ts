// Whatever was started is stopped, and the process ends.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { register } from './register.js'
import { embeddedAt, makeTeamAt, runToEnd, scratch, serve } from './service.js'

t.setTimeout(120_000)

t.test('told to stop after an export, it ends at once', async (t) => {
  const dataDir = scratch(t)
  const service = await serve(t, { ASSENT_DATA_DIR: dataDir })
  const team = await makeTeamAt(service, embeddedAt(dataDir))
  await register(team, 'Exported before the end')
  const { status, body } = await team.risk.get('/v1/registers/use-cases?format=csv')
  t.equal(status, 200)
  t.match(body, 'Exported before the end')
  const told = performance.now()
  t.equal(await Promise.race([service.end('SIGTERM'), wait(5000)]), 0)
  t.comment(`it took ${Math.round(performance.now() - told)} ms`)
})

t.test('a port in use is told in a sentence, and nothing is left running', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const address = other.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const env = { ASSENT_DATA_DIR: join(scratch(t), 'data'), ASSENT_PORT: String(port) }
  for (const command of ['serve', 'demo']) {
    t.strictSame(await runToEnd(command, [], env), {
      code: 1,
      output: `127.0.0.1:${port} is in use: stop what uses it, or set ASSENT_PORT\n`,
    })
  }
})
