import type { Served } from './children.js'
import { startBaseline, startService } from './children.js'
import type { Cluster, Register } from './cluster.js'
import type { Load } from './load/load.js'
import type { Options } from './options.js'
import type { Account } from './seed/seed.js'

/** One register, with the service and the bare routes over it. */
export interface Bench {
  options: Options
  cluster: Cluster
  register: Register
  service: Served
  baseline: Served
  stop(): Promise<void>
}

export async function openBench(options: Options, cluster: Cluster, register: Register): Promise<Bench> {
  const service = await startService(register, { profile: options.profile })
  const baseline = await startBaseline(register)
  const stop = async () => {
    await service.stop()
    await baseline.stop()
  }
  return { options, cluster, register, service, baseline, stop }
}

/** @returns the accounts of this role; there is at least one of each */
export function accountsOf({ register }: Bench, role: Account['role']): Account[] {
  return register.accounts.filter((account) => account.role === role)
}

export function accountOf(bench: Bench, role: Account['role']): Account {
  const [account] = accountsOf(bench, role)
  if (!account) throw new Error(`nobody holds the role ${role}`)
  return account
}

const CONNECTIONS = 32

/** What all loads have in common. */
export function loadOn(
  { options }: Bench,
  { origin }: Served,
  load: Pick<Load, 'requests'> & Partial<Pick<Load, 'method'>>,
): Load {
  return { origin, method: 'GET', connections: CONNECTIONS, seconds: options.seconds, ...load }
}
