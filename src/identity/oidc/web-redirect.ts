import type { Ctx } from '../../context.ts'

export const webCallbackPath = '/auth/web/callback'

/** The one address that browsers are sent back to from the provider, to be registered there. */
export function webRedirect({ publicUrl }: Ctx): string {
  return `${publicUrl}${webCallbackPath}`
}
