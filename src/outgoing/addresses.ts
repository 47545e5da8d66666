import { BlockList, isIP } from 'node:net'

/**
 * Whether an address is one of the public Internet. Whatever else it is, also what is no address at all, is not: of IPv6 only
 * global unicast is let through, of both families nothing that the IANA special-purpose registries list.
 */
export function isPublicAddress(address: string): boolean {
  // A zone names a link of this machine.
  return !address.includes('%') && isUnicast(address) && !isSpecial(address)
}

/**
 * A check for the addresses in these networks (`10.0.0.0/8`, `::1`). An IPv4-mapped address is looked up as the IPv4 address it
 * reaches, so `::/0` holds no IPv4; what is no address is in no network.
 */
export function networks(entries: readonly string[]): (address: string) => boolean {
  const [ipv4, ipv6] = [new BlockList(), new BlockList()]
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/')
    const isIPv4 = isIP(address) === 4
    const bits = Number(prefix ?? (isIPv4 ? 32 : 128))
    if (isIPv4) ipv4.addSubnet(address, bits, 'ipv4')
    else ipv6.addSubnet(address, bits, 'ipv6')
  }
  return (address) => {
    const family = isIP(address)
    if (family === 4) return ipv4.check(address, 'ipv4')
    return family === 6 && (mapped.check(address, 'ipv6') ? ipv4 : ipv6).check(address, 'ipv6')
  }
}

const mapped = new BlockList()
mapped.addSubnet('::ffff:0:0', 96, 'ipv6')

const isUnicast = networks(['0.0.0.0/0', '2000::/3'])

// https://www.iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry (within 2000::/3), and what is not
// in them but reaches this machine's neighbours all the same.
const isSpecial = networks([
  '0.0.0.0/8', // this network (RFC 791 §3.2)
  '10.0.0.0/8', // private use (RFC 1918)
  '100.64.0.0/10', // carrier-grade NAT (RFC 6598)
  '127.0.0.0/8', // loopback (RFC 1122 §3.2.1.3)
  '168.63.129.16', // the host below a virtual machine of Azure
  '169.254.0.0/16', // link local (RFC 3927), metadata services
  '172.16.0.0/12', // private use (RFC 1918)
  '192.0.0.0/24', // IETF protocol assignments (RFC 6890)
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.31.196.0/24', // AS112 (RFC 7535)
  '192.52.193.0/24', // automatic multicast tunnels (RFC 7450)
  '192.88.99.0/24', // 6to4 relays, deprecated (RFC 7526)
  '192.168.0.0/16', // private use (RFC 1918)
  '192.175.48.0/24', // AS112 (RFC 7534)
  '198.18.0.0/15', // benchmarking (RFC 2544)
  '198.51.100.0/24', // documentation (RFC 5737)
  '203.0.113.0/24', // documentation (RFC 5737)
  '224.0.0.0/4', // multicast (RFC 5771)
  '240.0.0.0/4', // reserved (RFC 1112 §4), limited broadcast
  '2001::/23', // IETF protocol assignments: Teredo (RFC 4380), benchmarking, ORCHID, …
  '2001:db8::/32', // documentation (RFC 3849)
  '2002::/16', // 6to4 (RFC 3056)
  '2620:4f:8000::/48', // AS112 (RFC 7534)
  '3ffe::/16', // 6bone, returned (RFC 3701)
  '3fff::/20', // documentation (RFC 9637)
])
