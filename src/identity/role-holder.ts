import { AppError } from '../errors.ts'
import type { Tx } from '../store/open.ts'
import { lockRoleHolder } from '../store/role-bindings.ts'
import type { RoleHolder } from './role-request.ts'

/** Holds up every other change of their roles. @throws AppError USER_NOT_FOUND, AGENT_NOT_FOUND */
export async function lockHolder(
  tx: Tx,
  orgId: string,
  { kind, id }: RoleHolder,
): Promise<{ readonly id: string; readonly rowVersion: string }> {
  const row = id === null ? undefined : await lockRoleHolder(tx, orgId, kind, id)
  if (id === null || row === undefined) throw new AppError(kind === 'human' ? 'USER_NOT_FOUND' : 'AGENT_NOT_FOUND')
  return { id, rowVersion: row.row_version }
}

/** Nothing is compared when the caller names no version (contract §2.9). @throws AppError CONCURRENT_MODIFICATION_ERROR */
export function requireVersion(current: string, expected: string | null): void {
  if (expected !== null && BigInt(current) !== BigInt(expected)) throw new AppError('CONCURRENT_MODIFICATION_ERROR')
}
