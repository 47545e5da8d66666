import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import * as policies from '../store/policies.ts'
import { openPolicy, type OpenPolicy } from './policy.ts'

/** @throws AppError WORKFLOW_TEMPLATE_NOT_FOUND */
export async function findPolicy(ctx: Ctx, orgId: string, key: policies.PolicyKey): Promise<OpenPolicy> {
  const row = await policies.findPolicyByKey(ctx.db, orgId, key)
  if (row === undefined) throw new AppError('WORKFLOW_TEMPLATE_NOT_FOUND')
  return openPolicy(ctx, row)
}
