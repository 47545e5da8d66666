import type { Ctx } from '../context.ts'
import { loadActor, type Caller } from '../identity/actor.ts'
import {
  countRequests,
  findPolicyIds,
  listRequests,
  type PolicyFilter,
  type RequestFilter,
  type RequestOrder,
} from '../store/request-list.ts'
import { offsetOf } from '../store/page.ts'
import type { RequestRow } from '../store/requests.ts'

export interface ListRequestsInput extends PolicyFilter {
  readonly onlyOpen: boolean
  readonly order: readonly RequestOrder[]
  readonly page: number
  readonly limit: number
}

export interface RequestPage {
  readonly rows: readonly RequestRow[]
  readonly total: number
}

/** One page of the organization's requests, with how many match in all. */
export async function listRequestPage(ctx: Ctx, caller: Caller, input: ListRequestsInput): Promise<RequestPage> {
  const [, policyIds] = await Promise.all([loadActor(ctx.db, caller), findPolicyIds(ctx.db, caller.orgId, input)])
  if (policyIds?.length === 0) return { rows: [], total: 0 }
  const filter: RequestFilter = {
    orgId: caller.orgId,
    policyIds,
    onlyOpen: input.onlyOpen,
    now: ctx.clock.now(),
  }
  const offset = offsetOf(input)
  const total = await countRequests(ctx.db, filter)
  // A page past the end costs nothing, however far past it is.
  const rows = offset >= total ? [] : await listRequests(ctx.db, filter, input.order, { offset, limit: input.limit })
  return { rows, total }
}
