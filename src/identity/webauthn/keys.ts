import type { SecurityKeyRow } from '../../store/security-keys.ts'

/** Registered by an authenticator of U2F: it answers to the application id too, and signs U2F challenges. */
export function isU2fKey({ details }: Pick<SecurityKeyRow, 'details'>): boolean {
  return details.format === 'fido-u2f'
}

/** The id of a person as WebAuthn knows them: the 16 bytes of their UUID. */
export function userHandleOf(personId: string): Buffer {
  return Buffer.from(personId.replaceAll('-', ''), 'hex')
}
