import type { DeferredOperations } from '../../custody/requests/deferred.ts'
import { accountOperations } from './account-operations.ts'
import { statusOf, textOf } from './error-answer.ts'
import { keyOperations } from './key-operations.ts'
import type { WireCall, WireOperation } from './wire-operation.ts'

interface Route {
  readonly operation: WireOperation
  readonly pattern: RegExp
}

const routes: readonly Route[] = [...accountOperations, ...keyOperations].map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
}))

/** The operations that may wait for approval, by method and path (contract fortanix §6). */
export const deferredOperations: DeferredOperations = {
  find(method, text, body) {
    const [path = '', query = ''] = text.split('?', 2)
    for (const { operation, pattern } of routes) {
      const match = operation.method === method ? pattern.exec(path) : null
      if (match === null) continue
      const params = { ...match.groups }
      const call: WireCall = { params, query: Object.fromEntries(new URLSearchParams(query)), body }
      return {
        check: async (ctx, tx, caller) => await operation.check(ctx, tx, caller, call),
        run: async (ctx, tx, caller) => await operation.run(ctx, tx, caller, call),
      }
    }
    return null
  },
  refusal: (error) => ({ status: statusOf(error.code), body: textOf(error) }),
}
