import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { deleteGroup, listGroups, readGroup } from '../../../custody/groups.ts'
import type { IdPath } from '../../shared/ids.ts'
import { renderGroup } from '../wire/groups.ts'
import { parseId } from '../wire/ids.ts'
import { parsePreviousSlice } from '../wire/lists.ts'
import { nothing } from '../wire/nothing.ts'

/** Contract fortanix §4, §7. */
export function groupRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/groups', async ({ custodian, query }) => {
    const groups = await listGroups(ctx, custodian, parsePreviousSlice(query))
    return groups.map(renderGroup)
  })

  app.get<IdPath>('/groups/:id', async ({ custodian, params }) =>
    renderGroup(await readGroup(ctx, custodian, parseId('group_id', params.id))),
  )

  app.delete<IdPath>('/groups/:id', async ({ custodian, params }, reply) => {
    await deleteGroup(ctx, custodian, parseId('group_id', params.id))
    return nothing(reply)
  })
}
