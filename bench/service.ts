// The service that is measured, in a process of its own. Its settings come in the environment, as in production.
import { readConfig } from '../src/config.js'
import { startServer } from '../src/server.js'
import type { Ready } from './children.js'

const server = await startServer(readConfig())
process.once('disconnect', () => void server.stop().then(() => process.exit(0)))
process.send?.({ origin: server.url, firstSignIn: server.firstSignIn } satisfies Ready)
