// tap compiles its test class to fit the plugins of .taprc, but a run that finds it unfit still starts with the
// old one: after an install it is built once, before the first run.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const builtClass = readFileSync('node_modules/@tapjs/test/test-built/dist/esm/index.js', 'utf8')
if (builtClass.includes('@tapjs/typescript') || !existsSync('.tap/plugins')) {
  const { status } = spawnSync('node_modules/.bin/tap', ['build'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  process.exitCode = status ?? 1
}
