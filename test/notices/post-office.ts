// A real SMTP server on loopback that keeps what it was given, and refuses, dawdles or breaks off when it is told to.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Test } from 'tap'

export interface Mail {
  from: string
  to: string[]
  raw: string
}

type Mood = 'fine' | 'refuses' | 'busy' | 'drops'

export interface PostOffice {
  url: string
  mails: Mail[]
  mood: Mood
  /** Addresses of whom it has mail, sorted. */
  receivers(): string[]
}

export async function startPostOffice(t: Test): Promise<PostOffice> {
  const mails: Mail[] = []
  const office: PostOffice = {
    ...{ url: '', mails, mood: 'fine' },
    receivers: () => mails.flatMap(({ to }) => to).sort(),
  }
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onRcptTo: (_address, session, done) => {
      void session
      const codes: Partial<Record<Mood, number>> = { refuses: 550, busy: 451 }
      const responseCode = codes[office.mood]
      done(responseCode ? Object.assign(new Error('not now'), { responseCode }) : null)
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const mail = {
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString(),
        }
        if (office.mood === 'drops') {
          done(Object.assign(new Error('broken off'), { responseCode: 421 }))
        } else {
          mails.push(mail)
          done()
        }
      })
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  t.teardown(() => void server.close())
  office.url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`
  return office
}

/** Takes connections, and either says nothing or ends them. */
export async function startBrokenOffice(t: Test, mood: 'silent' | 'drops'): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (mood === 'drops') socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`
}
