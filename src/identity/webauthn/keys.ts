import type { SecurityKeyRow } from '../../store/security-keys.ts'
import type { RelyingParty } from './relying-party.ts'

/** Registered by an authenticator of U2F: it answers to the application id too, and signs U2F challenges. */
export function isU2fKey({ details }: Pick<SecurityKeyRow, 'details'>): boolean {
  return details.format === 'fido-u2f'
}

/**
 * Whether a FIDO2 challenge for this key offers it the application id. Browsers know none but of https, and refuse the whole
 * challenge with another.
 */
export function isAskedByAppId({ appId }: Pick<RelyingParty, 'appId'>, key: Pick<SecurityKeyRow, 'details'>): boolean {
  return isU2fKey(key) && appId.startsWith('https:')
}

/** The id of a person as WebAuthn knows them: the 16 bytes of their UUID. */
export function userHandleOf(personId: string): Buffer {
  return Buffer.from(personId.replaceAll('-', ''), 'hex')
}
