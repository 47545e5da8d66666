import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { spendSingleUseToken } from '../store/single-use-tokens.ts'
import type { Tx } from '../store/open.ts'
import type { Caller } from './actor.ts'

export const stepUpPurpose = 'step-up'

/** @throws AppError AUTH_HIGH_PRIVILEGE_FLOW_DISABLED */
export function requireStepUpEnabled({ config }: Ctx): void {
  if (!config.stepUp) throw new AppError('AUTH_HIGH_PRIVILEGE_FLOW_DISABLED')
}

/**
 * Spends the caller's step-up token for one operation on one resource, in the transaction that relies on it: when that
 * rolls back the token is whole again (contract §3.4, §6.4).
 * @throws AppError STEP_UP_CONTEXT_MISSING, STEP_UP_OPERATION_MISMATCH, STEP_UP_RESOURCE_MISMATCH, STEP_UP_TOKEN_ALREADY_USED
 */
export async function spendStepUp(
  tx: Tx,
  caller: Caller,
  operation: string,
  resourceId: string,
  now: Date,
): Promise<void> {
  const { stepUp } = caller
  if (stepUp === null) throw new AppError('STEP_UP_CONTEXT_MISSING')
  if (stepUp.operation !== operation) throw new AppError('STEP_UP_OPERATION_MISMATCH')
  if (stepUp.resource !== null && stepUp.resource !== resourceId) throw new AppError('STEP_UP_RESOURCE_MISMATCH')
  const token = { id: stepUp.tokenId, purpose: stepUpPurpose, orgId: caller.orgId, principalId: caller.principalId }
  if (!(await spendSingleUseToken(tx, token, now))) throw new AppError('STEP_UP_TOKEN_ALREADY_USED')
}

/** A key proves no presence, and what it began it may not finish in a person's name. @throws AppError AUTH_INVALID_ENTITY */
export function requirePresence({ machine }: Pick<Caller, 'machine'>): void {
  if (machine !== undefined) throw new AppError('AUTH_INVALID_ENTITY')
}
