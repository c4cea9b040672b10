import { isIP } from 'node:net'
import { z } from 'zod'
import { isProxy } from './net/trusted-proxy.js'

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))

export const flag = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true')

export const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/./, 'must begin with postgres:// or postgresql://')

export const secret = z.string().min(32, 'must have at least 32 characters')

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL that begins with https://' })
  .transform((value) => value.replace(/\/$/, ''))

/** What is compared character by character, as an issuer's name is, stays exactly as written. */
export const safeUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL that begins with https://' })
  .refine(isSafe, 'must begin with https://, unless it is on this machine')

export const smtpUrl = z.url({
  protocol: /^smtps?$/,
  error: 'must be a URL that begins with smtp:// or smtps://',
})

export const mailAddress = z
  .string()
  .regex(/^[^\r\n]*@[^\r\n@]+$/, 'must be an address such as "Assent <assent@example.com>"')

export const proxies = list(
  z
    .string()
    .refine(
      isProxy,
      'must name addresses or networks such as 10.0.0.0/8, or loopback, linklocal, uniquelocal',
    ),
)

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function isSafe(value: string): boolean {
  const { protocol, hostname } = new URL(value)
  return protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
}

export function list<T extends z.ZodType<string, string>>(element: T) {
  return z
    .string()
    .transform((value) => value.split(/[\s,]+/).filter((part) => part !== ''))
    .pipe(z.array(element))
}
