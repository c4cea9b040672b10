import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { projectRoot, readConfig } from '../src/config.js'
import { RegistryError } from '../src/errors.js'

/** Reads settings that are wrong, and gives the sentences that say so. */
function refused(t: Test, env: Record<string, string>): string[] {
  try {
    readConfig(env)
  } catch (error) {
    t.match(error, { name: 'RegistryError', code: 'invalid' })
    if (error instanceof RegistryError) return error.issues.map(({ message }) => message)
  }
  t.fail(`accepted ${JSON.stringify(env)}`)
  return []
}

t.test('without settings it serves this machine alone, from a folder of its own', async (t) => {
  t.match(readConfig({}), {
    host: '127.0.0.1',
    port: 3000,
    databaseUrl: undefined,
    dataDir: resolve('.assent'),
    evidenceDir: resolve('.assent/evidence'),
    policiesDir: join(projectRoot, 'policies'),
    trustProxy: [],
    oidc: { issuers: [], audience: undefined },
    bodyLimit: 1_048_576,
    uploadLimit: 104_857_600,
    requestTimeoutMs: 30_000,
    statementTimeoutMs: 5000,
  })
  t.ok(existsSync(join(projectRoot, 'package.json')))
})

t.test('settings take the place of defaults', async (t) => {
  const env = {
    ASSENT_HOST: '0.0.0.0',
    ASSENT_PORT: '8080',
    ASSENT_PUBLIC_URL: 'https://assent.example.org/',
    ASSENT_TRUST_PROXY: '10.0.0.0/8, loopback',
    DATABASE_URL: 'postgres://app@db/assent',
    ASSENT_OIDC_ISSUER: 'https://login.example.org/tenant/ https://other.example.org',
    ASSENT_OIDC_AUDIENCE: 'assent',
    ASSENT_DATA_DIR: '/var/lib/assent',
    PATH: '/bin',
    ASSENT_URL: 'http://localhost:3000',
  }
  t.match(readConfig(env), {
    port: 8080,
    publicUrl: 'https://assent.example.org',
    trustProxy: ['10.0.0.0/8', 'loopback'],
    databaseOwnerUrl: 'postgres://app@db/assent',
    oidc: { issuers: ['https://login.example.org/tenant/', 'https://other.example.org'], audience: 'assent' },
    evidenceDir: '/var/lib/assent/evidence',
    clamav: undefined,
  })
  const clamavOf = (ASSENT_CLAMAV: string) => readConfig({ ASSENT_CLAMAV }).clamav
  t.same(clamavOf('clamav.internal:3310'), { host: 'clamav.internal', port: 3310 })
  t.same(clamavOf('[::1]:3310'), { host: '::1', port: 3310 })
  t.same(clamavOf('/run/clamav/clamd.ctl'), { path: '/run/clamav/clamd.ctl' })
  const owner = { ...env, ASSENT_DATABASE_OWNER_URL: 'postgresql://owner@db/assent' }
  t.equal(readConfig(owner).databaseOwnerUrl, 'postgresql://owner@db/assent')
})

t.test('everything that is wrong is said at once, one sentence each', async (t) => {
  const wrong = refused(t, {
    ASSENT_PORT: '70000',
    ASSENT_LOG_LEVEL: 'loud',
    ASSENT_CURSOR_SECRET: 'short',
    ASSENT_POOL_SIZE: '2.5',
    ASSENT_TRUST_PROXY: 'true',
    ASSENT_CLAMAV: 'localhost',
    ASSENT_ALLOW_PLAIN_HTTP: 'yes',
    DATABASE_URL: 'mysql://x',
    ASSENT_PUBLIC_URL: 'ftp://x',
    ASSENT_DATA_DIR: ' ',
    ASSENT_DATADIR: '/x',
  })
  t.same(wrong.sort(), [
    'ASSENT_ALLOW_PLAIN_HTTP must be true or false',
    'ASSENT_CLAMAV must be host:port, or the path of a socket such as /run/clamav/clamd.ctl',
    'ASSENT_CURSOR_SECRET must have at least 32 characters',
    'ASSENT_DATADIR is not a setting; correct its spelling or remove it',
    'ASSENT_DATA_DIR is empty; give it a value or remove it',
    'ASSENT_LOG_LEVEL must be a level such as info or warn',
    'ASSENT_POOL_SIZE must be a whole number',
    'ASSENT_PORT must be at most 65535',
    'ASSENT_PUBLIC_URL must be a URL that begins with https://',
    'ASSENT_TRUST_PROXY must name addresses or networks such as 10.0.0.0/8, or loopback, linklocal, uniquelocal',
    'DATABASE_URL must begin with postgres:// or postgresql://',
  ])
  t.throws(() => readConfig({ ASSENT_PORT: '', ASSENT_HOST: '' }), {
    message:
      'ASSENT_PORT is empty; give it a value or remove it\nASSENT_HOST is empty; give it a value or remove it',
  })
})

t.test('settings that need each other come together', async (t) => {
  const issuer = 'https://login.example.org'
  t.match(refused(t, { ASSENT_OIDC_ISSUER: issuer }), [/^ASSENT_OIDC_AUDIENCE is missing/])
  t.match(refused(t, { ASSENT_OIDC_AUDIENCE: 'x' }), [/^ASSENT_OIDC_ISSUER is missing/])
  t.match(refused(t, { ASSENT_DATABASE_OWNER_URL: 'postgres://x' }), [/^DATABASE_URL is missing/])
})

