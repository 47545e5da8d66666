import { once } from 'node:events'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { withoutDot } from './check-addresses.ts'
import type { Deadline } from './deadline.ts'
import type { Network } from './network.ts'
import type { PlannedCall } from './plan-call.ts'
import { codeOf, Stopped } from './stopped.ts'

/** Connects to the first of these addresses that answers; with TLS its certificate is for the name. @throws Stopped failed */
export async function connect(
  network: Network,
  call: PlannedCall,
  addresses: readonly string[],
  deadline: Deadline,
): Promise<Duplex> {
  let failure: unknown
  for (const [index, address] of addresses.entries()) {
    try {
      const socket = network.dial(dialled(call, address), call.isTls)
      return await opened(socket, call.isTls, addresses.length - index - 1, deadline)
    } catch (error) {
      failure = error
    }
  }
  throw new Stopped('failed', `${call.hostname} could not be reached: ${codeOf(failure)}.`)
}

function dialled({ hostname, port, isTls }: PlannedCall, address: string) {
  const tls = { ALPNProtocols: ['http/1.1'], rejectUnauthorized: true }
  // An address has no server name (RFC 6066 §3): the certificate is then compared with the host.
  const named = isIP(hostname) === 0 ? { servername: withoutDot(hostname) } : {}
  return { host: address, port, ...(isTls && { ...tls, ...named }) }
}

async function opened(socket: Duplex, isTls: boolean, addressesLeft: number, deadline: Deadline): Promise<Duplex> {
  // Once nobody waits for it any more, an error of the socket has nobody to tell, and would end the process.
  socket.on('error', () => {})
  // An address that swallows what is sent to it leaves time for those after it.
  const share = deadline.left() / (addressesLeft + 1)
  const timer = addressesLeft === 0 ? undefined : setTimeout(() => socket.destroy(timedOut), share)
  try {
    await once(socket, isTls ? 'secureConnect' : 'connect', { signal: deadline.signal })
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

const timedOut = Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })
