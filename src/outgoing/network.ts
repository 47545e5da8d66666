import type { LookupAddress } from 'node:dns'
import { connect as connectTcp, type TcpNetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { nameResolver } from './resolve.ts'

/** How this machine reaches others; tests put their own resolver and routes in. */
export interface Network {
  /** Every address of a host name. @throws Error when it has none */
  resolve(hostname: string): Promise<readonly LookupAddress[]>
  /** Opens a connection to an address that was checked; it says `connect`, or with TLS `secureConnect`, when it is open. */
  dial(options: TcpNetConnectOpts & ConnectionOptions, isTls: boolean): Duplex
}

/** The network as this machine sees it. */
export const systemNetwork: Network = {
  resolve: nameResolver(),
  dial: (options, isTls) => (isTls ? connectTls(options) : connectTcp(options)),
}
