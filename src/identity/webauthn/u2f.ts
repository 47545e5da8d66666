import { createHash, verify } from 'node:crypto'
import { readClientData } from '../../proof/client-data.ts'
import { readCoseKey } from '../../proof/p256-key.ts'
import type { SecurityKeyRow } from '../../store/security-keys.ts'
import { wrong } from './refused.ts'
import type { RelyingParty } from './relying-party.ts'

/** What a security key answers to a U2F challenge, as bytes. */
export interface U2fAnswer {
  readonly keyHandle: Buffer
  readonly signatureData: Buffer
  readonly clientData: Buffer
}

export interface ExpectedU2f {
  readonly rp: RelyingParty
  /** The person's key of the answer's handle, one of those that the challenge was for. */
  readonly key: Pick<SecurityKeyRow, 'public_key' | 'counter'>
  readonly challenge: Uint8Array
}

/** Presence byte and counter, before the signature. */
const counterBytes = 5

/**
 * Every check of contract fortanix §5.4 that is about the answer itself (U2F Raw Message Formats 1.2, section 5.4).
 * @returns what the key has counted to now
 * @throws AppError FACTOR_WRONG, naming the check
 */
export function verifyU2f(answer: U2fAnswer, expected: ExpectedU2f): { counter: number; origin: string } {
  const { rp, key, challenge } = expected
  const clientData = readClientData(answer.clientData)
  if (clientData === null) throw wrong('clientData is no JSON object')
  if (clientData['typ'] !== 'navigator.id.getAssertion') throw wrong('clientData is of another type')
  if (clientData['challenge'] !== Buffer.from(challenge).toString('base64url'))
    throw wrong('clientData has another challenge')
  const origin = rp.origins.find((known) => known === clientData['origin'])
  if (origin === undefined) throw wrong('clientData has another origin')

  const { signatureData } = answer
  if (signatureData.length <= counterBytes) throw wrong('signatureData is too short')
  if ((signatureData.readUInt8(0) & 0x01) === 0) throw wrong('user was not present')
  const counter = signatureData.readUInt32BE(1)
  const signed = Buffer.concat([sha256(rp.appId), signatureData.subarray(0, counterBytes), sha256(answer.clientData)])
  const publicKey = readCoseKey(key.public_key)
  const isSigned = publicKey !== null && verify('sha256', signed, publicKey, signatureData.subarray(counterBytes))
  if (!isSigned) throw wrong('signature does not verify')
  if (counter <= Number(key.counter)) throw wrong('counter has not gone up')
  return { counter, origin }
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}
