import { randomBytes } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { browserBinding } from './flow-binding.ts'
import { startSignIn, type StartedFlow } from './start-sign-in.ts'
import { webRedirect } from './web-redirect.ts'

export interface StartedWebFlow extends StartedFlow {
  /** For the browser to keep and bring along to the callback. */
  readonly browserSecret: string
}

/**
 * Opens a sign-in that only the browser which asked for it can complete with cookies.
 * @throws AppError IDENTITY_PROVIDER_FAILED
 */
export async function startWebSignIn(ctx: Ctx): Promise<StartedWebFlow> {
  const browserSecret = randomBytes(32).toString('base64url')
  const flow = { purpose: 'login', redirectUri: webRedirect(ctx), binding: browserBinding(browserSecret) } as const
  return { ...(await startSignIn(ctx, null, flow)), browserSecret }
}
