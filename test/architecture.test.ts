// Who may import whom, and how long things may be: src/README.md tells why, this keeps it.
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import t from 'tap'
import { projectRoot } from '../src/config.js'

/** A source file: its path below src/ without `.ts`, and its text. */
interface Source {
  path: string
  text: string
}

/** What is wrong with a file, one sentence each. */
type Check = (source: Source) => string[]

/** Features stand in a line, and each sees only those before it. */
const features = [
  ...[
    'audit',
    'org-units',
    'people',
    'tokens',
    'systems',
    'use-cases',
    'policy-changes',
    'catalogs',
    'requirements',
    'evidence',
    'legal-holds',
    'retention',
    'disposals',
    'custody',
    'profiles',
  ],
  ...[
    'delegations',
    'conditions',
    'exceptions',
    'reviews',
    'suspensions',
    'incidents',
    'break-glass',
    'handover',
    'briefs',
  ],
  ...[
    'me',
    'standing',
    'queue',
    'meetings',
    'insights',
    'gate',
    'imports',
    'registers',
    'packages',
    'notices',
  ],
]

/** From left to right: a file imports only from its own layer and from those to its left. */
const layers: [name: string, files: RegExp][] = [
  [
    'pure',
    /^(errors|instant|issues|markdown|page|period|spreadsheet|text)$|^audit\/(canonical|digest|events|merkle)$|^auth\/(principal|subjects)$/,
  ],
  ['pure', /^policy\/(?!(load|routes)$)/],
  ['kernel', /^(config|ids|setting-forms)$|^(auth|db|net)\/|^policy\/load$|^audit\/log$/],
  [
    'kernel',
    /^catalogs\/csv$|^evidence\/(blobs|clamd|recognizing|stores\/\w+)$|^imports\/(bytes|csv|ndjson|read|spool|workbook|workbook-thread)$/,
  ],
  ['kernel', /^registers\/workbook$|^packages\/tar$/],
  ['store', /^[\w-]+\/([\w]+-)?store$/],
  ['service', /^[\w-]+\/(service|view)$|^people\/(granting|leaving|membership)$|^tokens\/first-sign-in$/],
  [
    'service',
    /^(conditions|evidence|exceptions|handover|profiles|reviews|use-cases)\/(recomputing|closing|covering|reading)$/,
  ],
  [
    'service',
    /^briefs\/prospecting$|^reviews\/(asking|attesting|opening|precedents|routing|standing-after|terms|voting|weighing)$/,
  ],
  ['service', /^retention\/raising$|^disposals\/certifying$|^custody\/(keeper|keeping|checking|metrics)$/],
  ['service', /^evidence\/(keeping|metrics|scanning)$|^packages\/packing$/],
  ['service', /^imports\/(applying|deciding|drafting|previewing)$/],
  ['service', /^notices\/(dispatcher|expanding|mailing|metrics|sending|signing|telling|vault|watching)$/],
  ['edge', /^[\w-]+\/(routes|pages)$|^(console|http)\//],
  ['app', /^app$/],
  ['process', /^server$|^cli\//],
  ['pure', new RegExp(`^(${features.join('|')})/`)], // the nouns, and the rules that go with them
]
const order = ['pure', 'kernel', 'store', 'service', 'edge', 'app', 'process']

const sql = /^(db\/.*|audit\/log|auth\/visible-where|[\w-]+\/(\w+-)?store)$/
const web = /^(http\/.*|console\/.*|[\w-]+\/(routes|pages)|app|server|cli\/.*)$/
const exempt = /^(db\/schema|audit\/events)$/

/** The rules. Beside each, a file that breaks it. */
const rules: [rule: string, check: Check, planted: Source][] = [
  ['every file has its place in the drawing', hasPlace, file('utils/misc', '')],
  [
    'a file imports only from its left',
    looksLeft,
    file('people/store', `import { buildApp } from '../app.js'`),
  ],
  ['a feature sees only those before it', keepsInLine, file('people/service', `import '../gate/gate.js'`)],
  [
    'what all features stand on knows of them their nouns alone',
    groundKnowsNouns,
    file('http/server', `import { find } from '../people/service.js'`),
  ],
  [
    'across features only the service and the noun are open',
    crossesByService,
    file('gate/service', `import { lockReview } from '../reviews/store.js'`),
  ],
  ['what is pure knows zod, and nothing else', pureKnowsZod, file('gate/gate', `import fs from 'node:fs'`)],
  [
    'what is pure has no clock and no dice',
    inLayer('pure', mentions(/\bDate\.now\(|\bnew Date\(\)|Math\.random\(|\brandom(Bytes|UUID)\(/)),
    file('gate/gate', 'export const now = () => Date.now()'),
  ],
  [
    'only config.ts reads the environment',
    outside(/^config$/, mentions(/\bprocess\.env\b|\benv\b.*from ''/)),
    file('cli/main', 'export const url = process.env.ASSENT_URL'),
  ],
  [
    'only stores and the kernel know SQL',
    outside(
      sql,
      either(imports(/^(pg|drizzle-orm|pg-copy-streams)(\/|$)/), mentions(/\bsql``|\.query\(|\btx\.sql\./)),
    ),
    file('gate/service', 'export const count = (tx: ReadTx) => tx.sql.$count(useCases)'),
  ],
  [
    'only auth/ calls CASL',
    outside(/^auth\//, imports(/^@casl\//)),
    file('gate/gate', `import '@casl/ability'`),
  ],
  [
    'only the edge sees request and reply',
    outside(web, imports(/^@?fastify(\/|$)/)),
    file('gate/service', `import type { FastifyReply } from 'fastify'`),
  ],
  [
    'only the edge speaks in HTTP status codes',
    outside(
      /^net\/|^notices\/delivery$/,
      outside(web, mentions(/\bstatusCode\b|\b(40[1-69]|41[0235]|42[2689]|50[234])\b/)),
    ),
    file('gate/service', 'export const refused = { status: 403 }'),
  ],
  ['a function has at most 50 lines', shortFunctions, file('gate/gate', longFunction(51))],
  ['a file has at most 300 lines', outside(exempt, shortFile), file('gate/gate', 'export {}\n'.repeat(301))],
]

const sources = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => file(name.replace(/\.ts$/, ''), readFileSync(join(projectRoot, 'src', name), 'utf8')))

for (const [rule, check, planted] of rules) {
  t.test(rule, async (t) => {
    t.not(check(planted).length, 0, `a planted ${planted.path} that breaks it is found`)
    t.same(sources.flatMap(check), [], 'no file breaks it')
  })
}

function hasPlace({ path }: Source): string[] {
  return layerOf(path) ? [] : [`src/${path} has no place in the drawing`]
}

function looksLeft(source: Source): string[] {
  const own = order.indexOf(layerOf(source.path))
  return offences(source, (target) => order.indexOf(layerOf(target)) > own)
}

function keepsInLine(source: Source): string[] {
  const own = featureOf(source.path)
  return own < 0 ? [] : offences(source, (target) => featureOf(target) > own)
}

function groundKnowsNouns(source: Source): string[] {
  if (featureOf(source.path) >= 0 || !/\//.test(source.path) || source.path.startsWith('cli/')) return []
  return offences(source, (target) => featureOf(target) > 0 && layerOf(target) !== 'pure')
}

function crossesByService(source: Source): string[] {
  const own = featureOf(source.path)
  if (own < 0) return []
  const closed = (target: string) => featureOf(target) >= 0 && /[/-](store|routes|pages)$/.test(target)
  return offences(source, (target) => featureOf(target) !== own && closed(target))
}

function pureKnowsZod(source: Source): string[] {
  const hashes = source.path === 'audit/digest' ? 'node:crypto' : ''
  const known = (name: string) => /^(zod|node:util)$/.test(name) || name === hashes || name.startsWith('.')
  const unknown = importsOf(source.text).filter((name) => !known(name))
  return layerOf(source.path) === 'pure' ? unknown.map((name) => `src/${source.path} imports ${name}`) : []
}

/**
 * Biome keeps the indentation, so a body ends at the next brace that stands where the function began. A feature's
 * `…Routes` is the table of its operations, as long as they are many; the handlers in it count.
 */
function shortFunctions({ path, text }: Source): string[] {
  const lines = text.split('\n')
  return lines.flatMap((line, start) => {
    if (!opensFunction(line) || /^export async function \w+Routes\(app: App\b/.test(line)) return []
    const indent = line.match(/^ */)?.[0] ?? ''
    const length = lines.slice(start).findIndex((end) => end.startsWith(`${indent}}`)) + 1
    return length > 50 ? [`src/${path}:${start + 1} is a function of ${length} lines`] : []
  })
}

function opensFunction(line: string): boolean {
  const isFunction = /^ *(export |async )*function\b(?!:)|=> \{$/.test(line)
  const isMethod = /^ +(private |async |static |get )*#?\w+\(.*\{$/.test(line)
  return isFunction || (isMethod && !/^ *(if|for|while|switch|catch)\b/.test(line))
}

function shortFile({ path, text }: Source): string[] {
  const length = text.trimEnd().split('\n').length
  return length > 300 ? [`src/${path} has ${length} lines`] : []
}

function imports(packages: RegExp): Check {
  return ({ path, text }) =>
    importsOf(text)
      .filter((name) => packages.test(name))
      .map((name) => `src/${path} imports ${name}`)
}

function mentions(words: RegExp): Check {
  return ({ path, text }) => {
    const found = codeOf(text).match(words)
    return found ? [`src/${path} says ${found[0]}`] : []
  }
}

function outside(allowed: RegExp, check: Check): Check {
  return (source) => (allowed.test(source.path) ? [] : check(source))
}

function inLayer(layer: string, check: Check): Check {
  return (source) => (layerOf(source.path) === layer ? check(source) : [])
}

function either(...checks: Check[]): Check {
  return (source) => checks.flatMap((check) => check(source))
}

function offences({ path, text }: Source, isWrong: (target: string) => boolean): string[] {
  return importsOf(text)
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(posix.dirname(path), name).replace(/\.js$/, ''))
    .filter(isWrong)
    .map((target) => `src/${path} imports ${target}`)
}

function importsOf(text: string): string[] {
  const names = text.matchAll(
    /^(?:import|export) [\w\s*{},]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'/gm,
  )
  return [...names].map(([, from, bare, lazy]) => from ?? bare ?? lazy ?? '')
}

/** The text without its comments and without what stands in quotes. */
function codeOf(text: string): string {
  const quoted = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  return text.replace(quoted, (match) => (match.startsWith('/') ? '' : match.startsWith('`') ? '``' : `''`))
}

function layerOf(path: string): string {
  return layers.find(([, files]) => files.test(path))?.[0] ?? ''
}

function featureOf(path: string): number {
  return features.indexOf(path.split('/')[0] ?? '')
}

function file(path: string, text: string): Source {
  return { path, text }
}

function longFunction(lines: number): string {
  return `export function long(): void {\n${'  work()\n'.repeat(lines - 2)}}\n`
}
