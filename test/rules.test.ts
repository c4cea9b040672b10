// Every rule that src/rules.md promises is kept somewhere in the code and borne by at least one test, by its id.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from '../src/config.js'

interface Texts {
  /** The table of src/rules.md. */
  rules: string
  /** Sources and migrations. */
  code: string
  tests: string
}

/** What is wrong, one sentence each. */
function faultsOf({ rules, code, tests }: Texts): string[] {
  const ids = [...rules.matchAll(/^\| (R-\d{2}) \|/gm)].map(([, id = '']) => id)
  const kept = idsIn(code)
  const borne = new Set(testNames(tests).flatMap((name) => [...idsIn(name)]))
  const known = new Set(ids)
  return [
    ...ids
      .filter((id, at) => ids.indexOf(id) !== at)
      .map((id) => `${id} is there twice: give each rule its own`),
    ...[...known]
      .filter((id) => !kept.has(id))
      .map((id) => `${id} is named by no code: name it where it is kept`),
    ...[...known]
      .filter((id) => !borne.has(id))
      .map((id) => `${id} is borne by no test: name one after it, as '${id}: …'`),
    ...[...new Set([...kept, ...idsIn(tests)])]
      .filter((id) => !known.has(id))
      .map((id) => `${id} is no rule: write it into src/rules.md, or correct it`),
  ]
}

/** The strings that begin with ids and a colon: names of tests, also of those that a table holds. */
function testNames(tests: string): string[] {
  return [...tests.matchAll(/['"`](R-\d{2}(?:(?:, |\.\.)R-\d{2})*): /g)].map(([, name = '']) => name)
}

/** Ids in a text; `R-31..R-34` and `R-31 to R-34` stand for those between as well. */
function idsIn(text: string): Set<string> {
  const found = [...text.matchAll(/\bR-(\d{2})(?:(?:\.\.| to )R-(\d{2}))?\b/g)]
  return new Set(
    found.flatMap(([, from = '', to = from]) =>
      Array.from({ length: Number(to) - Number(from) + 1 }, (_, step) => idOf(Number(from) + step)),
    ),
  )
}

function idOf(number: number): string {
  return `R-${String(number).padStart(2, '0')}`
}

function textsBelow(folder: string, extension: string, but: string[] = []): string {
  const root = join(projectRoot, folder)
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(extension) && !but.includes(path))
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n')
}

t.test('each rule has its code and its test, and no other rule is spoken of', async (t) => {
  t.same(
    faultsOf({
      rules: readFileSync(join(projectRoot, 'src/rules.md'), 'utf8'),
      code: textsBelow('src', '.ts') + textsBelow('migrations', '.sql'),
      tests: textsBelow('test', '.ts', ['rules.test.ts']),
    }),
    [],
  )
})

t.test('it tells when a rule lacks either', async (t) => {
  const rules = '| R-01 | One |\n| R-02 | Two |\n| R-03 | Three |\n'
  const code = '/** R-01 to R-03 */'
  const tests = `t.test('R-01..R-02: both', …)\n['R-03: in a table', …]`
  t.same(faultsOf({ rules, code, tests }), [])
  t.same(faultsOf({ rules: `${rules}| R-04 | Planted |`, code, tests }), [
    'R-04 is named by no code: name it where it is kept',
    `R-04 is borne by no test: name one after it, as 'R-04: …'`,
  ])
  t.same(faultsOf({ rules: `${rules}| R-03 | Again |`, code, tests }), [
    'R-03 is there twice: give each rule its own',
  ])
  t.same(faultsOf({ rules, code, tests: `${tests} // see R-05` }), [
    'R-05 is no rule: write it into src/rules.md, or correct it',
  ])
  t.same(faultsOf({ rules, code, tests: `t.test('R-01: one', …) // R-02, R-03` }), [
    `R-02 is borne by no test: name one after it, as 'R-02: …'`,
    `R-03 is borne by no test: name one after it, as 'R-03: …'`,
  ])
})
