import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { createApp, deleteApp, listApps, readApp } from '../../../custody/apps.ts'
import { readAppSecretOperation, resetAppSecretOperation } from '../../../custody/operations/app-secret.ts'
import { updateAppOperation } from '../../../custody/operations/update-app.ts'
import { perform } from '../../../custody/perform.ts'
import { noStore } from '../../shared/no-store.ts'
import { parseApp, parseNewApp, renderApp, renderAppSecret, wantsPermissions } from '../wire/apps.ts'
import { parseId } from '../wire/ids.ts'
import { parseNamedSlice } from '../wire/lists.ts'
import { nothing } from '../wire/nothing.ts'

interface IdPath {
  readonly Params: { readonly id: string }
}

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

  app.patch<IdPath>('/apps/:id', async ({ custodian, params, query, body }) => {
    const input = parseApp(parseId('app_id', params.id), body)
    return renderApp(await perform(ctx, updateAppOperation, custodian, input), wantsPermissions(query))
  })

  app.delete<IdPath>('/apps/:id', async ({ custodian, params }, reply) => {
    await deleteApp(ctx, custodian, parseId('app_id', params.id))
    return nothing(reply)
  })

  app.get<IdPath>('/apps/:id/credential', { onSend: noStore }, async ({ custodian, params }) => {
    const named = { id: parseId('app_id', params.id) }
    return renderAppSecret(await perform(ctx, readAppSecretOperation, custodian, named))
  })

  app.post<IdPath>('/apps/:id/reset_secret', async ({ custodian, params, query }) => {
    const named = { id: parseId('app_id', params.id) }
    return renderApp(await perform(ctx, resetAppSecretOperation, custodian, named), wantsPermissions(query))
  })
}
