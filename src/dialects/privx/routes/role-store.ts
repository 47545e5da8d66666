import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { listRoles, readCountedRole } from '../../../identity/role-store/read-roles.ts'
import { listRoleMembers, listUsersWithRoles, readUser, resolveUser } from '../../../identity/role-store/read-users.ts'
import { changeRole, createRole, deleteRole } from '../../../identity/role-store/roles.ts'
import { setRoles } from '../../../identity/role-store/set-roles.ts'
import { forAdministrators } from '../rights.ts'
import { answerCreated } from '../wire/created.ts'
import { idOf, type IdPath } from '../../shared/ids.ts'
import { byName, parseListQuery, renderList } from '../wire/lists.ts'
import {
  parseHeldRoles,
  parseRole,
  parseRoleNames,
  parseRoleSearch,
  renderHeldRole,
  renderRole,
} from '../wire/roles.ts'
import { parseUserSearch, renderUser } from '../wire/users.ts'

const roleLists = { ...byName, sortKeys: ['id', 'name', 'created', 'updated'] } as const

/** Roles, and who holds them (contract privx §5). */
export function roleStoreRoutes(app: FastifyInstance, ctx: Ctx): void {
  roleRoutes(app, ctx)
  userRoutes(app, ctx)
}

function roleRoutes(app: FastifyInstance, ctx: Ctx): void {
  const administrators = forAdministrators(ctx)

  app.get('/roles', async ({ caller, query }) => {
    const everyRole = { names: null, keywords: null }
    const { items, total } = await listRoles(ctx, caller, everyRole, parseListQuery(query, roleLists))
    return renderList(items.map(renderRole), total)
  })

  app.post('/roles', administrators, async (request, reply) =>
    answerCreated(request, reply, await createRole(ctx, request.caller, parseRole(request.body))),
  )

  app.post('/roles/search', { config: { reads: true } }, async ({ caller, query, body }) => {
    const { items, total } = await listRoles(ctx, caller, parseRoleSearch(body), parseListQuery(query, roleLists))
    return renderList(items.map(renderRole), total)
  })

  app.post('/roles/resolve', { config: { reads: true } }, async ({ caller, body }) => {
    const names = parseRoleNames(body)
    const all = { ...byName.byDefault, offset: 0, limit: names.length }
    const { items, total } = await listRoles(ctx, caller, { names, keywords: null }, all)
    return renderList(items.map(renderRole), total)
  })

  app.get<IdPath>('/roles/:id', async ({ caller, params }) =>
    renderRole(await readCountedRole(ctx, caller, idOf(params.id))),
  )

  app.put<IdPath>('/roles/:id', administrators, async ({ caller, params, body }) => {
    await changeRole(ctx, caller, idOf(params.id), parseRole(body))
    return {}
  })

  app.delete<IdPath>('/roles/:id', administrators, async ({ caller, params }) => {
    await deleteRole(ctx, caller, idOf(params.id))
    return {}
  })

  app.get<IdPath>('/roles/:id/members', async ({ caller, params, query }) => {
    const slice = parseListQuery(query, byName)
    const { items, total } = await listRoleMembers(ctx, caller, idOf(params.id), slice)
    return renderList(items.map(renderUser), total)
  })
}

function userRoutes(app: FastifyInstance, ctx: Ctx): void {
  // The whole body is the list of roles.
  const giving = { ...forAdministrators(ctx), config: { bodyIs: 'roles' } }

  app.post('/users/search', { config: { reads: true } }, async ({ caller, query, body }) => {
    const slice = parseListQuery(query, byName)
    const { items, total } = await listUsersWithRoles(ctx, caller, parseUserSearch(body), slice)
    return renderList(items.map(renderUser), total)
  })

  app.get('/users/current', async ({ caller }) => renderUser(await readUser(ctx, caller, caller.principalId)))

  app.get<IdPath>('/users/:id', async ({ caller, params }) => renderUser(await readUser(ctx, caller, idOf(params.id))))

  app.get<IdPath>('/users/:id/resolve', async ({ caller, params }) =>
    renderUser(await resolveUser(ctx, caller, idOf(params.id))),
  )

  app.get<IdPath>('/users/:id/roles', async ({ caller, params }) => {
    const { grants } = await readUser(ctx, caller, idOf(params.id))
    return renderList(grants.map(renderHeldRole), grants.length)
  })

  app.put<IdPath>('/users/:id/roles', giving, async ({ caller, params, body }) => {
    await setRoles(ctx, caller, idOf(params.id), parseHeldRoles(body))
    return {}
  })
}
