import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { createApp, deleteApp, listApps, readApp } from '../../../custody/apps.ts'
import type { IdPath } from '../../shared/ids.ts'
import { parseNewApp, renderApp, wantsPermissions } from '../wire/apps.ts'
import { parseId } from '../wire/ids.ts'
import { parseNamedSlice } from '../wire/lists.ts'
import { nothing } from '../wire/nothing.ts'

/** Contract fortanix §6, §7. */
export function appRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/apps', async ({ custodian, query }) => {
    const apps = await listApps(ctx, custodian, parseNamedSlice(query))
    return apps.map((shown) => renderApp(shown, wantsPermissions(query)))
  })

  app.post('/apps', async ({ custodian, query, body }, reply) => {
    const id = await createApp(ctx, custodian, parseNewApp(body))
    return reply.code(201).send(renderApp(await readApp(ctx, custodian, id), wantsPermissions(query)))
  })

  app.get<IdPath>('/apps/:id', async ({ custodian, params, query }) =>
    renderApp(await readApp(ctx, custodian, parseId('app_id', params.id)), wantsPermissions(query)),
  )

  app.delete<IdPath>('/apps/:id', async ({ custodian, params }, reply) => {
    await deleteApp(ctx, custodian, parseId('app_id', params.id))
    return nothing(reply)
  })
}
