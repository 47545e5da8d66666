import { hash } from 'node:crypto'

/** The hashes that signatures and codes are made with, by the names that callers use. */
export const hashNames = ['SHA256', 'SHA384', 'SHA512'] as const
export type HashName = (typeof hashNames)[number]

/** For the masks of RSA alone, which need no hash without collisions: the vendor's examples ask for the oldest. */
export const maskHashNames = ['SHA1', ...hashNames] as const
export type MaskHashName = (typeof maskHashNames)[number]

/** In bytes. */
export const hashLengths: Readonly<Record<MaskHashName, number>> = { SHA1: 20, SHA256: 32, SHA384: 48, SHA512: 64 }

export function hashOf(name: MaskHashName, data: Uint8Array): Buffer {
  return hash(name.toLowerCase(), data, 'buffer')
}
