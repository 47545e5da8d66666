import { generateKeyPair, randomBytes, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyMaterial, KeyShape } from './key-material.ts'
import { requireShape } from './key-shape.ts'

/**
 * Makes a key. Large RSA keys take seconds, on a thread of their own; only one is made at a time, so that whoever asks for
 * many of them takes one thread from the others and not all.
 * @throws AppError CRYPTO_INPUT_INVALID
 */
export async function generateKey(shape: KeyShape): Promise<KeyMaterial> {
  requireShape(shape)
  const { kind, sizeBits } = shape
  if (kind === 'RSA') {
    const modulusLength = sizeBits ?? 0
    return pairOf(shape, await inTurn(() => generatePair('rsa', { modulusLength, publicExponent: 65_537 })))
  }
  if (kind === 'EC') return pairOf({ ...shape, sizeBits: null }, await generatePair('ec', { namedCurve: 'P-256' }))
  return { ...shape, secret: randomBytes((sizeBits ?? 0) / 8), publicKey: null }
}

const generatePair = promisify(generateKeyPair)

let last: Promise<unknown> = Promise.resolve()

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = last.then(work)
  last = done.catch(() => undefined)
  return await done
}

function pairOf(shape: KeyShape, pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): KeyMaterial {
  return {
    ...shape,
    secret: pair.privateKey.export({ type: 'pkcs8', format: 'der' }),
    publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }),
  }
}
