import { hash } from 'node:crypto'

/** The hashes that signatures and codes are made with, by the names that callers use. */
export const hashNames = ['SHA256', 'SHA384', 'SHA512'] as const
export type HashName = (typeof hashNames)[number]

/** In bytes. */
export const hashLengths: Readonly<Record<HashName, number>> = { SHA256: 32, SHA384: 48, SHA512: 64 }

export function hashOf(name: HashName, data: Uint8Array): Buffer {
  return hash(name.toLowerCase(), data, 'buffer')
}
