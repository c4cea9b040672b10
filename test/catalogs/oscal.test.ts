// OSCAL as NIST defines it: what the tests import is valid, and of what is valid nothing breaks the reading.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import t from 'tap'
import { readOscal } from '../../src/catalogs/oscal.js'
import { oscal, oscalFile } from './files.js'

const data = process.env.ASSENT_TEST_DATA
const skip = data === undefined && 'set ASSENT_TEST_DATA to the folder that holds oscal/'
const naming = { id: 'sample' }

const label = (value: string, name = 'label') => ({ name, value })
/** As NIST arranges its Cybersecurity Framework (categories are controls) and SP 800-53 (families, no categories). */
const arranged = oscal({
  params: [{ id: 'who', label: 'the board' }],
  controls: [{ id: 'alone', title: 'Alone' }],
  groups: [
    {
      ...{ id: 'GV', class: 'function', title: 'GOVERN' },
      controls: [
        {
          ...{ id: 'GV.OC', title: 'Context', props: [label('Context (GV.OC)')] },
          controls: [{ id: 'GV.OC-01', title: 'GV.OC-01', props: [label('GV.OC-01')] }],
        },
      ],
    },
    {
      ...{ id: 'ac', class: 'family', title: 'Access Control' },
      groups: [
        { title: 'Without an id', controls: [{ id: 'ac-1', title: 'Policy', parts: statement('ac-1') }] },
        {
          ...{ id: 'deep', title: 'Deep' },
          groups: [{ id: 'deeper', title: 'Deeper', controls: [{ id: 'ac-2', title: 'Two' }] }],
        },
      ],
    },
  ],
})

function statement(id: string) {
  const params = ['{{ insert: param, who }}', '{{insert: param, nobody}}'].join(' or ')
  return [
    {
      id: `${id}_smt`,
      name: 'statement',
      parts: [{ name: 'item', props: [label('a.')], prose: `Ask ${params}.` }],
    },
  ]
}

t.test('the catalogs of these tests are valid OSCAL 1.1.3', { skip }, async (t) => {
  const schema = readFileSync(join(data ?? '', 'oscal', 'oscal_complete_schema-1-1-3.json'), 'utf8')
  const ajv = new Ajv({ strict: false })
  formats.default(ajv)
  const isValid = ajv.compile(JSON.parse(schema))
  for (const file of [oscalFile, oscal({}), arranged]) {
    t.ok(isValid(JSON.parse(file)), JSON.stringify(isValid.errors))
  }
})

t.test('groups become functions and categories, however deep they lie', async (t) => {
  const { functions, categories, controls, version, source } = readOscal(arranged, naming)
  t.same({ version, source }, { version: '1', source: { title: 'Sample', date: '2024-05-01' } })
  t.same(
    functions.map(({ id }) => id),
    ['GV', 'ac', 'controls'],
  )
  t.same(
    categories.map(({ id, function: owner }) => `${owner} ${id}`),
    ['GV GV', 'ac ac-1', 'ac deep', 'controls controls'],
  )
  t.same(
    controls.map(({ id, category, parent }) => [id, category, parent]),
    [
      ['GV.OC', 'GV', undefined],
      ['GV.OC-01', 'GV', 'GV.OC'],
      ['ac-1', 'ac-1', undefined],
      ['ac-2', 'deep', undefined],
      ['alone', 'controls', undefined],
    ],
  )
  t.equal(controls.find(({ id }) => id === 'ac-1')?.text, 'a. Ask [the board] or [nobody].')
})

t.test('what stands in the way of a name is not in the way of a catalog', async (t) => {
  const named = readOscal(arranged, { ...naming, version: '2.0', title: 'Ours', sourceDate: '2024-02-26' })
  t.match(named, { id: 'sample', version: '2.0', title: 'Ours', source: { date: '2024-02-26' } })
  const odd = `{"__proto__": {"polluted": true}, ${arranged.slice(1)}`
  t.equal(readOscal(odd, naming).controls.length, 5)
  t.notOk('polluted' in {})
})

t.test('a file that would grow while it is read is refused before it does', async (t) => {
  const insert = '{{ insert: param, p }}'
  const loud = { id: 'p', label: 'x'.repeat(1_000_000) }
  const parts = [{ name: 'statement', prose: insert.repeat(800) }]
  const cases: [object, RegExp][] = [
    [
      { params: [loud], controls: [{ id: 'a', title: 'A', parts }] },
      /more than 20000 characters with its parameters/,
    ],
    [
      { controls: Array.from({ length: 1_000_000 }, () => 1) },
      /too large: a list has more than 5000 entries/,
    ],
    [{ groups: Array.from({ length: 200 }, () => Array.from({ length: 4000 }, () => 1)) }, /600000 values/],
    [
      { controls: [{ id: 'a', title: 'A', parts: [{ name: 'statement', prose: '{{ '.repeat(100_000) }] }] },
      /prose/,
    ],
  ]
  const began = performance.now()
  for (const [held, message] of cases)
    t.throws(() => readOscal(oscal(held), naming), { code: 'invalid', message })
  t.ok(performance.now() - began < 10_000)
})

t.test('a catalog at the limit is read at once', async (t) => {
  const controls = Array.from({ length: 5000 }, (_, n) => ({
    id: `c-${n}`,
    title: 'C',
    parts: statement(`c-${n}`),
  }))
  const began = performance.now()
  t.equal(readOscal(oscal({ controls }), naming).controls.length, 5000)
  const chain = Array.from({ length: 25 }).reduce<object>(
    (inner, _, n) => ({ id: `n-${n}`, title: 'N', controls: [inner] }),
    { id: 'last', title: 'Last' },
  )
  t.equal(readOscal(oscal({ controls: [chain] }), naming).controls.length, 26)
  t.ok(performance.now() - began < 10_000)
})
