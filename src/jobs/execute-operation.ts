import { executeOperation } from '../custody/requests/execute.ts'
import { deferredOperations } from '../dialects/fortanix/deferred-operations.ts'
import type { Handler } from './hands.ts'

const kind = 'execute-operation'

/** What an approved operation is done by, when whoever approved it last did not live to. */
export interface DueOperation {
  readonly orgId: string
  readonly requestId: string
}

/** Does an approved operation, unless that was done already: the operation and what came of it are one transaction. */
export const executeOperations: Handler = {
  concurrency: () => 4,
  concurrencyOfGroup: () => 4,
  async run(ctx, _hands, job) {
    const { orgId, requestId } = job.data as DueOperation
    await executeOperation(ctx, deferredOperations, orgId, requestId)
    await ctx.store.jobs.finish(ctx.db, kind, job)
  },
}
