import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Issue, RegistryError } from './errors.js'
import { ClamdAddress } from './net/clamd-address.js'
import { S3Address, type S3Location } from './net/s3-address.js'
import {
  databaseUrl,
  flag,
  httpUrl,
  isLoopback,
  list,
  mailAddress,
  proxies,
  safeUrl,
  secret,
  smtpUrl,
  wholeNumber,
} from './setting-forms.js'

/** Where `policies/`, `migrations/` and `openapi/` lie. This file runs as `dist/src/config.js`. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url))

/** Variables of the command line and of the tests: they may stand beside the server's without meaning anything to it. */
const othersNames = /^ASSENT_(URL|TOKEN|USE_CASE|ENVIRONMENT|TEST_.*|BENCH_.*)$/

/** Every setting: the variable that gives it, its form and its default. */
const Settings = z.object({
  ASSENT_HOST: z.string().default('127.0.0.1'),
  ASSENT_PORT: wholeNumber(0, 65_535).default(3000),
  ASSENT_PUBLIC_URL: httpUrl.optional(),
  ASSENT_TRUST_PROXY: proxies.default([]),
  ASSENT_ALLOW_PLAIN_HTTP: flag.default(false),
  DATABASE_URL: databaseUrl.optional(),
  ASSENT_DATABASE_OWNER_URL: databaseUrl.optional(),
  ASSENT_DATA_DIR: z.string().default('.assent'),
  ASSENT_EVIDENCE_DIR: z.string().optional(),
  ASSENT_EVIDENCE_STORE: S3Address.optional(),
  ASSENT_S3_ENDPOINT: safeUrl.optional(),
  ASSENT_S3_REGION: z.string().optional(),
  ASSENT_S3_PATH_STYLE: flag.optional(),
  ASSENT_S3_ALLOW_UNLOCKED: flag.optional(),
  ASSENT_POLICIES_DIR: z.string().optional(),
  ASSENT_DEPLOYED_BY: z.string().trim().max(300, 'must have at most 300 characters').optional(),
  ASSENT_OIDC_ISSUER: list(safeUrl).default([]),
  ASSENT_OIDC_AUDIENCE: z.string().optional(),
  ASSENT_LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be a level such as info or warn',
    )
    .default('info'),
  ASSENT_METRICS_TOKEN: secret.optional(),
  ASSENT_CURSOR_SECRET: secret.optional(),
  ASSENT_SECRET_KEY: secret.optional(),
  ASSENT_SMTP_URL: smtpUrl.optional(),
  ASSENT_MAIL_FROM: mailAddress.optional(),
  ASSENT_CLAMAV: ClamdAddress.optional(),
  ASSENT_WEBHOOK_ALLOW_PRIVATE: flag.default(false),
  ASSENT_NOTICES_KEPT_DAYS: wholeNumber(7, 3650).default(30),
  ASSENT_RATE_LIMIT: wholeNumber(1, 1_000_000).default(1200),
  ASSENT_GATE_RATE_LIMIT: wholeNumber(1, 10_000_000).default(12_000),
  ASSENT_SIGN_IN_FAILURE_LIMIT: wholeNumber(1, 100_000).default(60),
  ASSENT_SIGN_IN_TIMEOUT_MS: wholeNumber(100, 60_000).default(2000),
  ASSENT_BODY_LIMIT: wholeNumber(1024, 64 * 2 ** 20).default(2 ** 20),
  ASSENT_UPLOAD_LIMIT: wholeNumber(1024, 10 * 2 ** 30).default(100 * 2 ** 20),
  ASSENT_REQUEST_TIMEOUT_MS: wholeNumber(1000, 600_000).default(30_000),
  ASSENT_STATEMENT_TIMEOUT_MS: wholeNumber(100, 60_000).default(5000),
  ASSENT_POOL_SIZE: wholeNumber(1, 100).default(4),
  ASSENT_GATE_POOL_SIZE: wholeNumber(1, 20).default(2),
  ASSENT_EXPORT_POOL_SIZE: wholeNumber(1, 20).default(2),
})
type Settings = z.output<typeof Settings>

export type Config = ReturnType<typeof configOf>

/**
 * Reads every setting from the environment; durations are in milliseconds, sizes in bytes, rates per minute.
 * @throws RegistryError `invalid` with one issue, and one sentence, for each thing that is wrong.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const read = Settings.safeParse(env)
  const issues = [
    ...blankIssues(env),
    ...unknownIssues(env),
    ...(read.error ? formIssues(read.error, env) : []),
  ]
  if (read.success) issues.push(...conflicts(read.data))
  if (!read.success || issues.length > 0) {
    throw new RegistryError('invalid', issues.map(({ message }) => message).join('\n'), { issues })
  }
  return configOf(read.data)
}

/** The same with some variables set otherwise, as the demo needs it. */
export function readConfigWith(settings: NodeJS.ProcessEnv): Config {
  return readConfig({ ...process.env, ...settings })
}