t.test('evidence lies in a folder, or in a bucket that is named with all that reaches it', async (t) => {
  t.equal(readConfig({}).s3, undefined)
  const usual = { endpoint: undefined, region: undefined, pathStyle: false, acceptUnlocked: false }
  const s3Of = (env: Record<string, string>) => readConfig(env).s3
  t.same(s3Of({ ASSENT_EVIDENCE_STORE: 's3://our-evidence' }), {
    bucket: 'our-evidence',
    prefix: '',
    ...usual,
  })
  const env = {
    ASSENT_EVIDENCE_STORE: 's3://our.evidence/of/assent/',
    ASSENT_S3_ENDPOINT: 'https://s3.internal:9000',
    ASSENT_S3_REGION: 'eu-central-1',
    ASSENT_S3_ALLOW_UNLOCKED: 'true',
  }
  const reached = { endpoint: 'https://s3.internal:9000', region: 'eu-central-1', pathStyle: true }
  t.same(s3Of(env), { bucket: 'our.evidence', prefix: 'of/assent/', ...reached, acceptUnlocked: true })
  t.match(s3Of({ ...env, ASSENT_S3_PATH_STYLE: 'false' }), { pathStyle: false })
  for (const ASSENT_EVIDENCE_STORE of [
    'our-evidence',
    's3://',
    's3://Ours',
    's3://ours/a b',
    'https://ours',
  ]) {
    t.match(refused(t, { ASSENT_EVIDENCE_STORE }), [/must be s3:\/\/bucket or/], ASSENT_EVIDENCE_STORE)
  }
  t.match(refused(t, { ...env, ASSENT_S3_ENDPOINT: 'http://s3.internal' }), [
    /ENDPOINT must begin with https/,
  ])
  for (const name of ['ENDPOINT', 'REGION', 'PATH_STYLE', 'ALLOW_UNLOCKED']) {
    const value = name === 'ENDPOINT' ? 'https://s3.internal' : 'true'
    t.match(refused(t, { [`ASSENT_S3_${name}`]: value }), [/^ASSENT_EVIDENCE_STORE is missing/], name)
  }
})

t.test('tokens are taken only from an issuer that cannot be impersonated on the way', async (t) => {
  const from = (issuer: string) => ({ ASSENT_OIDC_ISSUER: issuer, ASSENT_OIDC_AUDIENCE: 'assent' })
  t.match(refused(t, from('http://login.example.org')), [/must begin with https/])
  for (const issuer of ['http://127.0.0.1:4000', 'http://[::1]:4000', 'http://localhost:4000/demo']) {
    t.same(readConfig(from(issuer)).oidc.issuers, [issuer])
  }
})

t.test('the network is served only behind TLS, or when somebody says so', async (t) => {
  for (const host of ['127.0.0.1', '127.0.0.2', '::1', 'localhost']) {
    t.equal(readConfig({ ASSENT_HOST: host }).host, host)
  }
  const tls = { ASSENT_PUBLIC_URL: 'https://assent.example.org', ASSENT_TRUST_PROXY: 'loopback' }
  const { ASSENT_PUBLIC_URL, ASSENT_TRUST_PROXY } = tls
  for (const host of ['0.0.0.0', '::', '192.0.2.7', 'assent.internal', '127.evil.example.org']) {
    const open = { ASSENT_HOST: host }
    const parts: Record<string, string>[] = [
      {},
      { ASSENT_PUBLIC_URL },
      { ASSENT_TRUST_PROXY },
      { ...tls, ASSENT_PUBLIC_URL: 'http://x.org' },
    ]
    for (const part of parts) {
      t.match(refused(t, { ...open, ...part }), [/^ASSENT_HOST serves the network without TLS/])
    }
    t.equal(readConfig({ ...open, ...tls }).host, host)
    t.equal(readConfig({ ...open, ASSENT_ALLOW_PLAIN_HTTP: 'true' }).allowInsecureNetwork, true)
  }
})

t.test('mail needs a server, a sender, and an address that it can link to', async (t) => {
  const env = {
    ASSENT_SMTP_URL: 'smtps://me:secret@mail.example:465',
    ASSENT_MAIL_FROM: 'Assent <assent@example.com>',
    ASSENT_PUBLIC_URL: 'https://assent.example/',
  }
  t.equal(readConfig({}).mail, undefined)
  t.same(readConfig(env).mail, {
    url: 'smtps://me:secret@mail.example:465',
    from: 'Assent <assent@example.com>',
    publicUrl: 'https://assent.example',
  })
  t.match(refused(t, { ASSENT_SMTP_URL: env.ASSENT_SMTP_URL }), [
    /^ASSENT_MAIL_FROM is/,
    /^ASSENT_PUBLIC_URL is/,
  ])
  t.match(refused(t, { ASSENT_MAIL_FROM: env.ASSENT_MAIL_FROM }), [/^ASSENT_SMTP_URL is missing/])
  t.match(refused(t, { ...env, ASSENT_SMTP_URL: 'https://mail.example' }), [/begins with smtp:/])
  t.match(refused(t, { ...env, ASSENT_MAIL_FROM: 'a@b.example\r\nBcc: c@d.example' }), [/must be an address/])
})
