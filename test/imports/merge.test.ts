import fc from 'fast-check'
import t from 'tap'
import { mergeFacts } from '../../src/imports/merge.js'

const base = {
  title: 'Use',
  benefits: 'Faster',
  tags: ['a', 'b'],
  stage: 'pilot',
  answers: { personal_data: 'none' },
}

t.test('what only the source changed is taken', async (t) => {
  const theirs = { ...base, stage: 'deployed', answers: { personal_data: 'personal' } }
  const merge = mergeFacts(base, theirs, { ...base, riskOwnerId: 'p-1' })
  t.same(merge, {
    facts: { ...theirs, riskOwnerId: 'p-1' },
    taken: ['answers.personal_data', 'stage'],
    kept: ['riskOwnerId'],
    conflicts: [],
  })
})

t.test('what only we changed is kept', async (t) => {
  const ours = { ...base, title: 'Our use', answers: { personal_data: 'none', affected: 'customers' } }
  t.same(mergeFacts(base, base, ours), {
    facts: ours,
    taken: [],
    kept: ['answers.affected', 'title'],
    conflicts: [],
  })
})

t.test(
  'what both changed alike is no conflict; what both changed differently stays ours and is named',
  async (t) => {
    const theirs = { ...base, stage: 'deployed', tags: ['b', 'c'] }
    const ours = { ...base, stage: 'deployed', tags: ['b', 'd'] }
    t.same(mergeFacts(base, theirs, ours), {
      facts: ours,
      taken: [],
      kept: [],
      conflicts: [{ field: 'tags', base: ['a', 'b'], theirs: ['b', 'c'], ours: ['b', 'd'] }],
    })
  },
)

t.test('a list is a set, and blank, absent and unknown are one', async (t) => {
  const ours = {
    ...base,
    tags: ['b', 'a'],
    outputs: '',
    answers: { personal_data: 'none', affected: 'unknown' },
  }
  t.same(mergeFacts(base, { ...base, technique: null }, ours), {
    facts: ours,
    taken: [],
    kept: [],
    conflicts: [],
  })
})

t.test('a source that is silent about a field takes nothing away, one that blanks it does', async (t) => {
  const { benefits: _, ...silent } = base
  t.same(mergeFacts(base, silent, base).facts, base)
  const merge = mergeFacts(base, { ...base, benefits: '', answers: { personal_data: 'unknown' } }, base)
  t.same(
    [merge.facts, merge.taken],
    [{ ...base, benefits: '', answers: { personal_data: 'unknown' } }, ['answers.personal_data', 'benefits']],
  )
})

const value = fc.constantFrom('x', 'y', 'z')
const facts = fc.record({
  title: value,
  stage: value,
  tags: fc.array(value),
  answers: fc.record({ q: value }),
})

t.test('the same file again changes nothing, and a merge done twice is done', async () => {
  fc.assert(
    fc.property(facts, facts, facts, (before, theirs, ours) => {
      t.same(mergeFacts(theirs, theirs, ours).facts, ours)
      const merged = mergeFacts(before, theirs, ours)
      const again = mergeFacts(theirs, theirs, merged.facts)
      t.same([again.facts, again.taken, again.conflicts], [merged.facts, [], []])
    }),
    { seed: 1 },
  )
})

t.test('each field ends as taken, kept, in conflict, or the same on both sides', async () => {
  fc.assert(
    fc.property(facts, facts, facts, (before, theirs, ours) => {
      const { taken, kept, conflicts, facts: merged } = mergeFacts(before, theirs, ours)
      const moved = [...taken, ...kept, ...conflicts.map(({ field }) => field)]
      t.equal(new Set(moved).size, moved.length)
      for (const field of ['title', 'stage'] as const) {
        t.equal(merged[field], taken.includes(field) ? theirs[field] : ours[field])
      }
    }),
    { seed: 2 },
  )
})
