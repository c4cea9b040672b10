import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { callersFolder, projectRoot, readConfigWith } from '../config.js'
import { freeDirectory } from '../db/embedded-directory.js'
import { RegistryError } from '../errors.js'
import { type Server, startServer } from '../server.js'
import type { IssuedToken } from '../tokens/token.js'
import { people } from './demo/cast.js'
import { type DemoIssuer, startIssuer } from './demo/issuer.js'
import { setStage } from './demo/stage.js'
import { tellStory } from './demo/story.js'
import { Telling } from './demo/telling.js'
import { toldToStop } from './serve.js'

const SAMPLE = join(projectRoot, 'src/cli/demo/portfolio.csv')

/**
 * `assent demo [register]`: an Assent of its own with people in it, a story told over HTTP, and a service left running
 * to look around in. Each demo starts anew; it never touches the data of `assent serve`.
 */
export async function run([file]: string[]): Promise<number> {
  const register = file === undefined ? SAMPLE : resolve(callersFolder(), file)
  if (!statSync(register, { throwIfNoEntry: false })?.isFile())
    throw new RegistryError('invalid', `there is no file ${register}; name a register to import`)
  const issuer = await startIssuer(people.map(({ subject }) => subject))
  try {
    await play(issuer, register)
  } finally {
    await issuer.close()
  }
  return 0
}

async function play(issuer: DemoIssuer, register: string): Promise<void> {
  const { server, folder } = await startDemo(issuer)
  try {
    console.log(`Assent runs at ${server.url} with an empty register.`)
    const administratorToken = await signInFirst(server, folder)
    const stage = await setStage({ url: server.url, administratorToken, issuer })
    await tellStory(stage, new Telling(), { register, folder })
    console.log(farewell(server, issuer, folder))
    await toldToStop()
  } finally {
    await server.stop()
  }
}

/** What the settings say of the data of `assent serve` does not hold for a demo, whose files wait for no scanner. */
const nobodyElses = {
  DATABASE_URL: undefined,
  ASSENT_DATABASE_OWNER_URL: undefined,
  ASSENT_EVIDENCE_DIR: undefined,
  ASSENT_EVIDENCE_STORE: undefined,
  ASSENT_S3_ENDPOINT: undefined,
  ASSENT_S3_REGION: undefined,
  ASSENT_S3_PATH_STYLE: undefined,
  ASSENT_S3_ALLOW_UNLOCKED: undefined,
  ASSENT_CLAMAV: undefined,
}

/** @throws RegistryError `unavailable` while another demo uses the folder, which then keeps all it holds */
async function startDemo(issuer: DemoIssuer): Promise<{ server: Server; folder: string }> {
  const settings = {
    ASSENT_OIDC_ISSUER: issuer.url,
    ASSENT_OIDC_AUDIENCE: issuer.audience,
    ASSENT_LOG_LEVEL: 'warn',
  }
  const folder = join(readConfigWith(settings).dataDir, 'demo')
  const config = readConfigWith({ ...settings, ...nobodyElses, ASSENT_DATA_DIR: folder })
  await freeDirectory(join(folder, 'postgres'))
  rmSync(folder, { recursive: true, force: true })
  return { server: await startServer(config), folder }
}

/** The administrator's token stays in a file that only this user reads. */
async function signInFirst({ url, firstSignIn }: Server, folder: string): Promise<string> {
  const response = await fetch(`${url}/v1/first-sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: firstSignIn, name: 'Administrator' }),
  })
  const { secret } = (await response.json()) as IssuedToken
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'administrator.token'), secret, { mode: 0o600 })
  return secret
}

function farewell({ url }: Server, issuer: DemoIssuer, folder: string): string {
  const names = people.map(({ subject, name }) => `    ${subject.padEnd(24)} ${name}`)
  return `
The service keeps running; Ctrl-C ends it.

  API document     ${url}/docs
  Administrator    TOKEN=$(cat ${join(folder, 'administrator.token')})
  Anybody else     TOKEN=$(curl -s '${issuer.url}/token?as=auditor')     with one of

${names.join('\n')}

  Then             curl -s ${url}/v1/me -H "Authorization: Bearer $TOKEN"
  or               curl -s '${url}/v1/evidence?verdict=none' -H "Authorization: Bearer $TOKEN"
  or               curl -s '${url}/v1/use-cases?standing=blocked' -H "Authorization: Bearer $TOKEN"`
}
