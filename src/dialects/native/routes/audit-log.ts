import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { loadActor } from '../../../identity/actor.ts'
import { listAuditLog, listOwnAuditLog } from '../../../identity/list-audit-log.ts'
import {
  listAuditLogSchema,
  listOwnAuditLogSchema,
  parseLogQuery,
  parseOwnLogQuery,
  renderLogPage,
} from '../wire/audit-log.ts'

/** The audit log (contract §1.11). */
export function auditLogRoutes(app: FastifyInstance, ctx: Ctx): void {
  app.get('/audit-logs', { schema: listAuditLogSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderLogPage(await listAuditLog(ctx, actor, parseLogQuery(request.query)))
  })

  app.get('/audit-logs/me', { schema: listOwnAuditLogSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderLogPage(await listOwnAuditLog(ctx, actor, parseOwnLogQuery(request.query)))
  })
}
