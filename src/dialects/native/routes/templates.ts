import type { FastifyInstance } from 'fastify'
import { createPolicy } from '../../../approvals/create-policy.ts'
import { deletePolicy } from '../../../approvals/delete-policy.ts'
import { deprecatePolicy } from '../../../approvals/deprecate-policy.ts'
import { findPolicy } from '../../../approvals/find-policy.ts'
import { listPolicies } from '../../../approvals/list-policies.ts'
import { findPolicyToChange } from '../../../approvals/policy-access.ts'
import { updatePolicy } from '../../../approvals/update-policy.ts'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { idOrName } from '../wire/ids.ts'
import { locationOf } from '../wire/location.ts'
import type { JsonObject } from '../wire/read.ts'
import { parseTemplateQuery, renderTemplatePage } from '../wire/template-list.ts'
import * as schemas from '../wire/template-schemas.ts'
import {
  parseDeprecation,
  parseNewTemplate,
  parseTemplateUpdate,
  renderTemplate,
  renderWrittenTemplate,
} from '../wire/templates.ts'

interface TemplatePath {
  readonly Params: { readonly templateIdentifier: string }
}

/** Workflow templates (contract §1.5). */
export function templateRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.post('/workflow-templates', { schema: schemas.createTemplate }, async (request, reply) => {
    const actor = await loadActor(ctx.db, request.caller)
    const written = await createPolicy(ctx, actor, parseNewTemplate(request.body))
    return reply
      .code(201)
      .header('Location', locationOf(ctx, request, written.policy.id))
      .send(renderWrittenTemplate(written))
  })

  app.get('/workflow-templates', { schema: schemas.listTemplates }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    const query = parseTemplateQuery(request.query as JsonObject)
    return renderTemplatePage(await listPolicies(ctx, actor, query), query)
  })

  app.get<TemplatePath>('/workflow-templates/:templateIdentifier', { schema: schemas.getTemplate }, async (request) => {
    const { orgId } = await loadActor(ctx.db, request.caller)
    return renderTemplate(await findPolicy(ctx, orgId, idOrName(request.params.templateIdentifier)))
  })

  // The contract's order for a change: whoever may not make it learns nothing about what they sent.
  app.put<TemplatePath>(
    '/workflow-templates/:templateIdentifier',
    { schema: schemas.updateTemplate },
    async (request) => {
      const actor = await loadActor(ctx.db, request.caller)
      const key = idOrName(request.params.templateIdentifier)
      const seen = await findPolicyToChange(ctx, actor, key)
      const changes = parseTemplateUpdate(request.body)
      return renderWrittenTemplate(await updatePolicy(ctx, actor, key, seen, changes))
    },
  )

  app.post<TemplatePath>(
    '/workflow-templates/:templateIdentifier/deprecate',
    { schema: schemas.deprecateTemplate },
    async (request) => {
      const actor = await loadActor(ctx.db, request.caller)
      const key = idOrName(request.params.templateIdentifier)
      const asked = parseDeprecation(request.body)
      const seen = await findPolicyToChange(ctx, actor, key)
      return renderTemplate(await deprecatePolicy(ctx, actor, key, seen, asked))
    },
  )

  app.delete<TemplatePath>(
    '/workflow-templates/:templateIdentifier',
    { schema: schemas.deleteTemplate },
    async (request, reply) => {
      const actor = await loadActor(ctx.db, request.caller)
      await deletePolicy(ctx, actor, idOrName(request.params.templateIdentifier))
      return reply.code(204).send()
    },
  )
}
