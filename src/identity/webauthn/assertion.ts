import { timingSafeEqual } from 'node:crypto'
import { isFromForeignFrame, readClientData } from '../../proof/client-data.ts'
import type { SecurityKeyRow } from '../../store/security-keys.ts'
import { isAskedByAppId, userHandleOf } from './keys.ts'
import { webauthnLibrary } from './library.ts'
import { wrong } from './refused.ts'
import type { RelyingParty } from './relying-party.ts'

/** What a security key answers to a FIDO2 challenge, as bytes. */
export interface Assertion {
  readonly credentialId: Buffer
  readonly type: string
  readonly clientDataJSON: Buffer
  readonly authenticatorData: Buffer
  readonly signature: Buffer
  /** Null where there is none, or an empty one. */
  readonly userHandle: Buffer | null
  /** Whether the browser says that it asked the key by the application id of U2F. */
  readonly usesAppId: boolean
}

export interface ExpectedAssertion {
  readonly rp: RelyingParty
  readonly personId: string
  /** The person's key of the assertion's id, one of those that the challenge was for. */
  readonly key: Pick<SecurityKeyRow, 'credential_id' | 'public_key' | 'counter' | 'details'>
  readonly challenge: Uint8Array
  readonly userVerification: 'required' | 'preferred'
}

/** What holds of an assertion that verifies. */
export interface VerifiedAssertion {
  /** What the key has counted to now. */
  readonly counter: number
  /** The id, or the application id, whose hash the key signed. */
  readonly signedFor: string
  readonly origin: string
}

/**
 * Every check of contract fortanix §5.3 that is about the assertion itself (WebAuthn level 2, section 7.2): what the library
 * leaves out is checked here, before it.
 * @throws AppError FACTOR_WRONG, naming the check
 */
export async function verifyAssertion(assertion: Assertion, expected: ExpectedAssertion): Promise<VerifiedAssertion> {
  const { rp, key, personId, challenge, userVerification } = expected
  if (assertion.type !== 'public-key') throw wrong('credential is of another type than public-key')
  if (assertion.userHandle !== null && !isSame(assertion.userHandle, userHandleOf(personId)))
    throw wrong('answer names another person')
  const clientData = readClientData(assertion.clientDataJSON)
  if (clientData === null) throw wrong('clientDataJSON is no JSON object')
  if (isFromForeignFrame(clientData)) throw wrong('answer was asked for by a page in a frame of another origin')

  const { verifyAuthenticationResponse } = await webauthnLibrary()
  const id = assertion.credentialId.toString('base64url')
  // Only an authenticator of U2F knows the application id, and only then was it offered.
  const ids = [rp.id, ...rp.alsoIds, ...(assertion.usesAppId && isAskedByAppId(rp, key) ? [rp.appId] : [])]
  const verified = await verifyAuthenticationResponse({
    response: {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: assertion.clientDataJSON.toString('base64url'),
        authenticatorData: assertion.authenticatorData.toString('base64url'),
        signature: assertion.signature.toString('base64url'),
      },
    },
    expectedChallenge: Buffer.from(challenge).toString('base64url'),
    expectedOrigin: [...rp.origins],
    expectedRPID: ids,
    requireUserVerification: userVerification === 'required',
    credential: { id, publicKey: Uint8Array.from(key.public_key), counter: Number(key.counter) },
  }).catch((cause: unknown) => {
    throw wrong('answer does not verify', cause)
  })
  if (!verified.verified) throw wrong('signature does not verify')
  const { newCounter: counter, rpID: signedFor, origin } = verified.authenticationInfo
  return { counter, signedFor, origin }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
