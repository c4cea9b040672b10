import { execFileSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { projectRoot } from '../../src/config.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import { loadPolicies } from '../../src/policy/load.js'
import type { Bench } from '../bench.js'
import { peakMegabytes, resetPeak, residentMegabytes, type Served, startService } from '../children.js'
import type { Register } from '../cluster.js'
import { alternate, type Finding, secondsOf } from '../finding.js'
import { receive } from '../load/receive.js'
import { type Audited, imagined, seedAudited } from '../seed/audit.js'
import { seed } from '../seed/seed.js'

/** 10 GB of evidence that is nowhere: packages of digests do not look at files. */
const digests: Audited = { useCases: 3000, pieces: 12, fileOf: imagined(277_778) }
const FILES = 1000
const FILE_BYTES = 2 ** 20

/**
 * The audit package of a register of 3,000 use cases with 10 GB of evidence as digests, and of one with 1 GiB of
 * evidence as bytes: rows and bytes in a second, what memory that adds, and what takes the package apart again.
 */
export async function packageRow(bench: Bench): Promise<Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'assent-bench-package-'))
  try {
    return [...(await measureDigests(bench, folder)), ...(await measureBytes(bench, folder))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureDigests(bench: Bench, folder: string): Promise<Finding[]> {
  const register = await fill(bench, 'assent_package', digests)
  return await serving(bench, register, folder, async (asked) => {
    const path = 'packages/register?evidence=digests'
    const { seconds, memory, rows, sums, verified } = await measurePackage(bench, asked, path, folder)
    const common = { size: register.size, deed: 'audit package, 10 GB as digests' }
    return [
      { ...common, unit: 'rows/s', ours: seconds && rows / seconds, bar: { atLeast: 10_000 } },
      ...findMemory(common, memory),
      { ...common, deed: `${common.deed}: sha256sum -c`, unit: 's', ours: sums, bar: { atMost: 5 } },
      { ...common, deed: `${common.deed}: package verify`, unit: 's', ours: verified, bar: { atMost: 30 } },
    ]
  })
}

async function measureBytes(bench: Bench, folder: string): Promise<Finding[]> {
  const stored = await storeFiles(join(folder, 'data', 'evidence'))
  const fileOf: Audited['fileOf'] = (useCase, piece) => {
    const file = stored[(useCase - 1) * 10 + piece]
    if (!file) throw new Error('there are fewer files than pieces')
    return file
  }
  const register = await fill(bench, 'assent_package_bytes', { useCases: FILES / 10, pieces: 10, fileOf })
  return await serving(bench, register, folder, async (asked) => {
    const measured = await measurePackage(bench, asked, 'packages/register', folder)
    const { seconds, memory, sums, verified } = measured
    const common = { size: register.size, deed: 'audit package, 1 GiB as bytes' }
    const megabytes = (FILES * FILE_BYTES) / 1e6
    return [
      { ...common, unit: 'MB/s', ours: seconds && megabytes / seconds, bar: { atLeast: 100 } },
      ...findMemory(common, memory),
      { ...common, deed: `${common.deed}: sha256sum -c`, unit: 's', ours: sums, bar: { atMost: 30 } },
      { ...common, deed: `${common.deed}: package verify`, unit: 's', ours: verified, bar: { atMost: 30 } },
    ]
  })
}

function findMemory(common: Pick<Finding, 'size' | 'deed'>, { first, next }: Memory): Finding[] {
  return [
    { ...common, deed: `${common.deed}: memory added`, unit: 'MB', ours: first, bar: { atMost: 64 } },
    {
      ...common,
      deed: `${common.deed}: memory added by the next`,
      unit: 'MB',
      ours: next,
      bar: { atMost: 16 },
    },
  ]
}

async function measurePackage({ options }: Bench, asked: Asked, path: string, folder: string) {
  const read = async () => void (await receive(`${asked.origin}/v1/${path}`, asked.token))
  const memory = { first: await riseOf(asked, read), next: await riseOf(asked, read) }
  const { seconds } = await alternate(options, { seconds: async () => await secondsOf(read) })
  const file = await keep(asked, path, folder)
  return { seconds, memory, ...(await takeApart(file, folder)) }
}

/** How much more a process holds at most while it serves something than it held before. */
async function riseOf({ pid }: Served, read: () => Promise<void>): Promise<number | undefined> {
  const before = residentMegabytes(pid)
  resetPeak(pid)
  await read()
  const peak = peakMegabytes(pid)
  return peak === undefined || before === undefined ? undefined : peak - before
}

interface Memory {
  /** By the first package that a process serves, which V8 makes room for. */
  first: number | undefined
  /** By one after that. */
  next: number | undefined
}

async function fill({ cluster }: Bench, name: string, audited: Audited): Promise<Register> {
  const policies = loadPolicies(join(projectRoot, 'policies'))
  return await cluster.filled(name, audited.useCases, async (superuser) => {
    const accounts = await seed(superuser, 0)
    await seedAudited(superuser, policies, audited)
    return accounts
  })
}

async function storeFiles(place: string): Promise<{ digest: string; size: number }[]> {
  mkdirSync(place, { recursive: true })
  const store = new FolderStore(place)
  const stored: { digest: string; size: number }[] = []
  const bytes = Buffer.alloc(FILE_BYTES)
  for (let turn = 0; turn < FILES; turn += 1) {
    stored.push(await store.put(Readable.from([randomFillSync(bytes)])))
  }
  return stored
}

interface Asked extends Served {
  token: string
}

async function serving(
  { options }: Bench,
  register: Register,
  folder: string,
  measure: (asked: Asked) => Promise<Finding[]>,
): Promise<Finding[]> {
  const service = await startService(register, { profile: options.profile, dataDir: join(folder, 'data') })
  const token = register.accounts.find(({ role }) => role === 'auditor')?.token ?? ''
  try {
    return await measure({ ...service, token })
  } finally {
    await service.stop()
  }
}

async function keep({ origin, token }: Asked, path: string, folder: string): Promise<string> {
  const file = join(folder, 'package.tar')
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${origin}/v1/${path}`, { headers: { authorization: `Bearer ${token}` } }, resolve).once(
      'error',
      reject,
    )
  })
  await pipeline(response, createWriteStream(file))
  return file
}

/** Unpacks and verifies as an auditor does, with the tools of the system and with ours. */
async function takeApart(
  file: string,
  folder: string,
): Promise<{ rows: number; sums: number; verified: number }> {
  const place = join(folder, 'unpacked')
  mkdirSync(place)
  try {
    execFileSync('tar', ['-xf', file, '-C', place])
    const inside = join(place, 'assent-register')
    const sums = await secondsOf(async () =>
      execFileSync('sha256sum', ['-c', '--strict', '--quiet', 'manifest.sha256'], { cwd: inside }),
    )
    const { records } = JSON.parse(readFileSync(join(inside, 'manifest.json'), 'utf8'))
    const rows = records.reduce((total: number, record: { rows: number }) => total + record.rows, 0)
    const cli = join(projectRoot, 'dist/src/cli/main.js')
    const verified = await secondsOf(async () =>
      execFileSync(process.execPath, [cli, 'package', 'verify', file], { stdio: 'pipe' }),
    )
    return { rows, sums, verified }
  } finally {
    rmSync(place, { recursive: true, force: true })
    rmSync(file, { force: true })
  }
}
