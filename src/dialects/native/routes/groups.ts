import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { addMembers } from '../../../identity/add-members.ts'
import { createGroup } from '../../../identity/create-group.ts'
import { findGroup } from '../../../identity/find-group.ts'
import { listGroups } from '../../../identity/list-groups.ts'
import { listMembers } from '../../../identity/list-members.ts'
import { removeMembers } from '../../../identity/remove-members.ts'
import {
  createGroupSchema,
  getGroupSchema,
  listGroupsSchema,
  listMembersSchema,
  memberCallSchema,
  parseEntities,
  parseGroupId,
  parseNewGroup,
  renderGroup,
  renderMember,
} from '../wire/groups.ts'
import { idOrName } from '../wire/ids.ts'
import { locationOf } from '../wire/location.ts'
import { cappedAt, parsePage, parseSearch, renderPagination } from '../wire/pages.ts'

interface GroupPath {
  readonly Params: { readonly groupId: string }
}

/** Groups and who is in them (contract §1.8). */
export function groupRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post('/groups', { schema: createGroupSchema }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const id = await createGroup(ctx, actor, parseNewGroup(request.body))
    return await reply
      .code(201)
      .header('location', locationOf(ctx, request, id))
      .send()
  })

  app.get('/groups', { schema: listGroupsSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const page = parsePage(request.query, cappedAt(100))
    const { items, total } = await listGroups(ctx, actor, parseSearch(request.query), page)
    return { groups: items.map(renderGroup), pagination: renderPagination(page, total) }
  })

  app.get<GroupPath>('/groups/:groupId', { schema: getGroupSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderGroup(await findGroup(ctx, actor, idOrName(request.params.groupId)))
  })

  app.get<GroupPath>('/groups/:groupId/entities', { schema: listMembersSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const groupId = parseGroupId(request.params.groupId)
    const page = parsePage(request.query, cappedAt(100))
    const { items, total } = await listMembers(ctx, actor, groupId, page)
    return { entities: items.map(renderMember), pagination: renderPagination(page, total) }
  })

  const addSchema = memberCallSchema('Add people and agents to a group, all or none')
  app.post<GroupPath>('/groups/:groupId/entities', { schema: addSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const groupId = parseGroupId(request.params.groupId)
    return renderGroup(await addMembers(ctx, actor, groupId, parseEntities(request.body)))
  })

  const removeSchema = memberCallSchema('Take people and agents out of a group, all or none')
  app.delete<GroupPath>('/groups/:groupId/entities', { schema: removeSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const groupId = parseGroupId(request.params.groupId)
    return renderGroup(await removeMembers(ctx, actor, groupId, parseEntities(request.body)))
  })
}
