import { BlockList, isIP } from 'node:net'

/** Where an address lies, as far as it matters to who may be called. */
export type Place = 'public' | 'loopback' | 'private' | 'forbidden'

type Range = [network: string, bits: number]

/** Reserved, multicast, link-local, where clouds tell their machines secrets, and forms that hide another address. */
const forbidden: Range[] = [
  ...([
    ['0.0.0.0', 8],
    ['169.254.0.0', 16],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
  ] as Range[]),
  ...([
    ['192.88.99.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
  ] as Range[]),
  ...([
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
    ['100.100.100.200', 32],
    ['168.63.129.16', 32],
  ] as Range[]),
  ...([
    ['fd00:ec2::', 32],
    ['fd20:ce::', 32],
    ['2001::', 23],
    ['2001:db8::', 32],
  ] as Range[]),
  ...([
    ['2002::', 16],
    ['3fff::', 20],
  ] as Range[]),
]
/** Other networks' own: RFC 1918, RFC 6598 (carriers), RFC 4193 (ULA). */
const privateUse: Range[] = [
  ...([
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
  ] as Range[]),
  ...([['fc00::', 7]] as Range[]),
]
const loopback: Range[] = [
  ['127.0.0.0', 8],
  ['::1', 128],
]
/** Global unicast: whatever IPv6 holds outside of it is translated, mapped, local, multicast or not assigned. */
const assigned: Range[] = [['2000::', 3]]

const isForbidden = matching(forbidden)
const isPrivate = matching(privateUse)
const isLoopback = matching(loopback)
const isAssigned = matching(assigned)

/** By the IANA registries of special-purpose addresses (RFC 6890). What is no address is forbidden. */
export function placeOf(address: string): Place {
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return 'forbidden'
  if (isMapped(address) || isForbidden(address)) return 'forbidden'
  if (isLoopback(address)) return 'loopback'
  if (isPrivate(address)) return 'private'
  return family === 4 || isAssigned(address) ? 'public' : 'forbidden'
}

/** `::ffff:10.0.0.1` and its kin would be judged as the IPv4 address they hold; nobody needs to write one. */
function isMapped(address: string): boolean {
  return isIP(address) === 6 && new URL(`http://[${address}]`).hostname.startsWith('[::ffff:')
}

function matching(ranges: Range[]): (address: string) => boolean {
  const list = new BlockList()
  for (const [network, bits] of ranges) list.addSubnet(network, bits, familyOf(network))
  return (address) => list.check(address, familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}
