import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { projectRoot } from '../../src/config.js'
import { pointer } from '../../src/issues.js'
import { readPlaces } from '../../src/policy/json-text.js'
import { loadPolicies } from '../../src/policy/load.js'
import { assent } from './command.js'

const shipped = join(projectRoot, 'policies')
const { digest } = loadPolicies(shipped)

/** A copy of the shipped policy in which these texts are replaced. */
function folder(t: Test, changes: Record<string, [from: string | RegExp, to: string] | null> = {}): string {
  const dir = t.testdir()
  cpSync(shipped, dir, { recursive: true })
  for (const [name, change] of Object.entries(changes)) {
    if (change === null) {
      rmSync(join(dir, name))
      continue
    }
    const text = readFileSync(join(dir, name), 'utf8')
    const changed = text.replace(...change)
    t.not(changed, text, `${name} is changed`)
    writeFileSync(join(dir, name), changed)
  }
  return dir
}

const check = async (args: string[], env = {}) => await assent(['policy', 'check', ...args], env)

t.test('a policy that can come into force is told by its digest, in every format', async (t) => {
  const text = await check([shipped])
  t.strictSame([text.code, text.stdout, text.stderr], [0, `${digest}  ${shipped}\n`, ''])
  const json = await check(['--format', 'json', shipped])
  t.strictSame([json.code, JSON.parse(json.stdout)], [0, { dir: shipped, digest, problems: [] }])
  const github = await check([shipped, '--format=github'])
  t.strictSame(
    [github.code, github.stdout],
    [0, `::notice title=Assent policy::${shipped} is fine: ${digest}\n`],
  )
})

t.test('the folder is the one that the service reads, unless another is named', async (t) => {
  t.match((await check([])).stdout, digest)
  const broken = folder(t, { 'gate.json': null })
  const ended = await check([], { ASSENT_POLICIES_DIR: broken })
  t.equal(ended.code, 1)
  t.match(ended.stdout, 'gate.json:1:1: This file is missing; add it.')
  t.equal((await check([shipped], { ASSENT_POLICIES_DIR: broken })).code, 0)
})

t.test('every problem of every file is said at its line and column, in a sentence', async (t) => {
  const dir = folder(t, {
    'gate.json': ['{', '{\n    "enviroments": {},'],
    'lanes.json': ['"dueInDays"', '"dueDays"'],
    'decision-rights.json': ['"allow": [', '"allow": [,'],
  })
  const { code, stdout, stderr } = await check([dir])
  t.equal(code, 1)
  const lines = stdout.trimEnd().split('\n')
  t.match(stderr, `assent policy check: ${lines.length} problems`)
  const at = (name: string, found: string) => {
    const before = readFileSync(join(dir, name), 'utf8').split(found)[0]?.split('\n') ?? []
    return `${join(dir, name)}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: `
  }
  t.ok(
    lines.includes(
      `${at('gate.json', '"enviroments"')}enviroments is not a field here; correct its name or remove it.`,
    ),
  )
  t.ok(
    lines.includes(
      `${at('lanes.json', '"dueDays"')}dueDays is not a field here; correct its name or remove it.`,
    ),
  )
  t.ok(
    lines.some((line) => line.endsWith(' dueInDays is missing; add it.')),
    'what is missing is named',
  )
  t.ok(
    lines.some((line) => /decision-rights\.json:\d+:\d+: A value is missing, before/.test(line)),
    stdout,
  )
  t.notMatch(stdout, /Line \d/, 'no place is said twice')
})

t.test('a word that no decision right knows is a problem, as at the start of the service', async (t) => {
  const dir = folder(t, { 'decision-rights.json': ['"may": "read"', '"may": "reed"'] })
  const { code, stdout } = await check([dir, '--format', 'json'])
  t.equal(code, 1)
  const { problems, digest } = JSON.parse(stdout)
  t.equal(digest, null)
  t.match(problems, [{ pointer: '/allow/0/may', sentence: /^Nobody can reed a .*\.$/ }])
  const line = readFileSync(join(dir, 'decision-rights.json'), 'utf8').split('\n')[problems[0].line - 1] ?? ''
  t.match(line.slice(problems[0].column - 1), /^"may": "reed"/)
})

t.test('annotations name file, line and column, and no text breaks out of its command', async (t) => {
  const dir = folder(t, { 'gate.json': ['"environments": {', '"environments": {"a,b::c%\\n": "enforce",'] })
  const { code, stdout } = await check([dir, '--format', 'github'])
  t.equal(code, 1)
  for (const line of stdout.trimEnd().split('\n')) {
    t.match(line, /^::error file=[^,:]*gate\.json,line=\d+,col=\d+,title=Assent policy::[^\n]+$/)
  }
})

t.test('whoever calls it in another way is told so, with a code of its own', async (t) => {
  for (const args of [
    ['/nowhere/at/all'],
    [join(shipped, 'gate.json')],
    [shipped, shipped],
    [shipped, '--format', 'xml'],
    [shipped, '--fix'],
  ]) {
    const { code, stdout, stderr } = await check(args)
    t.strictSame([code, stdout], [2, ''], args.join(' '))
    t.match(stderr, /^assent: [^\n]+\n$/)
  }
  t.match((await check(['--help'])).stdout, /^usage: assent policy check \[DIR\]/)
})

t.test('the place of a value is where it stands in the text, whatever the text', async (t) => {
  const isBare = (value: unknown) => typeof value !== 'object' || value === null
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, 3), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const lines = text.split('\n')
      const placeOf = readPlaces(text)
      const walk = (part: unknown, path: (string | number)[]) => {
        const { line, column } = placeOf(pointer(path))
        const rest = [lines[line - 1]?.slice(column - 1), ...lines.slice(line)].join('\n')
        const last = path.at(-1)
        const begins =
          typeof last === 'string' ? JSON.stringify(last) : isBare(part) ? JSON.stringify(part) : ''
        if (!rest.startsWith(begins)) throw new Error(`${pointer(path)} is not at ${line}:${column}`)
        if (isBare(part)) return
        for (const [name, inner] of Object.entries(part as object)) {
          walk(inner, [...path, Array.isArray(part) ? Number(name) : name])
        }
      }
      walk(value, [])
    }),
    { numRuns: 500 },
  )
  t.strictSame(
    readPlaces('{"a": {\n"b": 1}}')('/a/c'),
    { line: 1, column: 2 },
    'what is missing: what should hold it',
  )
  t.strictSame(readPlaces('{"a":\n  ]}')(), { line: 2, column: 3 }, 'what is no JSON: where it stops')
})
