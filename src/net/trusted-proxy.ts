import { isIP } from 'node:net'

/** Whether this names an address, a network such as 10.0.0.0/8, or one of the three that have a name. */
export function isProxy(value: string): boolean {
  const [address = '', bits] = value.split('/')
  const family = isIP(address)
  if (bits === undefined) return family !== 0 || ['loopback', 'linklocal', 'uniquelocal'].includes(value)
  return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}
