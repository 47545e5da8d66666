import { sign, type KeyObject } from 'node:crypto'
import {
  cosignatureType,
  isSignedBy,
  NoteError,
  timestampedText,
  verifierKeyOf,
  type NoteSignature,
  type NoteSigner,
  type VerifierKey,
} from './note.ts'

/**
 * Signs checkpoints with the time (C2SP tlog-cosignature, cosignature/v1): as of then, this is the largest tree of its origin
 * that the signer has seen, and it contains every earlier one. Under this key nothing else may sign.
 */
export function cosigner(name: string, privateKey: KeyObject, now = () => new Date()): NoteSigner {
  return {
    key: verifierKeyOf(name, cosignatureType, privateKey),
    sign(body) {
      const seconds = BigInt(Math.floor(now().getTime() / 1000))
      const stamp = Buffer.alloc(8)
      stamp.writeBigUInt64BE(seconds)
      return Buffer.concat([stamp, sign(null, timestampedText(seconds, body), privateKey)])
    },
  }
}

/** @returns when it was given, in seconds since 1970. @throws NoteError unless it is this key's for the checkpoint `body` */
export function verifyCosignature(key: VerifierKey, body: string, cosignature: NoteSignature): number {
  const { name, id, signature } = cosignature
  const isTheirs = key.type === cosignatureType && name === key.name && id.equals(key.id)
  if (!isTheirs || !isSignedBy(key, body, signature)) {
    throw new NoteError('unsigned', 'The cosignature is not of this key for this checkpoint.')
  }
  return cosignatureTime(cosignature)
}

/** When a verified cosignature was given, in seconds since 1970. */
export function cosignatureTime({ signature }: NoteSignature): number {
  return Number(signature.readBigUInt64BE())
}
