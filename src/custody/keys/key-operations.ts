import type { KeyKind } from '../../store/schema-custody.ts'

/** What a key may be for, in the order in which it is shown. */
export const keyOperations = [
  'SIGN',
  'VERIFY',
  'ENCRYPT',
  'DECRYPT',
  'WRAPKEY',
  'UNWRAPKEY',
  'DERIVEKEY',
  'MACGENERATE',
  'MACVERIFY',
  'EXPORT',
  'APPMANAGEABLE',
  'HIGHVOLUME',
  'AGREEKEY',
] as const
export type KeyOperation = (typeof keyOperations)[number]

/** What a key is for of which nobody said it. Never for leaving the server. */
export const defaultOperations: Readonly<Record<KeyKind, readonly KeyOperation[]>> = {
  AES: ['ENCRYPT', 'DECRYPT', 'WRAPKEY', 'UNWRAPKEY', 'DERIVEKEY', 'APPMANAGEABLE'],
  HMAC: ['DERIVEKEY', 'MACGENERATE', 'MACVERIFY', 'APPMANAGEABLE'],
  RSA: ['SIGN', 'VERIFY', 'ENCRYPT', 'DECRYPT', 'WRAPKEY', 'UNWRAPKEY', 'APPMANAGEABLE'],
  EC: ['SIGN', 'VERIFY', 'APPMANAGEABLE', 'AGREEKEY'],
}
