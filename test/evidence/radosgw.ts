// `npm run test:s3`: a throw-away radosgw of Debian on this machine alone, the S3 tests against it, and its end.
// It is Ceph at its smallest: one monitor, one OSD in memory, and the gateway.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const packages = ['radosgw', 'ceph-mon', 'ceph-osd']
const tests = ['dist/test/evidence/blobs.test.js', 'dist/test/evidence/locks.test.js']
const START_MS = 90_000

const folder = mkdtempSync(join(tmpdir(), 'assent-radosgw-'))
const daemons: ChildProcess[] = []
const [monitorPort, port] = [await freePort(), await freePort()]
const endpoint = `http://127.0.0.1:${port}`
const env = { ...process.env, CEPH_CONF: join(folder, 'ceph.conf') }

try {
  install()
  await startMonitor()
  await startOsd()
  const keys = await startGateway()
  console.log(`radosgw of ${run('radosgw', '--version').trim()} listens at ${endpoint}`)
  const own = {
    ASSENT_TEST_S3_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: keys.id,
    AWS_SECRET_ACCESS_KEY: keys.secret,
  }
  const tap = spawn('npx', ['tap', '--jobs=1', ...tests], {
    stdio: 'inherit',
    env: { ...process.env, ...own },
  })
  const [code] = await once(tap, 'exit')
  process.exitCode = code ?? 1
} finally {
  for (const daemon of daemons.reverse()) await end(daemon)
  rmSync(folder, { recursive: true, force: true })
}

/** Debian's packages, if they are not there: this needs root. */
function install(): void {
  if (spawnSync('radosgw', ['--version']).status === 0 && spawnSync('ceph-osd', ['--version']).status === 0)
    return
  console.log(`installing ${packages.join(', ')}`)
  const settings = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
  execFileSync('apt-get', ['update', '--quiet'], settings)
  execFileSync('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', ...packages], settings)
}

async function startMonitor(): Promise<void> {
  const address = `[v2:127.0.0.1:${monitorPort}]`
  const id = randomUUID()
  writeFileSync(join(folder, 'ceph.conf'), settingsFor(id, address))
  const [keyring, map] = [join(folder, 'keyring'), join(folder, 'map')]
  run('ceph-authtool', '--create-keyring', keyring, '--gen-key', '--name', 'mon.', '--cap', 'mon', 'allow *')
  run('monmaptool', '--create', '--fsid', id, '--addv', 'a', address, map)
  mkdirSync(join(folder, 'mon'))
  run('ceph-mon', '--mkfs', '--id', 'a', '--monmap', map, '--keyring', keyring)
  start('ceph-mon', '--id', 'a')
}

async function startOsd(): Promise<void> {
  const id = randomUUID()
  run('ceph', '--connect-timeout', '30', 'osd', 'new', id, '0')
  mkdirSync(join(folder, 'osd'))
  run('ceph-osd', '--mkfs', '--id', '0', '--osd-uuid', id)
  start('ceph-osd', '--id', '0')
}

async function startGateway(): Promise<{ id: string; secret: string }> {
  const gateway = start('radosgw', '--name', 'client.rgw')
  const until = Date.now() + START_MS
  while (
    !(await fetch(endpoint).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > until || gateway.exitCode !== null) throw new Error('radosgw did not start')
    await wait(200)
  }
  const keys = { id: randomBytes(10).toString('hex'), secret: randomBytes(20).toString('hex') }
  const given = ['--access-key', keys.id, '--secret-key', keys.secret]
  run('radosgw-admin', 'user', 'create', '--uid', 'assent', '--display-name', 'Assent', ...given)
  return keys
}

/** Everything on the loopback interface, in one folder, with one copy of each object, and nobody to sign in. */
function settingsFor(id: string, address: string): string {
  const settings = {
    fsid: id,
    'mon host': address,
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    'ms bind ipv6': false,
    'run dir': folder,
    'admin socket': '',
    'log file': join(folder, '$name.log'),
    keyring: join(folder, 'keyring'),
    'auth cluster required': 'none',
    'auth service required': 'none',
    'auth client required': 'none',
    'ms mon client mode': 'crc', // or the gateway asks for encryption, which needs keys
    'mon data': join(folder, 'mon'),
    'mon data avail crit': 1,
    'mon allow pool size one': true,
    'osd data': join(folder, 'osd'),
    'osd objectstore': 'memstore',
    'memstore device bytes': 2 ** 31,
    'osd pool default size': 1,
    'osd pool default min size': 1,
    'osd pool default pg num': 1,
    'osd pool default pg autoscale mode': 'off',
    'osd crush chooseleaf type': 0,
    'rgw data': folder,
    'rgw frontends': `beast endpoint=127.0.0.1:${port}`,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  return `[global]\n${lines.join('\n')}\n`
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: START_MS,
  })
}

function start(command: string, ...args: string[]): ChildProcess {
  const daemon = spawn(command, ['--foreground', ...args], { env, stdio: 'ignore' })
  daemons.push(daemon)
  return daemon
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const gone = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  const slow = setTimeout(() => daemon.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(slow)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
