import { isIP } from 'node:net'
import type { GuardConfig } from '../../src/config/delivery.ts'
import type { OutgoingCall } from '../../src/outgoing/call-out.ts'
import { systemNetwork, type Network } from '../../src/outgoing/network.ts'
import { certificate } from './certificate.ts'

/** A network of a test's own, which remembers what it was asked. */
export interface Roads extends Network {
  readonly asked: string[]
  readonly dialled: string[]
}

/** Addresses of a name; a function gives others each time it is asked. */
export type Names = Readonly<Record<string, readonly string[] | (() => readonly string[])>>

/**
 * Names resolve as told, and every address leads to 127.0.0.1 on the port dialled: a public address to a server of the test, and
 * a forbidden one, were it dialled, to where that shows.
 */
export function roads(names: Names): Roads {
  const asked: string[] = []
  const dialled: string[] = []
  return {
    asked,
    dialled,
    async resolve(hostname) {
      asked.push(hostname)
      const found = names[hostname]
      if (found === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
      return (typeof found === 'function' ? found() : found).map((address) => ({ address, family: isIP(address) }))
    },
    dial(options, isTls) {
      dialled.push(options.host ?? '')
      return systemNetwork.dial({ ...options, host: '127.0.0.1', ca: certificate }, isTls)
    },
  }
}

export const publicAddress = '93.184.215.14'

export const strict: GuardConfig = { mode: 'strict', allow: [] }

export function postTo(url: string, changes: Partial<OutgoingCall> = {}): OutgoingCall {
  return { url, method: 'POST', headers: {}, body: '{}', timeoutMilliseconds: 10_000, ...changes }
}
