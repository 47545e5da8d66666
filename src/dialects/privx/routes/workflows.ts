import type { FastifyInstance } from 'fastify'
import { loadMember } from '../../../access/member.ts'
import {
  readRequestable,
  readWorkflow,
  readWorkflows,
  requireChangeableWorkflow,
  requireView,
} from '../../../access/read-workflows.ts'
import { changeWorkflow, createWorkflow, deleteWorkflow } from '../../../access/write-workflow.ts'
import type { Ctx } from '../../../context.ts'
import type { WorkflowSortKey } from '../../../store/privx-workflows.ts'
import type { IdPath } from '../../shared/ids.ts'
import { forHolders } from '../rights.ts'
import { answerCreated } from '../wire/created.ts'
import { idInPath } from '../wire/paths.ts'
import { parseListQuery, renderList } from '../wire/lists.ts'
import { parseWorkflow, renderRequestable, renderWorkflow } from '../wire/workflows.ts'

// A workflow has no status: by it all are alike.
const sortKeys = ['name', 'id', 'created', 'updated', 'status', 'action'] as const

/** Workflows, and the roles that can be asked for by them (contract privx §3, rows 2 to 7). */
export function workflowRoutes(app: FastifyInstance, ctx: Ctx): void {
  const managers = forHolders(ctx, 'workflows-manage')

  app.get('/workflows', async (request) => {
    const member = await loadMember(ctx, request.caller)
    requireView(member)
    const byDefault = { sortKey: 'name', isDescending: false } as const
    const { sortKey, isDescending, ...range } = parseListQuery(request.query, { sortKeys, byDefault })
    const key: WorkflowSortKey | null = sortKey === 'status' ? null : sortKey
    const order = { key, direction: isDescending ? 'desc' : 'asc' } as const
    const { items, total } = await readWorkflows(ctx, member, order, range)
    return renderList(items.map(renderWorkflow), total)
  })

  app.post('/workflows', managers, async (request, reply) => {
    const member = await loadMember(ctx, request.caller)
    const { id } = await createWorkflow(ctx, member, parseWorkflow(request.body))
    return answerCreated(request, reply, id)
  })

  app.get('/workflows/roles', async (request) => {
    const member = await loadMember(ctx, request.caller)
    const byDefault = { sortKey: 'name', isDescending: false } as const
    const range = parseListQuery(request.query, { sortKeys: ['name'], byDefault, maxLimit: 1000 })
    const { items, total } = await readRequestable(ctx, member, range)
    return renderList(items.map(renderRequestable), total)
  })

  app.get<IdPath>('/workflows/:id', async (request) => {
    const member = await loadMember(ctx, request.caller)
    return renderWorkflow(await readWorkflow(ctx, member, idInPath(request.params.id)))
  })

  // Whoever names none learns nothing about what they sent.
  app.put<IdPath>('/workflows/:id', managers, async (request) => {
    const member = await loadMember(ctx, request.caller)
    const id = idInPath(request.params.id)
    await requireChangeableWorkflow(ctx, member, id)
    await changeWorkflow(ctx, member, id, parseWorkflow(request.body))
    return {}
  })

  app.delete<IdPath>('/workflows/:id', managers, async (request) => {
    const member = await loadMember(ctx, request.caller)
    await deleteWorkflow(ctx, member, idInPath(request.params.id))
    return {}
  })
}
