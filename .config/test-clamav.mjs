// `npm run test:clamav`: the tests with a real ClamAV, which is installed first if it is not there (Debian, as root).
// It needs no signatures of others: the tests bring their own.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

if (!existsSync('/usr/sbin/clamd')) {
  run('apt-get', ['update', '--quiet'])
  run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', 'clamav-daemon'])
}
run('npx', ['tap', 'dist/test/evidence/clamav.test.js'], { ASSENT_TEST_CLAMAV: 'required' })

function run(program, args, env = {}) {
  const settings = { DEBIAN_FRONTEND: 'noninteractive', ...process.env, ...env }
  const { status } = spawnSync(program, args, { stdio: 'inherit', env: settings })
  if (status !== 0) process.exit(status ?? 1)
}
