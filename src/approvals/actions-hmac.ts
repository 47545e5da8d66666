import { createHmac, hkdfSync } from 'node:crypto'
import { canonicalJson } from '../audit/leaf.ts'
import type { HeldKeys } from '../config/secrets.ts'
import type { Action } from './actions.ts'

/**
 * What a leaf says of a template's actions: HMAC-SHA-256, in hex, over their canonical JSON. They hold addresses and secrets, which
 * nobody may be able to guess from the leaf; so the key is derived (HKDF, RFC 5869) from the store's first data key, which
 * stays when another comes to seal.
 */
export function actionsHmac({ byNumber }: HeldKeys, actions: readonly Action[]): string {
  const first = byNumber.get(1)
  if (first === undefined) throw new Error('the first data key is not held')
  const key = Buffer.from(hkdfSync('sha256', first, '', 'quorate template actions', 32))
  return createHmac('sha256', key).update(canonicalJson(actions)).digest('hex')
}
