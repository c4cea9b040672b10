import { z } from 'zod'

/** Where a ClamAV daemon listens: `host:port`, `[::1]:3310`, or the absolute path of a socket. */
export const ClamdAddress = z
  .string()
  .transform((value, ctx): { host: string; port: number } | { path: string } => {
    if (value.startsWith('/')) return { path: value }
    const [, host, port] = /^([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(value) ?? []
    if (host && Number(port) > 0 && Number(port) < 65_536) {
      return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
    }
    ctx.addIssue('must be host:port, or the path of a socket such as /run/clamav/clamd.ctl')
    return z.NEVER
  })
export type ClamdAddress = z.output<typeof ClamdAddress>
