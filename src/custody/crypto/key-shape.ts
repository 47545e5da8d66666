import { refuse } from './refuse.ts'
import type { KeyShape } from './key-material.ts'

const aesSizes = [128, 192, 256]

/** Contract fortanix §6. @throws AppError CRYPTO_INPUT_INVALID for a size or a curve that no key of this kind has */
export function requireShape({ kind, sizeBits, curve }: KeyShape): void {
  if (kind === 'EC') {
    if (curve === null) refuse('elliptic_curve is needed.')
    return
  }
  if (curve !== null) refuse('elliptic_curve is for keys of obj_type EC.')
  if (sizeBits === null) refuse('key_size is needed.')
  switch (kind) {
    case 'AES':
      if (!aesSizes.includes(sizeBits)) refuse('key_size of AES must be 128, 192 or 256 bits.')
      return
    case 'HMAC':
      return requireWholeBytes(kind, sizeBits, 112)
    case 'RSA':
      return requireWholeBytes(kind, sizeBits, 2048)
  }
}

const mostBits = 8192

function requireWholeBytes(kind: string, sizeBits: number, leastBits: number): void {
  if (sizeBits >= leastBits && sizeBits <= mostBits && sizeBits % 8 === 0) return
  refuse(`key_size of ${kind} must be from ${leastBits} to ${mostBits} bits, in steps of 8.`)
}
