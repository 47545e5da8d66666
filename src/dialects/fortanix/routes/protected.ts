import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { perform } from '../../../custody/perform.ts'
import { noStore } from '../../shared/no-store.ts'
import type { WireCall, WireOperation } from '../wire-operation.ts'

/** Direct calls of what a policy may protect, below the prefix of their area. */
export function protectedRoutes(prefix: string, operations: readonly WireOperation[]) {
  return (app: FastifyInstance, ctx: Ctx): void => {
    for (const operation of operations) {
      app.route({
        method: operation.method,
        url: operation.path.slice(prefix.length),
        onSend: noStore,
        async handler({ params, query, body, custodian }, reply) {
          const call = { params, query, body } as WireCall
          const answer = await perform(ctx, operation, custodian, call)
          return answer.body === null ? reply.code(answer.status).send() : reply.code(answer.status).send(answer.body)
        },
      })
    }
  }
}
