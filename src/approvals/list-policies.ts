import type { Ctx } from '../context.ts'
import type { Actor } from '../identity/actor.ts'
import { requireHuman } from '../identity/authorize.ts'
import {
  countPolicies,
  listPolicies as listRows,
  type PolicyFilter,
  type PolicyOrder,
  type PolicySummary,
} from '../store/policy-list.ts'

export interface PolicyQuery {
  readonly filter: PolicyFilter
  readonly order: PolicyOrder
  readonly page: number
  readonly limit: number
}

export interface PolicyPage {
  readonly policies: readonly PolicySummary[]
  /** How many match the filter on all pages. */
  readonly total: number
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED to an agent */
export async function listPolicies(
  ctx: Ctx,
  actor: Actor,
  { filter, order, page, limit }: PolicyQuery,
): Promise<PolicyPage> {
  requireHuman(actor)
  const [total, policies] = await Promise.all([
    countPolicies(ctx.db, actor.orgId, filter),
    listRows(ctx.db, actor.orgId, filter, order, { page, limit }),
  ])
  return { policies, total }
}
