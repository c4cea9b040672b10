// The demo as people run it: a process that tells a story, serves until it is told to stop, and leaves nothing running.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { projectRoot } from '../../src/config.js'
import { assent } from './command.js'

t.setTimeout(300_000)

const afoot = /The service keeps running/

t.test('with the sample it tells everything, and another demo leaves its data alone', async (t) => {
  const folder = scratch(t)
  const demo = startDemo(t, folder)
  const story = await demo.readUntil(afoot)
  t.match(story, afoot, 'the story is told to its end')
  for (const title of ['People', 'The register is imported: portfolio.csv', 'Another is blocked']) {
    t.match(story, title)
  }
  for (const rule of ['DR-70', 'DR-71', 'DR-75', 'DR-78', 'DR-121']) t.match(story, rule)
  for (const reason of ['limit_not_stated', 'condition_overdue', 'suspended', 'evidence_stale']) {
    t.match(story, `${reason}: `, `the gate says ${reason}`)
  }
  t.match(story, 'one vote was enough')
  t.match(story, 'policy calls that adaptive')
  t.match(story, 'asks for no vote')
  t.match(story, /vote.cast +Committee, risk seat/)
  tellsOfControls(t, story)
  t.notMatch(story, /undefined|NaN|persons|null/)
  const [, url] = story.match(/runs at (\S+) /) ?? []
  await t.test('its register looks alive', async (t) => await looksAlive(t, story))

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

/** From a draft of which much is missing to an approval, and to the day when what it rests on is stale. */
function tellsOfControls(t: Test, story: string): void {
  t.match(
    story,
    /policy asks for (\d+) things, of which \1 are missing:\n +RQ-10: a risk assessment is missing/,
  )
  t.match(story, /the file past-cases.csv, \d+ KB, sha256:/)
  t.match(story, /░ 0 of 3\n +0 % of what policy asks for is covered/)
  t.match(story, /█ 3 of 3\n(.*\n)* +\d\d % of what policy asks for is covered/)
  t.match(story, /“policy refuses to approve this yet. RQ-\d+: a [a-z ]+ is missing/)
  t.match(story, /excepted: RQ-\d+, .+, until \d{4}-/)
  t.match(
    story,
    /is lapsed: evidence stale\n(.*\n)+.* is cleared with conditions\n(.*\n)+.*is whole and in order/,
  )
  t.match(story, /is under the legal hold 2026-CIV-0417/)
}

/** What somebody finds who looks around afterwards. */
async function looksAlive(t: Test, story: string): Promise<void> {
  const [, url] = story.match(/runs at (\S+) /) ?? []
  const [, signIn = ''] = story.match(/curl -s '(\S+\?as=auditor)'/) ?? []
  const headers = { authorization: `Bearer ${await (await fetch(signIn)).text()}` }
  const list = async (path: string) => {
    const response = await fetch(`${url}/v1/${path}`, { headers })
    return ((await response.json()) as { items: Record<string, unknown>[] }).items
  }
  const waiting = await list('evidence?verdict=none')
  t.ok(waiting.length >= 5, 'evidence waits for a verdict')
  t.ok(new Set(waiting.map(({ useCaseId }) => useCaseId)).size >= 5, 'in several use cases')
  const begun = (await list('profiles?limit=200')).filter(({ covered }) => Number(covered) > 0)
  t.ok(new Set(begun.map(({ share }) => share)).size >= 5, 'profiles have come more or less far')
  const [, key] = story.match(/(UC-\d+) .*; its evidence goes stale on /) ?? []
  const later = new Date(Date.now() + 13 * 86_400_000).toISOString()
  for (const [at, standing] of [
    [new Date().toISOString(), 'cleared'],
    [later, 'lapsed'],
  ]) {
    const response = await fetch(`${url}/v1/use-cases/${key}/standing?at=${at}`, { headers })
    t.match(await response.json(), { standing }, `${key} is ${standing} at ${at}`)
  }
}

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
    [folder, /^there is no file .*; name a register to import\n$/],
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
