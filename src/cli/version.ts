import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../config.js'

export function shippedVersion(): string {
  return JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version
}
