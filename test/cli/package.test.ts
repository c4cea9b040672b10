import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { approved, register, startCommittee } from '../committee.js'
import { formAround, formType } from '../evidence/world.js'
import { assent } from './command.js'

t.setTimeout(240_000)

const evidence = t.testdir()
const committee = await startCommittee(t, { ASSENT_EVIDENCE_DIR: evidence })
const cleared = await approved(committee)
const url = await committee.app.listen({ port: 0, host: '127.0.0.1' })
const env = { ASSENT_URL: url, ASSENT_TOKEN: committee.auditor.token }
const dir = mkdtempSync(join(tmpdir(), 'assent-cli-package-'))
t.teardown(() => rmSync(dir, { recursive: true, force: true }))
const file = join(dir, 'package.tar')

t.test('a package is fetched whole, and found in order', async (t) => {
  const fetched = await assent(['package', 'fetch', '--use-case', cleared.key, '--out', file], env)
  t.match(fetched, { code: 0, stderr: '', stdout: /is whole and in order, as of 2026-03-01/ })
  const verified = await assent(['package', 'verify', file])
  t.match(verified, { code: 0, stderr: '', stdout: new RegExp(`is in order: ${cleared.key} as of`) })
  const { stdout } = await assent(['package', 'verify', file, '--format', 'json'])
  t.match(JSON.parse(stdout), { findings: [], manifest: { of: { useCase: cleared.key } } })
  const again = await assent(['package', 'fetch', '--out', file], env)
  t.match(again, { code: 2, stderr: /there is a file of this name/ }, 'nothing is written over')
})

t.test('what is refused leaves no file', async (t) => {
  const out = join(dir, 'refused.tar')
  const legal = { ...env, ASSENT_TOKEN: committee.seats.legal.token }
  t.match(await assent(['package', 'fetch', '--out', out], legal), { code: 3, stderr: /DR-09|export/ })
  t.match(await assent(['package', 'fetch', '--out', out, '--as-of', 'never'], env), { code: 2 })
  t.match(await assent(['package', 'fetch', '--out', out], { ASSENT_TOKEN: env.ASSENT_TOKEN }), { code: 2 })
  t.match(await assent(['package', 'verify']), { code: 2 })
  t.match(await assent(['package', 'verify', out]), { code: 2, stderr: /cannot be read/ })
  t.notOk(existsSync(out))
  t.same(readdirSync(dir), ['package.tar'])
})

t.test('a package that breaks off leaves no file, and says why', async (t) => {
  const { id, key } = await register(committee)
  const { head, tail } = formAround({ kind: 'test_report', title: 'Test of triage' })
  const form = Buffer.concat([head, Buffer.from('All 200 cases passed.'), tail])
  const place = `/v1/use-cases/${id}/evidence/files`
  t.equal((await committee.riskOwner.post(place, form, { 'content-type': formType })).status, 201)
  rmSync(join(evidence, 'sha256'), { recursive: true, force: true })
  const out = join(dir, 'broken.tar')
  const broken = await assent(['package', 'fetch', '--use-case', key, '--out', out], env)
  t.match(broken, { code: 5, stderr: /sha256:[0-9a-f]{64}: these bytes are missing from the evidence store/ })
  t.same(readdirSync(dir), ['package.tar'])
  const digests = ['package', 'fetch', '--use-case', key, '--out', out, '--evidence', 'digests']
  t.match(await assent(digests, env), { code: 0, stdout: /is whole and in order/ })
  rmSync(out)
})

t.test('one altered byte, wherever it is, is found', async (t) => {
  const bytes = readFileSync(file)
  const altered = join(dir, 'altered.tar')
  for (const name of ['votes.ndjson', 'README.txt', 'manifest.json']) {
    const start = bytes.indexOf(`/${name}`) + 512
    const copy = Buffer.from(bytes)
    copy[start + 3] = (copy[start + 3] ?? 0) ^ 1
    writeFileSync(altered, copy)
    const { code, stdout } = await assent(['package', 'verify', altered])
    t.equal(code, 6)
    t.match(stdout, `SUM_MISMATCH ${name}`)
  }
})

t.test('a package that was cut off is found, wherever it was cut', async (t) => {
  const cut = join(dir, 'cut.tar')
  const { length } = readFileSync(file)
  for (const left of [100, 5000, Math.floor(length / 2), length - 1024]) {
    writeFileSync(cut, readFileSync(file))
    truncateSync(cut, left)
    t.match(
      await assent(['package', 'verify', cut]),
      { code: 6, stdout: /TRUNCATED/ },
      `${left} bytes are left`,
    )
  }
  writeFileSync(cut, 'no tar at all'.repeat(100))
  t.match(await assent(['package', 'verify', cut]), { code: 6, stdout: /TRUNCATED/ })
})

t.test('whoever takes out an event or a vote, and sums anew, is found', async (t) => {
  const lines = (name: string, change: (lines: string[]) => string[]) => rewritten(t, name, change)
  const withoutFirst = await assent(['package', 'verify', lines('events.ndjson', (all) => all.slice(1))])
  t.match(withoutFirst, { code: 6, stdout: /EVENT_NO_GAP events\.ndjson .* 2: event 1 was to come/ })
  const withoutOne = lines('events.ndjson', (all) => all.filter((line) => !line.includes('decision.made')))
  t.match(await assent(['package', 'verify', withoutOne]), { code: 6, stdout: /EVENT_MISSING decision/ })
  const withoutVote = lines('votes.ndjson', (all) => all.slice(1))
  t.match(await assent(['package', 'verify', withoutVote]), { code: 6, stdout: /VOTE_MISSING decision/ })
  const changed = lines('events.ndjson', (all) =>
    all.map((line) => line.replace('"value": "', '"value": "not ')),
  )
  t.match(await assent(['package', 'verify', changed]), { code: 6, stdout: /LEAF_MISMATCH/ })
  const added = rewritten(t, 'votes.ndjson', (all) => all, 'added.txt')
  t.match(await assent(['package', 'verify', added]), { code: 6, stdout: /FILE_UNKNOWN added\.txt/ })
})

/** The package with other lines in a file of it, summed anew by the tools of the system. */
function rewritten(t: Test, name: string, change: (lines: string[]) => string[], added?: string): string {
  const folder = t.testdir()
  execFileSync('tar', ['-xf', file, '-C', folder])
  const [inside = ''] = readdirSync(folder)
  const place = join(folder, inside)
  const lines = readFileSync(join(place, name), 'utf8').split('\n').slice(0, -1)
  writeFileSync(
    join(place, name),
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  )
  const sums = `find . -type f ! -name manifest.sha256 -printf '%P\\n' | xargs sha256sum > manifest.sha256`
  execFileSync('sh', ['-c', sums], { cwd: place })
  if (added) writeFileSync(join(place, added), 'new')
  const list = execFileSync('find', [inside, '-type', 'f'], { cwd: folder }).toString().trim().split('\n')
  const tar = join(folder, 'again.tar')
  execFileSync('tar', ['--format=ustar', '-cf', tar, ...list], { cwd: folder })
  return tar
}
