import type { FastifyInstance } from 'fastify'
import type { Ctx } from '../../../context.ts'
import { actionTester } from '../../../deliveries/test-action.ts'
import { loadActor } from '../../../identity/actor.ts'
import { parseActionTest, renderActionTest, testActionSchema } from '../wire/action-tests.ts'

/** Sending a sample of an action: an addition of ours. */
export function actionTestRoutes(app: FastifyInstance, ctx: Ctx): void {
  const testAction = actionTester(ctx)
  app.post('/v1/actions/test', { schema: testActionSchema }, async (request) => {
    const actor = await loadActor(ctx.db, request.caller)
    return renderActionTest(await testAction(actor, parseActionTest(request.body)))
  })
}
