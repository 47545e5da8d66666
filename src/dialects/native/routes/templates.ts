import type { FastifyInstance } from 'fastify'
import { createPolicy } from '../../../approvals/create-policy.ts'
import { findPolicy } from '../../../approvals/find-policy.ts'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { locationOf } from '../location.ts'
import { idOrName } from '../wire/ids.ts'
import { parseNewTemplate, renderTemplate, renderWrittenTemplate } from '../wire/templates.ts'

interface TemplatePath {
  readonly Params: { readonly templateIdentifier: string }
}

/** Workflow templates (contract §1.5). */
export function templateRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post('/workflow-templates', async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const written = await createPolicy(ctx, actor, parseNewTemplate(request.body))
    return reply
      .code(201)
      .header('Location', locationOf(request, written.policy.id))
      .send(renderWrittenTemplate(written))
  })

  app.get<TemplatePath>('/workflow-templates/:templateIdentifier', async (request) => {
    const { orgId } = await loadActor(ctx.db, request.caller)
    return renderTemplate(await findPolicy(ctx, orgId, idOrName(request.params.templateIdentifier)))
  })
}
