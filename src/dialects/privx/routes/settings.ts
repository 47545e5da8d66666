import type { FastifyInstance } from 'fastify'
import { loadMember } from '../../../access/member.ts'
import { changeSettings, readSettings } from '../../../access/settings.ts'
import { mailSettingsTester } from '../../../access/test-mail-settings.ts'
import type { Ctx } from '../../../context.ts'
import { forHolders } from '../rights.ts'
import { parseSettings, renderSettings, renderTrial } from '../wire/settings.ts'

/** The engine's settings, and a test of those about mail (contract privx §3, rows 15 to 17). */
export function settingsRoutes(app: FastifyInstance, ctx: Ctx): void {
  const testMailSettings = mailSettingsTester(ctx)
  const managers = forHolders(ctx, 'workflows-manage')

  app.get('/settings', managers, async (request) =>
    renderSettings(await readSettings(ctx, await loadMember(ctx, request.caller))),
  )

  app.put('/settings', managers, async (request) => {
    await changeSettings(ctx, await loadMember(ctx, request.caller), parseSettings(request.body))
    return {}
  })

  app.post('/testsmtp', managers, async (request) => {
    return renderTrial(await testMailSettings(await loadMember(ctx, request.caller), parseSettings(request.body)))
  })
}
