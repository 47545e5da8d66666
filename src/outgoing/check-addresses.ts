import { isIP } from 'node:net'
import type { GuardConfig } from '../config/delivery.ts'
import { isPublicAddress, networks } from './addresses.ts'
import { before, type Deadline } from './deadline.ts'
import type { Network } from './network.ts'
import { codeOf, Stopped } from './stopped.ts'

const mostAddresses = 20

/**
 * The addresses of a host, all of which a call may go to (contract §3.7, SSRF guard). The name is resolved once: what is given
 * here is dialled, so an answer that changes afterwards changes nothing.
 * @throws Stopped
 */
export async function checkedAddresses(
  network: Network,
  guard: GuardConfig,
  hostname: string,
  deadline: Deadline,
): Promise<readonly string[]> {
  const addresses = isIP(hostname) === 0 ? await resolved(network, hostname, deadline) : [hostname]
  if (addresses.length === 0) throw new Stopped('refused', `${hostname} has no address.`)
  if (addresses.length > mostAddresses) {
    throw new Stopped('refused', `${hostname} has more than ${mostAddresses} addresses.`)
  }
  // Something else would be resolved again when it is dialled.
  if (addresses.some((address) => isIP(address) === 0)) {
    throw new Stopped('refused', `${hostname} has an address that cannot be read.`)
  }
  const forbidden = addresses.find(forbiddenBy(guard, hostname))
  if (forbidden !== undefined) {
    const subject = forbidden === hostname ? forbidden : `${forbidden} of ${hostname}`
    throw new Stopped('refused', `The address ${subject} is not allowed.`)
  }
  return addresses
}

async function resolved(network: Network, hostname: string, deadline: Deadline): Promise<readonly string[]> {
  try {
    const found = await before(deadline, network.resolve(hostname))
    return found.map(({ address }) => address)
  } catch (error) {
    throw new Stopped('failed', `${hostname} could not be resolved: ${codeOf(error)}.`)
  }
}

function forbiddenBy(guard: GuardConfig, hostname: string): (address: string) => boolean {
  if (guard.mode === 'disabled') return () => false
  const isNetwork = (entry: string) => isIP(entry.split('/')[0] ?? '') !== 0
  const names = guard.allow.filter((entry) => !isNetwork(entry)).map(withoutDot)
  if (names.includes(withoutDot(hostname))) return () => false
  const isAllowed = networks(guard.allow.filter(isNetwork))
  return (address) => !isPublicAddress(address) && !isAllowed(address)
}

/** `host.example.` is `host.example`. */
export function withoutDot(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
