import { readConfig } from '../config.js'
import { type Server, startServer } from '../server.js'

/** `assent serve`: runs until it is told to stop. */
export async function run(): Promise<number> {
  const server = await startServer(readConfig())
  console.log(welcome(server))
  await toldToStop()
  console.log('Stopping: requests under way are finished first.')
  await server.stop()
  return 0
}

export async function toldToStop(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

function welcome({ url, database, firstSignIn }: Server): string {
  const lines = [`Assent is ready at ${url}`, `  API document  ${url}/docs`, `  data          ${database}`]
  if (firstSignIn === undefined) return lines.join('\n')
  const body = JSON.stringify({ code: firstSignIn, name: 'Your name' })
  return [
    ...lines,
    '',
    'Nobody administers it yet. Sign in once as the first administrator, within the hour, and keep the token it gives:',
    '',
    `  curl -s ${url}/v1/first-sign-in -H 'content-type: application/json' -d '${body}'`,
  ].join('\n')
}
