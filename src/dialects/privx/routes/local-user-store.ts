import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import type { Caller } from '../../../identity/actor.ts'
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
import { forAdministrators } from '../rights.ts'
import {
  parseApiClient,
  parseClientList,
  parseClientSearch,
  renderApiClient,
  type ClientSearch,
} from '../wire/api-clients.ts'
import { answerCreated } from '../wire/created.ts'
import { idOf, type IdPath } from '../../shared/ids.ts'
import { byName, parseListQuery, renderList } from '../wire/lists.ts'
import { parseLocalUser, parseLocalUserFilter, parsePassword, renderLocalUser } from '../wire/users.ts'

/** People who sign in by name and password, and machines that do by a secret (contract privx §5). */
export function localUserStoreRoutes(app: FastifyInstance, ctx: Ctx): void {
  userRoutes(app, ctx)
  clientRoutes(app, ctx)
}

function userRoutes(app: FastifyInstance, ctx: Ctx): void {
  const administrators = forAdministrators(ctx)

  app.get('/users', async ({ caller, query }) => {
    const slice = parseListQuery(query, byName)
    const { items, total } = await listLocalUsers(ctx, caller, parseLocalUserFilter(query), slice)
    return renderList(items.map(renderLocalUser), total)
  })

  app.post('/users', administrators, async (request, reply) => {
    const { password, ...user } = parseLocalUser(request.body)
    return answerCreated(request, reply, await createLocalUser(ctx, request.caller, user, password))
  })

  app.get<IdPath>('/users/:id', async ({ caller, params }) =>
    renderLocalUser(await readLocalUser(ctx, caller, idOf(params.id))),
  )

  // The password has a call of its own.
  app.put<IdPath>('/users/:id', administrators, async ({ caller, params, body }) => {
    const { password: _password, ...user } = parseLocalUser(body)
    await changeLocalUser(ctx, caller, idOf(params.id), user)
    return {}
  })

  app.delete<IdPath>('/users/:id', administrators, async ({ caller, params }) => {
    await deleteLocalUser(ctx, caller, idOf(params.id))
    return {}
  })

  app.put<IdPath>('/users/:id/password', administrators, async ({ caller, params, body }) => {
    await changePassword(ctx, caller, idOf(params.id), parsePassword(body))
    return {}
  })
}

function clientRoutes(app: FastifyInstance, ctx: Ctx): void {
  const { oauthClient } = ctx.config.privx
  const administrators = forAdministrators(ctx)
  const secrets = { ...administrators, onSend: noStore }

  async function list(caller: Caller, { keywords, slice }: ClientSearch): Promise<object> {
    const { items, total } = await listApiClients(ctx, caller, keywords, slice)
    return renderList(
      items.map((client) => renderApiClient(client, oauthClient)),
      total,
    )
  }

  app.get('/api-clients', secrets, async ({ caller, query }) => await list(caller, parseClientList(query)))

  app.post('/api-clients/search', { ...secrets, config: { reads: true } }, async ({ caller, query, body }) => {
    return await list(caller, parseClientSearch(query, body))
  })

  app.post('/api-clients', administrators, async (request, reply) =>
    answerCreated(request, reply, await createApiClient(ctx, request.caller, parseApiClient(request.body))),
  )

  app.get<IdPath>('/api-clients/:id', secrets, async ({ caller, params }) =>
    renderApiClient(await readApiClient(ctx, caller, idOf(params.id)), oauthClient),
  )

  app.put<IdPath>('/api-clients/:id', administrators, async ({ caller, params, body }) => {
    await changeApiClient(ctx, caller, idOf(params.id), parseApiClient(body))
    return {}
  })

  app.delete<IdPath>('/api-clients/:id', administrators, async ({ caller, params }) => {
    await deleteApiClient(ctx, caller, idOf(params.id))
    return {}
  })
}
