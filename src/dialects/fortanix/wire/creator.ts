import type { Creator } from '../../../custody/creator.ts'

/** A principal as this wire has them: `{user}` or `{app}` (contract fortanix §1). */
export function renderCreator(creator: Creator): object {
  return 'person' in creator ? { user: creator.person } : { app: creator.app }
}
