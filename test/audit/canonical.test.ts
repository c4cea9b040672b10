import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { canonicalize } from '../../src/audit/canonical.js'
import { RegistryError } from '../../src/errors.js'

const data = process.env.ASSENT_TEST_DATA
const skip = data ? false : 'set ASSENT_TEST_DATA to the folder of test data'

t.test('canonical JSON is byte for byte what RFC 8785 publishes', { skip }, async (t) => {
  const folder = join(data ?? '', 'tlog/jcs-testdata')
  for (const name of readdirSync(join(folder, 'input'))) {
    const input = JSON.parse(readFileSync(join(folder, 'input', name), 'utf8'))
    t.equal(canonicalize(input), readFileSync(join(folder, 'output', name), 'utf8').trimEnd(), name)
  }
})

t.test('numbers take the shortest form that reads back, over ten thousand samples', { skip }, async (t) => {
  const lines = readFileSync(join(data ?? '', 'tlog/es6-numbers-10000.txt'), 'utf8')
    .trim()
    .split('\n')
  const view = new DataView(new ArrayBuffer(8))
  const wrong = lines.filter((line) => {
    const [hex = '', expected] = line.split(',')
    view.setBigUint64(0, BigInt(`0x${hex}`))
    return canonicalize(view.getFloat64(0)) !== expected
  })
  t.equal(lines.length, 10_000)
  t.same(wrong, [])
})

t.test('what JSON or UTF-8 cannot hold is refused, at any depth', async (t) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { a: ['\udc00'] }, { '\ud800': 1 }]) {
    t.throws(() => canonicalize(value), RegistryError)
  }
})

t.test('a member that is undefined is left out, and an element that is undefined is null', async (t) => {
  t.equal(canonicalize({ b: undefined, a: [undefined, 1] }), '{"a":[null,1]}')
})
