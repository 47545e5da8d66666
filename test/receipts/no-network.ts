import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

/** From here on this process reaches nobody: whatever would open a connection or ask for a name throws. */
export function cutNetwork(): void {
  const cut = (): never => {
    throw new Error('the network is off')
  }
  Object.assign(net.Socket.prototype, { connect: cut })
  Object.assign(net.Server.prototype, { listen: cut })
  Object.assign(dgram.Socket.prototype, { send: cut, bind: cut })
  for (const name of Object.keys(dns).filter((key) => /^(lookup|resolve|reverse)/.test(key)))
    Object.assign(dns, { [name]: cut })
  for (const name of Object.keys(dns.promises).filter((key) => /^(lookup|resolve|reverse)/.test(key))) {
    Object.assign(dns.promises, { [name]: cut })
  }
  syncBuiltinESMExports()
}
