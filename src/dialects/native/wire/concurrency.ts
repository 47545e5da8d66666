import { asObject, refuse } from './read.ts'

const maxVersion = 2n ** 63n

/**
 * The version that a client has read, if it says (contract §2.9).
 * @throws AppError INVALID_CONCURRENCY_CONTROL unless it is a 64-bit integer as text
 */
export function parseConcurrencyControl(value: unknown): string | null {
  if (value === undefined || value === null) return null
  const { version } = asObject(value, 'INVALID_CONCURRENCY_CONTROL', 'concurrencyControl')
  const isInteger = typeof version === 'string' && /^-?\d{1,19}$/.test(version)
  if (!isInteger || BigInt(version) >= maxVersion || BigInt(version) < -maxVersion) {
    refuse('INVALID_CONCURRENCY_CONTROL', 'concurrencyControl.version')
  }
  return version
}
