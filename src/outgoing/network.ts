import type { LookupAddress } from 'node:dns'
import type { TcpNetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'

/** How this machine reaches others; tests put their own resolver and routes in. */
export interface Network {
  /** Every address of a host name. @throws Error when it has none */
  resolve(hostname: string): Promise<readonly LookupAddress[]>
  /** Opens a connection to an address that was checked. */
  dial(options: TcpNetConnectOpts & ConnectionOptions, isTls: boolean): Duplex
}
