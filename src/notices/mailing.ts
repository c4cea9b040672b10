import { setTimeout as wait } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import type { Config } from '../config.js'
import { keyOf } from '../use-cases/use-case.js'
import type { Ending } from './delivery.js'
import type { ForPerson } from './delivery-store.js'
import { type MailText, writeMail } from './mail.js'
import { membersOf, readLeaf } from './payload.js'

type MailConfig = NonNullable<Config['mail']>

export interface Mailer {
  /** Answers how it ended, and never throws. */
  send(delivery: ForPerson): Promise<Ending>
  close(): void
}

const ANSWER_MS = 5000
const SILENCE_MS = 10_000
const WHOLE_MS = 30_000

/**
 * Mail by SMTP: encrypted, unless the server is this machine. One connection a mail, for there are few, and each has
 * an end: what takes longer than half a minute counts as not sent.
 */
export function openMailer({ url, from, publicUrl }: MailConfig): Mailer {
  const isLocal = /^(localhost|127\.|\[::1\])/.test(new URL(url).hostname)
  const transport = createTransport({
    url,
    ...{ connectionTimeout: ANSWER_MS, greetingTimeout: ANSWER_MS, dnsTimeout: ANSWER_MS },
    ...{ socketTimeout: SILENCE_MS, requireTLS: !isLocal, opportunisticTLS: isLocal },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  })
  const host = new URL(publicUrl).hostname
  return {
    async send(delivery) {
      const message = {
        from,
        // As an object it is one address, whatever its text looks like.
        to: { name: '', address: delivery.email },
        // The same each time it is sent: who gets it twice sees it once.
        messageId: `<${delivery.id}@${host}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        ...writeFor(delivery, publicUrl),
      }
      return await endingOf(transport.sendMail(message))
    },
    close: () => transport.close(),
  }
}

function writeFor({ leaf: bytes, number, title }: ForPerson, publicUrl: string): MailText {
  const leaf = readLeaf(bytes)
  const of = {
    key: number === null ? '' : keyOf(Number(number)),
    title: title ?? '',
    data: membersOf(leaf),
    aggregateId: leaf.aggregate.id,
  }
  return writeMail(leaf.type, of, publicUrl)
}

async function endingOf(sending: Promise<unknown>): Promise<Ending> {
  const giveUp = new AbortController()
  const late = wait(WHOLE_MS, undefined, { signal: giveUp.signal, ref: false }).then(() => {
    throw Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' })
  })
  try {
    await Promise.race([sending, late])
    return { status: 250, problem: null }
  } catch (error) {
    return problemOf(error as Failure)
  } finally {
    giveUp.abort()
    late.catch(() => {})
    sending.catch(() => {})
  }
}

interface Failure {
  code?: string
  responseCode?: number
}

const problems: Record<string, string> = {
  ETIMEDOUT: 'timed_out',
  EAUTH: 'sign_in_refused',
  ETLS: 'certificate_refused',
  EDNS: 'name_not_found',
  EENVELOPE: 'refused',
  EMESSAGE: 'refused',
}

/** A status is about this mail only if the server had taken us in: what is wrong with the sign-in can be put right. */
function problemOf({ code = '', responseCode }: Failure): Ending {
  const problem = problems[code] ?? 'connection_failed'
  return { status: problem === 'refused' ? (responseCode ?? null) : null, problem }
}
