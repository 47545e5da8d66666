import { idOf } from '../../shared/ids.ts'
import { invalidMember } from '../../../errors.ts'

/** An id in a path or a query. @throws AppError INVALID_MEMBER when it has not the form of one (contract fortanix §1) */
export function parseId(name: string, value: unknown): string {
  const id = idOf(value)
  if (id === null) throw invalidMember(name, 'must be a UUID')
  return id
}
