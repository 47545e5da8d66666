import type { Ctx } from '../context.ts'
import type { Listed, Page } from '../store/page.ts'
import { countSessions, listSessions as findSessions, type SessionRow } from '../store/sessions.ts'
import type { Actor } from './actor.ts'
import { refreshTokenDays } from './token-pair.ts'

export type Session = SessionRow

/** The caller's own sign-ins that can still be refreshed, newest first. */
export async function listSessions(ctx: Ctx, actor: Actor, page: Page): Promise<Listed<Session>> {
  const since = new Date(ctx.clock.now().getTime() - refreshTokenDays * 86_400_000)
  const items = await findSessions(ctx.db, actor.orgId, actor.principalId, since, page)
  return { items, total: await countSessions(ctx.db, actor.orgId, actor.principalId, since) }
}
