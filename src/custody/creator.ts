import type { Member } from './account-rights.ts'

/** Who made something, as it is kept: a person or an app. */
export type Creator = { readonly person: string } | { readonly app: string }

export function creatorOf({ personId, principalId }: Member): Creator {
  return personId === null ? { app: principalId } : { person: personId }
}