/** Where the person stands who started this; npm runs scripts in the project's folder. */
export function callersFolder(): string {
  return process.env.INIT_CWD ?? process.cwd()
}

function configOf(settings: Settings) {
  const dataDir = resolve(settings.ASSENT_DATA_DIR)
  return {
    host: settings.ASSENT_HOST,
    port: settings.ASSENT_PORT,
    publicUrl: settings.ASSENT_PUBLIC_URL,
    trustProxy: settings.ASSENT_TRUST_PROXY,
    allowInsecureNetwork: settings.ASSENT_ALLOW_PLAIN_HTTP,
    databaseUrl: settings.DATABASE_URL,
    databaseOwnerUrl: settings.ASSENT_DATABASE_OWNER_URL ?? settings.DATABASE_URL,
    dataDir,
    evidenceDir: settings.ASSENT_EVIDENCE_DIR
      ? resolve(settings.ASSENT_EVIDENCE_DIR)
      : join(dataDir, 'evidence'),
    s3: s3Of(settings),
    policiesDir: policiesDirOf(settings),
    deployedBy: settings.ASSENT_DEPLOYED_BY,
    oidc: { issuers: settings.ASSENT_OIDC_ISSUER, audience: settings.ASSENT_OIDC_AUDIENCE },
    logLevel: settings.ASSENT_LOG_LEVEL,
    metricsToken: settings.ASSENT_METRICS_TOKEN,
    cursorSecret: settings.ASSENT_CURSOR_SECRET,
    secretKey: settings.ASSENT_SECRET_KEY,
    clamav: settings.ASSENT_CLAMAV,
    mail: mailOf(settings),
    webhooks: { allowPrivate: settings.ASSENT_WEBHOOK_ALLOW_PRIVATE },
    noticesKeptDays: settings.ASSENT_NOTICES_KEPT_DAYS,
    signInTimeoutMs: settings.ASSENT_SIGN_IN_TIMEOUT_MS,
    rateLimits: {
      general: settings.ASSENT_RATE_LIMIT,
      gate: settings.ASSENT_GATE_RATE_LIMIT,
      signInFailures: settings.ASSENT_SIGN_IN_FAILURE_LIMIT,
    },
    bodyLimit: settings.ASSENT_BODY_LIMIT,
    uploadLimit: settings.ASSENT_UPLOAD_LIMIT,
    requestTimeoutMs: settings.ASSENT_REQUEST_TIMEOUT_MS,
    statementTimeoutMs: settings.ASSENT_STATEMENT_TIMEOUT_MS,
    poolSizes: {
      api: settings.ASSENT_POOL_SIZE,
      gate: settings.ASSENT_GATE_POOL_SIZE,
      exports: settings.ASSENT_EXPORT_POOL_SIZE,
    },
  }
}

function policiesDirOf({ ASSENT_POLICIES_DIR: dir }: { ASSENT_POLICIES_DIR?: string | undefined }): string {
  return resolve(dir ?? join(projectRoot, 'policies'))
}

/** Undefined where evidence lies in a folder. Servers other than AWS hardly ever have a host name for each bucket. */
function s3Of(settings: Settings): S3Location | undefined {
  const { ASSENT_EVIDENCE_STORE: address, ASSENT_S3_ENDPOINT: endpoint, ASSENT_S3_REGION: region } = settings
  const pathStyle = settings.ASSENT_S3_PATH_STYLE ?? endpoint !== undefined
  const acceptUnlocked = settings.ASSENT_S3_ALLOW_UNLOCKED ?? false
  return address && { ...address, endpoint, region, pathStyle, acceptUnlocked }
}

/** Undefined where no mail is sent. */
function mailOf({ ASSENT_SMTP_URL: url, ASSENT_MAIL_FROM: from, ASSENT_PUBLIC_URL: publicUrl }: Settings) {
  return url && from && publicUrl ? { url, from, publicUrl } : undefined
}

/** What the command line takes from the environment, beside its flags. */
export interface CliEnvironment {
  url: string | undefined
  token: string | undefined
  useCase: string | undefined
  environment: string | undefined
  /** The policy folder that a service here would read. */
  policiesDir: string
  /** Where a CI says that it runs. */
  context: { repository?: string | undefined; commit?: string | undefined; run?: string | undefined }
}

/** @throws RegistryError `invalid` when a variable is there and empty: a pipeline has lost a value */
export function readCliEnvironment(env: NodeJS.ProcessEnv = process.env): CliEnvironment {
  const own = ['ASSENT_URL', 'ASSENT_TOKEN', 'ASSENT_USE_CASE', 'ASSENT_ENVIRONMENT', 'ASSENT_POLICIES_DIR']
  const names = [...own, ...contextNames(env)]
  const blank = names.filter((name) => env[name]?.trim() === '')
  if (blank.length > 0) {
    const issues = blank.map((name) => issue(name, 'is empty; give it a value or remove it'))
    throw new RegistryError('invalid', issues.map(({ message }) => message).join('\n'), { issues })
  }
  const [repository, commit, run] = contextNames(env).map((name) => env[name])
  return {
    url: env.ASSENT_URL,
    token: env.ASSENT_TOKEN,
    useCase: env.ASSENT_USE_CASE,
    environment: env.ASSENT_ENVIRONMENT,
    policiesDir: policiesDirOf(env),
    context: { repository, commit, run },
  }
}

