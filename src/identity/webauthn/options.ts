import type { SecurityKeyRow } from '../../store/security-keys.ts'
import { isAskedByAppId, isU2fKey, userHandleOf } from './keys.ts'
import type { RelyingParty } from './relying-party.ts'

/** How long a browser waits for a key, in milliseconds. */
const timeout = 60_000

/** The security key is asked to know who touches it, where it can. */
export const userVerification = 'preferred'

interface Descriptor {
  readonly type: 'public-key'
  /** Base64url, as every binary member of these. */
  readonly id: string
  readonly transports?: readonly string[]
}

/** PublicKeyCredentialRequestOptionsJSON (WebAuthn level 3, section 5.1.10). */
export interface RequestOptions {
  readonly challenge: string
  readonly timeout: number
  readonly rpId: string
  readonly allowCredentials: readonly Descriptor[]
  readonly userVerification: typeof userVerification
  readonly extensions?: { readonly appid: string }
}

/** What a FIDO2 challenge asks of a browser. Keys of U2F answer to the application id, which is then offered. */
export function requestOptions(
  rp: RelyingParty,
  challenge: Uint8Array,
  keys: readonly SecurityKeyRow[],
): RequestOptions {
  return {
    challenge: base64url(challenge),
    timeout,
    rpId: rp.id,
    allowCredentials: keys.map(descriptorOf),
    userVerification,
    ...(keys.some((key) => isAskedByAppId(rp, key)) && { extensions: { appid: rp.appId } }),
  }
}

/** What a U2F challenge asks. */
export interface U2fRequest {
  readonly challenge: string
  readonly keyHandles: readonly string[]
}

export function u2fRequest(challenge: Uint8Array, keys: readonly SecurityKeyRow[]): U2fRequest {
  const handles = keys.filter(isU2fKey).map((key) => base64url(key.credential_id))
  return { challenge: base64url(challenge), keyHandles: handles }
}

/** PublicKeyCredentialCreationOptionsJSON (WebAuthn level 3, section 5.1.9). */
export interface CreationOptions {
  readonly rp: { readonly id: string; readonly name: string }
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly challenge: string
  readonly pubKeyCredParams: readonly [{ readonly type: 'public-key'; readonly alg: -7 }]
  readonly timeout: number
  readonly excludeCredentials: readonly Descriptor[]
  readonly authenticatorSelection: { readonly userVerification: typeof userVerification }
  readonly attestation: 'none' | 'direct'
}

/**
 * What the registration of a key asks of a browser. Its make is asked for only of a key for U2F: nothing else shows that it
 * is one.
 */
export function creationOptions(
  rp: RelyingParty,
  person: { readonly id: string; readonly name: string },
  challenge: Uint8Array,
  keys: readonly SecurityKeyRow[],
  protocol: 'fido2' | 'u2f',
): CreationOptions {
  return {
    rp: { id: rp.id, name: rp.name },
    user: { id: base64url(userHandleOf(person.id)), name: person.name, displayName: person.name },
    challenge: base64url(challenge),
    pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
    timeout,
    excludeCredentials: keys.map(descriptorOf),
    authenticatorSelection: { userVerification },
    attestation: protocol === 'u2f' ? 'direct' : 'none',
  }
}

function descriptorOf({ credential_id, details }: SecurityKeyRow): Descriptor {
  const { transports } = details
  return { type: 'public-key', id: base64url(credential_id), ...(transports.length > 0 && { transports }) }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
