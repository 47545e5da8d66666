import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { listOwnGrants } from '../../../identity/grants/list-grants.ts'
import { useGrant } from '../../../identity/grants/use-grant.ts'
import { listGrantsSchema, renderGrant, useGrantSchema } from '../wire/grants.ts'
import { uuidOf } from '../wire/ids.ts'

interface GrantPath {
  readonly Params: { readonly grantId: string }
}

/** One's own roles of the role store: ours, beside the contract. */
export function grantRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/v1/grants', { schema: listGrantsSchema }, async (request) => ({
    grants: (await listOwnGrants(ctx, request.caller)).map(renderGrant),
  }))

  app.post<GrantPath>('/v1/grants/:grantId/use', { schema: useGrantSchema }, async (request) =>
    renderGrant(await useGrant(ctx, request.caller, uuidOf(request.params.grantId))),
  )
}
