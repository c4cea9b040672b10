import { createServer } from './http/server.js'
import type { App, HttpDeps } from './http/types.js'

export interface AppDeps extends HttpDeps {}

/** The whole service, ready to listen or to be asked in a test. */
export async function buildApp(deps: AppDeps): Promise<App> {
  const app = await createServer(deps)
  return app
}
