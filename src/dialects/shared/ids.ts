/** Of a route whose path ends in an id. */
export interface IdPath {
  readonly Params: { readonly id: string }
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A UUID as the store writes it; null for anything else, which therefore names nothing (contract privx §1). */
export function idOf(value: unknown): string | null {
  return typeof value === 'string' && uuid.test(value) ? value.toLowerCase() : null
}
