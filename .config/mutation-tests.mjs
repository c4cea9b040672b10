// The tests that need no database, in one process: the same examples each time, and the first failure ends it.
import fc from 'fast-check'

fc.configureGlobal({ seed: 1, endOnFailure: true })
process.env.TAP_BAIL = '1'

const tests = [
  ...['policy/tiering', 'use-cases/standing', 'reviews/arithmetic', 'reviews/arithmetic-laws'],
  ...['policy/missing', 'policy/requirements'],
]
for (const test of tests) await import(`../dist/test/${test}.test.js`)
