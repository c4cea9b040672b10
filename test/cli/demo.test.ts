// The demo as people run it: a process that tells a story, serves until it is told to stop, and leaves nothing running.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { projectRoot } from '../../src/config.js'
import { assent } from './command.js'

t.setTimeout(180_000)

const afoot = /The service keeps running/

t.test('with the sample it tells everything, and another demo leaves its data alone', async (t) => {
  const folder = scratch(t)
  const demo = startDemo(t, folder)
  const story = await demo.readUntil(afoot)
  t.match(story, afoot, 'the story is told to its end')
  for (const title of ['People', 'The register is imported: portfolio.csv', 'Another is blocked']) {
    t.match(story, title)
  }
  for (const rule of ['DR-70', 'DR-71', 'DR-78']) t.match(story, rule)
  for (const reason of ['limit_not_stated', 'condition_overdue', 'suspended', 'cleared_with_conditions']) {
    t.match(story, `${reason}: `, `the gate says ${reason}`)
  }
  t.match(story, 'one vote was enough')
  t.match(story, 'policy calls that adaptive')
  t.match(story, 'asks for no vote')
  t.match(story, /vote.cast +Committee, risk seat/)
  t.notMatch(story, /undefined|NaN|persons/)
  const [, url] = story.match(/runs at (\S+) /) ?? []

  const token = join(folder, 'demo', 'administrator.token')
  t.match(await assent(['demo'], { ASSENT_PORT: '0', ASSENT_DATA_DIR: folder }), {
    code: 1,
    stderr: /^another Assent \(process \d+\) is using .*: stop it first, or choose another data directory\n$/,
  })
  t.ok(existsSync(token))
  t.equal((await fetch(`${url}/readyz`)).status, 200)

  t.equal(await demo.end(), 0)
  await t.rejects(fetch(`${url}/readyz`))
  t.notOk(existsSync(join(folder, 'demo', 'postgres', 'postmaster.pid')))
})

t.test('a register that no profile knows is read as its columns seem to be', async (t) => {
  const folder = scratch(t)
  const register = join(folder, 'our-list.csv')
  const uses = ['Triage of claims', 'Letters to clients', 'Search in manuals', 'Notes of meetings']
  const lines = uses.map((use, n) => `${n + 1},${use},${use} for our clerks and nobody else,Claims`)
  writeFileSync(register, ['No.,Use case name,What it is for,Department', ...lines].join('\n'))
  const demo = startDemo(t, folder, register)
  const story = await demo.readUntil(afoot)
  t.match(story, 'no profile fits its header')
  t.match(story, /Use case name: title, \d+ % certain/)
  t.match(story, afoot)
  t.equal(await demo.end(), 0)
})

t.test('a register that is too short, or none at all, is refused in a sentence', async (t) => {
  const folder = scratch(t)
  const short = join(folder, 'short.csv')
  writeFileSync(short, 'key,title,purpose\nA-1,Triage,Sorts claims by urgency\n')
  const empty = join(folder, 'empty.csv')
  writeFileSync(empty, '')
  for (const [register, sentence] of [
    [short, /^the demo stops: it needs three uses of AI, .*\n$/],
    [empty, /^the demo stops: .*\n$/],
    [join(folder, 'missing.csv'), /^there is no file .*missing.csv; name a register to import\n$/],
  ] as const) {
    const { code, stderr } = await assent(['demo', register], { ASSENT_PORT: '0', ASSENT_DATA_DIR: folder })
    t.equal(code, 1)
    t.match(stderr, sentence)
  }
})

function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'assent-demo-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function startDemo(t: Test, folder: string, ...register: string[]) {
  const main = join(projectRoot, 'dist/src/cli/main.js')
  const child = spawn(
    'env',
    ['-i', 'ASSENT_PORT=0', `ASSENT_DATA_DIR=${folder}`, process.execPath, main, 'demo', ...register],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    return (await exit)[0]
  }
  t.teardown(end)
  return { end, readUntil: async (awaited: RegExp) => await readUntil(child, awaited) }
}

/** What it prints, until it prints what was waited for or ends. */
async function readUntil(child: ChildProcess, awaited: RegExp): Promise<string> {
  return await new Promise((resolve) => {
    let output = ''
    const read = (chunk: Buffer) => {
      output += chunk
      if (awaited.test(output)) resolve(output)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('close', () => resolve(output))
  })
}
