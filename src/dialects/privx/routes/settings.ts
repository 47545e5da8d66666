import type { FastifyInstance } from 'fastify'
import { loadMember } from '../../../access/member.ts'
import { changeSettings, readSettings } from '../../../access/settings.ts'
import { mailSettingsTester } from '../../../access/test-mail-settings.ts'
import type { Ctx } from '../../../context.ts'
import { parseSettings, renderSettings, renderTrial } from '../wire/settings.ts'

/** The engine's settings, and a test of those about mail (contract privx §3, rows 15 to 17). */
export function settingsRoutes(app: FastifyInstance, ctx: Ctx): void {
  const testMailSettings = mailSettingsTester(ctx)

  app.get('/settings', async (request) =>
    renderSettings(await readSettings(ctx, await loadMember(ctx, request.caller))),
  )

  app.put('/settings', async (request) => {
    const member = await loadMember(ctx, request.caller)
    member.access.require('workflows-manage')
    await changeSettings(ctx, member, parseSettings(request.body))
    return {}
  })

  app.post('/testsmtp', async (request) => {
    const member = await loadMember(ctx, request.caller)
    member.access.require('workflows-manage')
    return renderTrial(await testMailSettings(member, parseSettings(request.body)))
  })
}
