// A ClamAV daemon as the protocol sees it: it reads INSTREAM chunk by chunk, and answers what a test wants.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** The test file of the EICAR, put together here so that no scanner takes this source for it. */
export const eicar = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}', '$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** How a scanner goes wrong. */
const wrong = {
  dies: 'after the first bytes',
  hangs: 'without an answer',
  garbage: 'stream: maybe\0',
  endless: 'x'.repeat(100_000),
  'too large': 'INSTREAM size limit exceeded. ERROR\0',
  'beyond its limits': 'stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0',
  'too early': 'stream: OK\0',
  'silent end': 'stream: OK',
}
export type Wrong = keyof typeof wrong
export const manners = Object.keys(wrong) as Wrong[]

export async function startClamd(t: Test, path?: string) {
  const state = { manner: 'honest' as 'honest' | Wrong, seen: [] as Buffer[], sessions: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    state.sessions += 1
    socket.on('error', () => {})
    serve(socket, state).catch(() => socket.destroy())
  })
  server.listen(path ?? { port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port = 0 } = Object(server.address())
  return { state, port, address: path === undefined ? { host: '127.0.0.1', port } : { path } }
}

async function serve(socket: Socket, state: { manner: 'honest' | Wrong; seen: Buffer[] }): Promise<void> {
  const read = reader(socket)
  const command = (await read(10)).toString('latin1')
  if (command !== 'zINSTREAM\0') return void socket.end('UNKNOWN COMMAND\0')
  const parts: Buffer[] = []
  for (;;) {
    const length = (await read(4)).readUInt32BE()
    if (length === 0) break
    parts.push(await read(length))
    if (state.manner === 'dies') return void socket.resetAndDestroy()
    if (state.manner === 'too large' || state.manner === 'too early')
      return void socket.end(wrong[state.manner])
  }
  const bytes = Buffer.concat(parts)
  state.seen.push(bytes)
  if (state.manner === 'hangs') return
  if (state.manner === 'endless') return void socket.write(wrong.endless)
  if (state.manner !== 'honest') return void socket.end(wrong[state.manner])
  socket.end(bytes.includes(eicar) ? 'stream: Win.Test.EICAR_HDB-1 FOUND\0' : 'stream: OK\0')
}

/** Exactly so many bytes at a time, however they arrive. */
function reader(socket: Socket) {
  const chunks = socket[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  return async (size: number): Promise<Buffer> => {
    while (held.length < size) {
      const { done, value } = await chunks.next()
      if (done) throw new Error('the client ended')
      held = Buffer.concat([held, value])
    }
    const taken = held.subarray(0, size)
    held = held.subarray(size)
    return taken
  }
}
