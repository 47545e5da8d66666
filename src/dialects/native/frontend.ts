import type { Ctx } from '../../context.ts'

/** Where browsers are sent after a sign-in, without a trailing slash. */
export function frontendUrl({ config, publicUrl }: Ctx): string {
  return config.frontendUrl ?? `${publicUrl}/ui`
}
