import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { assignRoles } from '../../../identity/assign-roles.ts'
import { createUser } from '../../../identity/create-user.ts'
import { disableUser, enableUser } from '../../../identity/disable-user.ts'
import { findUser } from '../../../identity/find-profile.ts'
import { listUsers } from '../../../identity/list-users.ts'
import { removeRoles } from '../../../identity/remove-roles.ts'
import { uuidOf } from '../wire/ids.ts'
import { locationOf } from '../wire/location.ts'
import { parsePage, renderPagination } from '../wire/pages.ts'
import { refuse } from '../wire/read.ts'
import { parseRoleOperation, roleCallSchema } from '../wire/roles.ts'
import {
  createUserSchema,
  disableUserSchema,
  enableUserSchema,
  getUserSchema,
  listUsersSchema,
  parseNewUser,
  parseUserKey,
  parseUserSearch,
  renderUser,
  renderUserSummary,
  userPages,
} from '../wire/users.ts'

interface UserPath {
  readonly Params: { readonly userId: string }
}

/** Users and their roles (contract §1.6); disabling them is ours. */
export function userRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post('/users', { schema: createUserSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const id = await createUser(ctx, actor, parseNewUser(request.body))
    return await reply
      .code(201)
      .header('location', locationOf(ctx, request, id))
      .send()
  })

  app.get('/users', { schema: listUsersSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const search = parseUserSearch(request.query)
    const page = parsePage(request.query, userPages)
    const { items, total } = await listUsers(ctx, actor, search, page)
    return { users: items.map(renderUserSummary), pagination: renderPagination(page, total) }
  })

  app.get<UserPath>('/users/:userId', { schema: getUserSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const key = parseUserKey(request.params.userId) ?? refuse('REQUEST_INVALID_USER_IDENTIFIER', 'userId')
    return renderUser(await findUser(ctx, actor, key))
  })

  const assignSchema = roleCallSchema("Replace a user's roles", 'users')
  app.put<UserPath>('/users/:userId/roles', { schema: assignSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const { items, version } = parseRoleOperation(request.body)
    await assignRoles(ctx, actor, { kind: 'human', id: uuidOf(request.params.userId) }, items, version)
    return await reply.code(204).send()
  })

  const removeSchema = roleCallSchema('Take roles from a user', 'users')
  app.delete<UserPath>('/users/:userId/roles', { schema: removeSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const { items, version } = parseRoleOperation(request.body)
    await removeRoles(ctx, actor, { kind: 'human', id: uuidOf(request.params.userId) }, items, version)
    return await reply.code(204).send()
  })

  app.post<UserPath>('/v1/users/:userId/disable', { schema: disableUserSchema }, async (request, reply) => {
    await disableUser(ctx, request.caller, uuidOf(request.params.userId))
    return await reply.code(204).send()
  })

  app.post<UserPath>('/v1/users/:userId/enable', { schema: enableUserSchema }, async (request, reply) => {
    await enableUser(ctx, request.caller, uuidOf(request.params.userId))
    return await reply.code(204).send()
  })
}
