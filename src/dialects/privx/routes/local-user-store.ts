import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import {
  changeApiClient,
  createApiClient,
  deleteApiClient,
  listApiClients,
  readApiClient,
} from '../../../identity/role-store/api-clients.ts'
import {
  changeLocalUser,
  changePassword,
  createLocalUser,
  deleteLocalUser,
} from '../../../identity/role-store/local-users.ts'
import { listLocalUsers, readLocalUser } from '../../../identity/role-store/read-local-users.ts'
import { noStore } from '../../shared/no-store.ts'
import { parseApiClient, renderApiClient } from '../wire/api-clients.ts'
import { answerCreated } from '../wire/created.ts'
import { idOf } from '../../shared/ids.ts'
import { parseListQuery, renderList } from '../wire/lists.ts'
import { parseLocalUser, parseLocalUserFilter, parsePassword, renderLocalUser } from '../wire/users.ts'

interface IdPath {
  readonly Params: { readonly id: string }
}

const byName = { sortKey: 'name', isDescending: false } as const
const lists = { sortKeys: ['id', 'name', 'created'], byDefault: byName, maxLimit: 1000 } as const

/** People who sign in by name and password, and machines that do by a secret (contract privx §5). */
export function localUserStoreRoutes(app: FastifyInstance, ctx: Ctx): void {
  userRoutes(app, ctx)
  clientRoutes(app, ctx)
}

function userRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/users', async ({ caller, query }) => {
    const slice = parseListQuery(query, lists)
    const { items, total } = await listLocalUsers(ctx, caller, parseLocalUserFilter(query), slice)
    return renderList(items.map(renderLocalUser), total)
  })

  app.post('/users', async (request, reply) => {
    const { password, ...user } = parseLocalUser(request.body)
    return answerCreated(request, reply, await createLocalUser(ctx, request.caller, user, password))
  })

  app.get<IdPath>('/users/:id', async ({ caller, params }) =>
    renderLocalUser(await readLocalUser(ctx, caller, idOf(params.id))),
  )

  // The password has a call of its own.
  app.put<IdPath>('/users/:id', async ({ caller, params, body }) => {
    const { password: _password, ...user } = parseLocalUser(body)
    await changeLocalUser(ctx, caller, idOf(params.id), user)
    return {}
  })

  app.delete<IdPath>('/users/:id', async ({ caller, params }) => {
    await deleteLocalUser(ctx, caller, idOf(params.id))
    return {}
  })

  app.put<IdPath>('/users/:id/password', async ({ caller, params, body }) => {
    await changePassword(ctx, caller, idOf(params.id), parsePassword(body))
    return {}
  })
}

function clientRoutes(app: FastifyInstance, ctx: Ctx): void {
  const { oauthClient } = ctx.config.privx

  app.get('/api-clients', { onSend: noStore }, async ({ caller, query }) => {
    const { items, total } = await listApiClients(ctx, caller, parseListQuery(query, lists))
    return renderList(
      items.map((client) => renderApiClient(client, oauthClient)),
      total,
    )
  })

  app.post('/api-clients', async (request, reply) =>
    answerCreated(request, reply, await createApiClient(ctx, request.caller, parseApiClient(request.body))),
  )

  app.get<IdPath>('/api-clients/:id', { onSend: noStore }, async ({ caller, params }) =>
    renderApiClient(await readApiClient(ctx, caller, idOf(params.id)), oauthClient),
  )

  app.put<IdPath>('/api-clients/:id', async ({ caller, params, body }) => {
    await changeApiClient(ctx, caller, idOf(params.id), parseApiClient(body))
    return {}
  })

  app.delete<IdPath>('/api-clients/:id', async ({ caller, params }) => {
    await deleteApiClient(ctx, caller, idOf(params.id))
    return {}
  })
}
