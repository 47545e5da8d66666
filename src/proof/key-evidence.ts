import { createHash, verify, type KeyObject } from 'node:crypto'
import { isFromForeignFrame, readClientData } from './client-data.ts'
import { readCoseKey } from './p256-key.ts'
import { voteChallenge, type VoteToProve } from './vote-challenge.ts'

/** What is kept of a security key's answer with the vote: enough to check it again. Binary members are base64url. */
export type KeyEvidence = {
  /** Of the challenge. */
  readonly nonce: string
  readonly credentialId: string
  /** COSE. */
  readonly publicKey: string
  readonly origin: string
} & (
  | {
      readonly kind: 'fido2'
      readonly clientDataJSON: string
      readonly authenticatorData: string
      readonly signature: string
      /** Whose hash the key signed; the application id where it was asked by that. */
      readonly rpId: string
    }
  /** The signature is in signatureData, after presence and counter. */
  | { readonly kind: 'u2f'; readonly clientData: string; readonly signatureData: string; readonly appId: string }
)

/**
 * Checks what a security key answered from what is kept of it alone (docs/receipt.md, "The voter's security key"). The server
 * asks here before it takes a vote, and the verifier of its receipt later, so that what the one has taken the other takes.
 * @returns the key that signed; or what does not hold, as the rest of "The security key's answer …"
 */
export function readKeyEvidence(
  evidence: KeyEvidence,
  vote: VoteToProve,
): { readonly key: KeyObject } | { readonly problem: string } {
  const { clientData, signedFor, start, signature, type } = partsOf(evidence)
  const said = readClientData(clientData)
  if (said === null) return { problem: 'has client data that are no plain JSON object in UTF-8' }
  if (said[type.member] !== type.value) return { problem: 'has client data of another type' }
  const challenge = voteChallenge(vote, bytesOf(evidence.nonce)).toString('base64url')
  if (said['challenge'] !== challenge) return { problem: 'is to another challenge than that of this vote' }
  if (said['origin'] !== evidence.origin) return { problem: 'was asked for by another origin' }
  if (evidence.kind === 'fido2' && isFromForeignFrame(said))
    return { problem: 'was asked for by a page in a frame of another origin' }
  if (start.length < startBytes || !start.subarray(0, hashBytes).equals(sha256(signedFor)))
    return { problem: 'is for another id' }
  if ((start.readUInt8(hashBytes) & userPresent) === 0) return { problem: 'was given with nobody present' }
  const key = readCoseKey(bytesOf(evidence.publicKey))
  if (key === null) return { problem: 'is by a key that is no COSE_Key of ES256 on P-256 in its one form' }
  const isSigned = verify('sha256', Buffer.concat([start, sha256(clientData)]), key, signature)
  return isSigned ? { key } : { problem: 'is not signed by its key' }
}

const hashBytes = 32
/** The hash of an id, one byte of flags, and the counter. */
const startBytes = 37
const userPresent = 0x01

interface Parts {
  readonly clientData: Buffer
  readonly type: { readonly member: string; readonly value: string }
  readonly signedFor: string
  /** What is signed before the hash of the client data. */
  readonly start: Buffer
  readonly signature: Buffer
}

/** Both protocols have the same bytes signed: U2F calls the flags presence, and has the application id for an id. */
function partsOf(evidence: KeyEvidence): Parts {
  if (evidence.kind === 'fido2') {
    return {
      clientData: bytesOf(evidence.clientDataJSON),
      type: { member: 'type', value: 'webauthn.get' },
      signedFor: evidence.rpId,
      start: bytesOf(evidence.authenticatorData),
      signature: bytesOf(evidence.signature),
    }
  }
  const counted = startBytes - hashBytes
  const signed = bytesOf(evidence.signatureData)
  return {
    clientData: bytesOf(evidence.clientData),
    type: { member: 'typ', value: 'navigator.id.getAssertion' },
    signedFor: evidence.appId,
    start: Buffer.concat([sha256(evidence.appId), signed.subarray(0, counted)]),
    signature: signed.subarray(counted),
  }
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64url')
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}
