import type { RequestKey } from '../../../store/voting.ts'

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/** Every id the server makes; anything else in a place for "id or name" is a name (contract §0). */
export function isUuidV7(value: unknown): value is string {
  return typeof value === 'string' && uuidV7.test(value)
}

export function idOrName(identifier: string): RequestKey {
  return isUuidV7(identifier) ? { id: identifier.toLowerCase() } : { name: identifier }
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A UUID of any version, as the store writes it; null for anything else. */
export function uuidOf(value: unknown): string | null {
  return typeof value === 'string' && uuid.test(value) ? value.toLowerCase() : null
}
