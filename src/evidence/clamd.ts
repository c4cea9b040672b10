import { once } from 'node:events'
import { createConnection, type NetConnectOpts, type Socket } from 'node:net'
import type { ClamdAddress } from '../net/clamd-address.js'

/** What the scanner found, in its words; null for nothing. */
export type Finding = string | null

/** Looks through bytes. @throws Error unless it looked through all of them */
export type Scan = (bytes: AsyncIterable<Uint8Array>) => Promise<Finding>

interface Patience {
  /** For the daemon to take more bytes, or to answer after the last one. */
  idleMs: number
}

const ANSWER_LIMIT = 4096

/** What ClamAV finds in a file that went beyond its limits, with `AlertExceedsMax`: it did not look through all of it. */
const LIMITS = 'Heuristics.Limits.Exceeded'

/** Asks a ClamAV daemon by INSTREAM (clamd(8)): each chunk after its length in four bytes, and a length of 0 at last. */
export function clamdScan(address: ClamdAddress, { idleMs }: Patience = { idleMs: 120_000 }): Scan {
  return async (bytes) => {
    const socket = createConnection(address as NetConnectOpts)
    socket.setTimeout(idleMs, () => socket.destroy(new Error('the scanner did not answer in time')))
    const answered = answerOf(socket)
    answered.catch(() => {})
    const sent = send(socket, bytes).then(() => 'sent' as const)
    try {
      const first = await Promise.race([sent, answered])
      const finding = findingOf(await answered)
      if (finding === null && first !== 'sent')
        throw new Error('the scanner answered before it had all of it')
      return finding
    } finally {
      socket.destroy()
    }
  }
}

async function send(socket: Socket, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await once(socket, 'connect')
  socket.write('zINSTREAM\0')
  for await (const chunk of bytes) {
    if (chunk.length === 0) continue
    socket.write(lengthOf(chunk.length))
    if (!socket.write(chunk)) await once(socket, 'drain')
  }
  socket.write(lengthOf(0))
}

function lengthOf(size: number): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(size)
  return length
}

/** What comes until the NUL. A connection that ends before it has said nothing. */
async function answerOf(socket: Socket): Promise<string> {
  let answer = ''
  for await (const chunk of socket) {
    answer += chunk.toString('latin1')
    const end = answer.indexOf('\0')
    if (end >= 0) return answer.slice(0, end)
    if (answer.length > ANSWER_LIMIT) throw new Error('the scanner answered at too great a length')
  }
  throw new Error('the scanner ended the connection without an answer')
}

function findingOf(answer: string): Finding {
  if (answer === 'stream: OK') return null
  const [, name] = /^stream: (\S.{0,298}) FOUND$/.exec(answer) ?? []
  if (name && !name.startsWith(LIMITS)) return name.replace(/[^ -~]/g, '?')
  throw new Error(`the scanner did not look through it: ${JSON.stringify(answer.slice(0, 200))}`)
}
