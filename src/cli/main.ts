#!/usr/bin/env node
import { RegistryError } from '../errors.js'
import { exitCodes } from './exit-codes.js'
import { UsageError } from './flags.js'
import { shippedVersion } from './version.js'

interface Command {
  /** What comes after the name. */
  takes: string
  summary: string
  load(): Promise<{ run(argv: string[]): Promise<number>; help?: string }>
}

const commands: Record<string, Command> = {
  serve: {
    takes: '',
    summary: 'Run the service; settings are ASSENT_… variables',
    load: async () => await import('./serve.js'),
  },
  demo: {
    takes: '[REGISTER]',
    summary: 'Show it at work, with people and a register of its own',
    load: async () => await import('./demo.js'),
  },
  migrate: {
    takes: '',
    summary: 'Bring the database up to this version',
    load: async () => await import('./migrate.js'),
  },
  backup: {
    takes: 'FILE',
    summary: 'Keep everything as of one instant, while the service goes on',
    load: async () => await import('./backup.js'),
  },
  restore: {
    takes: 'FILE',
    summary: 'Fill an empty database from a backup',
    load: async () => await import('./restore.js'),
  },
  'first-sign-in': {
    takes: '',
    summary: 'Print a code for one more administrator, when no token is left',
    load: async () => await import('./first-sign-in.js'),
  },
  'gate check': {
    takes: '--use-case KEY --environment NAME',
    summary: 'May this use of AI go there, now?',
    load: async () => await import('./gate-check.js'),
  },
  'policy check': {
    takes: '[DIR]',
    summary: 'Would the service start with this policy? Every problem, by file and line',
    load: async () => await import('./policy-check.js'),
  },
  'policy diff': {
    takes: '--against URL|FILE',
    summary: 'Which use cases would change if a policy came into force?',
    load: async () => await import('./policy-diff.js'),
  },
  'policy apply': {
    takes: '--server URL [--yes]',
    summary: 'Give use cases that are there already the tiers of the policy in force',
    load: async () => await import('./policy-apply.js'),
  },
  'catalog import': {
    takes: 'FILE --id ID --server URL',
    summary: 'Add a version of a catalog of controls, from OSCAL JSON or a table',
    load: async () => await import('./catalog-import.js'),
  },
  'package fetch': {
    takes: '--out FILE --server URL',
    summary: 'Fetch the audit package of a use case, or of the register',
    load: async () => await import('./package-fetch.js'),
  },
  'package verify': {
    takes: 'FILE',
    summary: 'Is an audit package whole and unaltered, with no event missing?',
    load: async () => await import('./package-verify.js'),
  },
  join: {
    takes: '[--accept --server URL]',
    summary: 'Make a key of your own to be invited by, and exchange it for your token',
    load: async () => await import('./join.js'),
  },
}

/** @returns the exit code */
async function main(words: string[]): Promise<number> {
  const [first, second] = words
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    console.log(overview())
    return first === undefined ? exitCodes.usage : 0
  }
  if (first === '--version') {
    console.log(shippedVersion())
    return 0
  }
  const name = [`${first} ${second}`, first].find((name) => Object.hasOwn(commands, name))
  const command = name === undefined ? undefined : commands[name]
  if (name === undefined || !command) {
    throw new UsageError(unknownCommand(first))
  }
  return await call(name, command, words.slice(name.split(' ').length))
}

function unknownCommand(first: string): string {
  const longer = Object.keys(commands).filter((name) => name.startsWith(`${first} `))
  if (longer.length > 0) return `say which: ${longer.map((name) => `assent ${name}`).join(', ')}`
  return `there is no command "${first.slice(0, 40)}"; assent --help lists them`
}

async function call(name: string, command: Command, argv: string[]): Promise<number> {
  const { run, help } = await command.load()
  // Help is 0, so it is only given to who asks for nothing else: `--environment -h` is a slip, not a question.
  if (argv.length === 1 && (argv[0] === '--help' || argv[0] === '-h')) {
    console.log(help ?? `usage: assent ${name} ${command.takes}`.trimEnd().concat(`\n\n${command.summary}`))
    return 0
  }
  if (command.takes === '' && argv.length > 0) throw new UsageError(`assent ${name} takes nothing more`)
  return await run(argv)
}

function overview(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`)
  return [
    'usage: assent COMMAND',
    '',
    ...lines,
    '',
    'assent COMMAND --help says more; assent --version says which this is.',
  ].join('\n')
}

function failed(error: unknown): number {
  if (error instanceof UsageError) {
    console.error(`assent: ${error.message}`)
    return exitCodes.usage
  }
  console.error(error instanceof RegistryError ? error.message : error)
  return 1
}

process.exitCode = await main(process.argv.slice(2)).catch(failed)
