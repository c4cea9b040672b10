// A receiver of outgoing calls on loopback, with TLS and a certificate of its own.
import { once } from 'node:events'
import { createServer as createPlain, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Address } from '../../src/net/outgoing.js'
import { certificateFor } from './certificate.js'

export const NAME = 'hooks.example'
const certificate = certificateFor(NAME)

export interface Call {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export type Behaviour = (response: ServerResponse, call: Call) => void

export interface Receiver {
  /** Reached by its name, if that is resolved to loopback. */
  url: string
  port: number
  /** What to trust. */
  ca: string
  calls: Call[]
  /** How it answers from now on. */
  behave(behaviour: Behaviour): void
  /** Resolves once so many calls came in. */
  called(times: number): Promise<void>
}

export async function startReceiver(t: Test, { tls = true } = {}): Promise<Receiver> {
  const calls: Call[] = []
  let behaviour: Behaviour = (response) => response.writeHead(204).end()
  let heard = () => {}
  const server = tls ? createServer(certificate) : createPlain()
  server.on('request', async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const call = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    }
    calls.push(call)
    behaviour(response, call)
    heard()
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = tls ? `https://${NAME}:${port}/hooks` : `http://127.0.0.1:${port}/hooks`
  return {
    ...{ url, port, calls, ca: certificate.cert },
    behave: (wanted) => {
      behaviour = wanted
    },
    called: async (times) => {
      while (calls.length < times) {
        await new Promise<void>((resolve) => {
          heard = resolve
        })
      }
    },
  }
}

/** Every name is this machine. */
export const toLoopback = async (): Promise<Address[]> => [{ address: '127.0.0.1', family: 4 }]
