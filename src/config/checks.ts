import { isIP } from 'node:net'
import { AppError } from '../errors.ts'

/** @throws AppError CONFIGURATION_INVALID naming the variable */
export function invalid(name: string, problem: string): never {
  throw new AppError('CONFIGURATION_INVALID', `${name} ${problem}.`, { field: name })
}

export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value)
  return found ?? invalid(name, `must be one of ${allowed.join(', ')}`)
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** An address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return bits > 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
}
