// `npm run mutation`: changes the rules of tiering, of votes, of standing and of what is missing, one spot at a time, and
// counts how many changes the tests notice. Everything is built once; each run then wakes one of the changes.
/** What a schema says to its readers is no rule. */
export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'words-of-schemas',
    value: {
      shouldIgnore({ node, parent }) {
        const isSaid = parent?.type === 'CallExpression' && parent.arguments.includes(node)
        const method = isSaid ? parent.callee.property?.name : undefined
        return method === 'meta' || method === 'describe' ? 'words for the reader' : undefined
      },
    },
  },
]

export default {
  mutate: [
    ...['src/policy/tiering.ts', 'src/reviews/arithmetic.ts', 'src/use-cases/standing.ts'],
    ...['src/policy/missing.ts', 'src/policy/requirements.ts'],
  ],
  ignorePatterns: ['**', '!src/**', '!test/**', '!policies/**', '!.config/**', '!package.json'],
  buildCommand: 'node .config/build.mjs',
  commandRunner: { command: 'node .config/mutation-tests.mjs' },
  plugins: [new URL(import.meta.url).pathname],
  ignorers: ['words-of-schemas'],
  concurrency: 2,
  timeoutMS: 20_000,
  tempDirName: '.stryker',
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 85 },
}
