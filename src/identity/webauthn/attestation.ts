import { isFromForeignFrame, readClientData } from '../../proof/client-data.ts'
import { readCoseKey } from '../../proof/p256-key.ts'
import { webauthnHelpers, webauthnLibrary } from './library.ts'
import { refused } from './refused.ts'
import type { RelyingParty } from './relying-party.ts'

/** What a new security key answers, as bytes. */
export interface Attestation {
  readonly credentialId: Buffer
  readonly type: string
  readonly clientDataJSON: Buffer
  readonly attestationObject: Buffer
  readonly transports: readonly string[]
}

/** A security key as it is kept. */
export interface NewKey {
  readonly credentialId: Uint8Array
  /** COSE. */
  readonly publicKey: Uint8Array
  readonly counter: number
  readonly format: string
  readonly transports: readonly string[]
  readonly origin: string
}

export const es256 = -7
const formats: readonly string[] = ['none', 'fido-u2f', 'packed']
const knownTransports: readonly string[] = ['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal']
/** WebAuthn level 2, section 7.1, step 20 of the next level: no id is longer. */
const longestId = 1023

/**
 * Checks the registration of a security key (WebAuthn level 2, section 7.1). Taken are keys on P-256 that sign with ES256, with
 * no attestation, one of U2F, or one that the key itself signed; whose make a certificate vouches for is not asked.
 * @throws AppError SECURITY_KEY_REFUSED, naming the check
 */
export async function verifyAttestation(
  attestation: Attestation,
  { rp, challenge }: { readonly rp: RelyingParty; readonly challenge: Uint8Array },
): Promise<NewKey> {
  if (attestation.type !== 'public-key') throw refused('credential is of another type than public-key')
  const clientData = readClientData(attestation.clientDataJSON)
  if (clientData === null) throw refused('clientDataJSON is no JSON object')
  if (isFromForeignFrame(clientData)) throw refused('answer was asked for by a page in a frame of another origin')
  await requireTakenFormat(attestation.attestationObject)

  const { verifyRegistrationResponse } = await webauthnLibrary()
  const id = attestation.credentialId.toString('base64url')
  const verified = await verifyRegistrationResponse({
    response: {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: attestation.clientDataJSON.toString('base64url'),
        attestationObject: attestation.attestationObject.toString('base64url'),
      },
    },
    expectedChallenge: Buffer.from(challenge).toString('base64url'),
    expectedOrigin: [...rp.origins],
    expectedRPID: [rp.id, ...rp.alsoIds],
    requireUserVerification: false,
    supportedAlgorithmIDs: [es256],
  }).catch((cause: unknown) => {
    throw refused('answer does not verify', cause)
  })
  if (!verified.verified) throw refused('attestation does not verify')
  const { credential, fmt: format, origin } = verified.registrationInfo
  if (credential.id !== id) throw refused('answer is about another credential')
  if (attestation.credentialId.length > longestId) throw refused('credential id is too long')
  if (readCoseKey(credential.publicKey) === null) throw refused('public key must be on P-256, and in its one form')
  return {
    credentialId: attestation.credentialId,
    publicKey: credential.publicKey,
    counter: credential.counter,
    format,
    transports: attestation.transports.filter((transport) => knownTransports.includes(transport)),
    origin,
  }
}

async function requireTakenFormat(attestationObject: Buffer): Promise<void> {
  const { decodeAttestationObject } = await webauthnHelpers()
  let format: string
  let hasCertificate: boolean
  try {
    const decoded = decodeAttestationObject(Uint8Array.from(attestationObject))
    format = decoded.get('fmt')
    hasCertificate = decoded.get('attStmt').get('x5c') !== undefined
  } catch (cause) {
    throw refused('attestationObject cannot be read', cause)
  }
  if (!formats.includes(format)) throw refused(`attestation must be one of ${formats.join(', ')}`)
  if (format === 'packed' && hasCertificate) throw refused('attestation must be signed by the key itself')
}