/** Repository, commit and run, as GitHub Actions and GitLab CI name them. */
function contextNames({ GITHUB_ACTIONS, GITLAB_CI }: NodeJS.ProcessEnv): string[] {
  if (GITHUB_ACTIONS === 'true') return ['GITHUB_REPOSITORY', 'GITHUB_SHA', 'GITHUB_RUN_ID']
  if (GITLAB_CI === 'true') return ['CI_PROJECT_PATH', 'CI_COMMIT_SHA', 'CI_PIPELINE_ID']
  return []
}

/** An empty variable is almost always a lost value, so it never counts as "not set". */
function blankIssues(env: NodeJS.ProcessEnv): Issue[] {
  return Object.keys(env)
    .filter((name) => name in Settings.shape && env[name]?.trim() === '')
    .map((name) => issue(name, 'is empty; give it a value or remove it'))
}

/** A misspelt name would leave a default in force that nobody asked for. */
function unknownIssues(env: NodeJS.ProcessEnv): Issue[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('ASSENT_') && !(name in Settings.shape) && !othersNames.test(name))
    .map((name) => issue(name, 'is not a setting; correct its spelling or remove it'))
}

function formIssues(error: z.ZodError, env: NodeJS.ProcessEnv): Issue[] {
  return error.issues
    .filter(({ path }) => env[String(path[0])]?.trim() !== '')
    .map(({ path, message }) => issue(String(path[0]), message))
}

function conflicts(settings: Settings): Issue[] {
  const issues: Issue[] = [...mailConflicts(settings), ...s3Conflicts(settings)]
  const { ASSENT_OIDC_ISSUER: issuers, ASSENT_OIDC_AUDIENCE: audience } = settings
  if (issuers.length > 0 && !audience) {
    issues.push(
      issue('ASSENT_OIDC_AUDIENCE', 'is missing; say which audience the tokens of your issuer name'),
    )
  }
  if (issuers.length === 0 && audience) {
    issues.push(
      issue('ASSENT_OIDC_ISSUER', 'is missing; say whose tokens are meant for the audience you named'),
    )
  }
  if (settings.ASSENT_DATABASE_OWNER_URL && !settings.DATABASE_URL) {
    issues.push(
      issue('DATABASE_URL', 'is missing; name the database that ASSENT_DATABASE_OWNER_URL migrates'),
    )
  }
  if (!isLoopback(settings.ASSENT_HOST) && !settings.ASSENT_ALLOW_PLAIN_HTTP && !hasTlsInFront(settings)) {
    const remedy = 'put TLS in front and set ASSENT_PUBLIC_URL=https://… and ASSENT_TRUST_PROXY'
    issues.push(
      issue('ASSENT_HOST', `serves the network without TLS; ${remedy}, or set ASSENT_ALLOW_PLAIN_HTTP=true`),
    )
  }
  return issues
}

/** Whoever says how to reach a bucket believes that evidence goes there. */
function s3Conflicts(settings: Settings): Issue[] {
  if (settings.ASSENT_EVIDENCE_STORE) return []
  const names = ['ENDPOINT', 'REGION', 'PATH_STYLE', 'ALLOW_UNLOCKED'] as const
  if (names.every((name) => settings[`ASSENT_S3_${name}`] === undefined)) return []
  return [issue('ASSENT_EVIDENCE_STORE', 'is missing; name the bucket as s3://bucket/folder')]
}

/** Mail says who sends it and links to where it can be acted on. */
function mailConflicts(settings: Settings): Issue[] {
  if (!settings.ASSENT_SMTP_URL) {
    if (!settings.ASSENT_MAIL_FROM) return []
    return [issue('ASSENT_SMTP_URL', 'is missing; name the server that sends mail from the address you gave')]
  }
  const needed = {
    ASSENT_MAIL_FROM: 'is missing; say from which address mail is sent',
    ASSENT_PUBLIC_URL: 'is missing; mail links to it',
  } as const
  const names = Object.keys(needed) as (keyof typeof needed)[]
  return names.filter((name) => !settings[name]).map((name) => issue(name, needed[name]))
}

function issue(name: string, message: string): Issue {
  return { path: `/${name}`, message: `${name} ${message}` }
}

function hasTlsInFront(settings: Settings): boolean {
  return settings.ASSENT_TRUST_PROXY.length > 0 && settings.ASSENT_PUBLIC_URL?.startsWith('https://') === true
}
