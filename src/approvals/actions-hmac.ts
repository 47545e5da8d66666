import { leafHmac } from '../audit/leaf-hmac.ts'
import { canonicalJson } from '../audit/leaf.ts'
import type { HeldKeys } from '../config/secrets.ts'
import type { Action } from './actions.ts'

/** What a leaf says of a template's actions, by their canonical JSON: they hold addresses and secrets. */
export function actionsHmac(held: HeldKeys, actions: readonly Action[]): string {
  return leafHmac(held, 'quorate template actions', canonicalJson(actions))
}
