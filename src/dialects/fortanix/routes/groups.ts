import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { deleteGroup, listGroups, readGroup } from '../../../custody/groups.ts'
import { createGroupOperation } from '../../../custody/operations/create-group.ts'
import { updateGroupOperation } from '../../../custody/operations/update-group.ts'
import { perform } from '../../../custody/perform.ts'
import { parseGroup, parseNewGroup, renderGroup } from '../wire/groups.ts'
import { parseId } from '../wire/ids.ts'
import { parsePreviousSlice } from '../wire/lists.ts'
import { nothing } from '../wire/nothing.ts'

interface IdPath {
  readonly Params: { readonly id: string }
}

/** Contract fortanix §4, §7. */
export function groupRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/groups', async ({ custodian, query }) => {
    const groups = await listGroups(ctx, custodian, parsePreviousSlice(query))
    return groups.map(renderGroup)
  })

  app.post('/groups', async ({ custodian, body }, reply) => {
    const group = await perform(ctx, createGroupOperation, custodian, parseNewGroup(body))
    return reply.code(201).send(renderGroup(group))
  })

  app.get<IdPath>('/groups/:id', async ({ custodian, params }) =>
    renderGroup(await readGroup(ctx, custodian, parseId('group_id', params.id))),
  )

  app.patch<IdPath>('/groups/:id', async ({ custodian, params, body }) => {
    const input = parseGroup(parseId('group_id', params.id), body)
    return renderGroup(await perform(ctx, updateGroupOperation, custodian, input))
  })

  app.delete<IdPath>('/groups/:id', async ({ custodian, params }, reply) => {
    await deleteGroup(ctx, custodian, parseId('group_id', params.id))
    return nothing(reply)
  })
}
