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

/** Policies by their ids, each once. */
export async function findPolicies(
  ctx: Ctx,
  orgId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, OpenPolicy>> {
  const rows = await policies.findPoliciesById(ctx.db, orgId, [...new Set(ids)])
  return new Map(rows.map((row) => [row.id, openPolicy(ctx, row)]))
}
