import type { World } from './world.ts'

/** Follows the redirects of the embedded provider, as a script would, to the one that leaves it for the client. */
export async function authorize(world: World, authorizationUrl: string, email: string): Promise<URL> {
  let next = new URL(authorizationUrl)
  next.searchParams.append('login_hint', email)
  const issuer = `${world.ctx.publicUrl}/oidc/`
  while (next.href.startsWith(issuer)) {
    const answer = await world.app.inject({ method: 'GET', url: `${next.pathname}${next.search}` })
    const location = answer.headers.location
    if (typeof location !== 'string') throw new Error(`the provider answered ${answer.statusCode}: ${answer.body}`)
    next = new URL(location, next)
  }
  return next
}

export const clientRedirect = 'http://127.0.0.1:4711/callback'

/** A code and its state, ready to be redeemed. */
export async function startedSignIn(world: World, email: string): Promise<{ code: string; state: string }> {
  const started = await world.anyone.post('/auth/cli/initiate', { redirectUri: clientRedirect })
  const { searchParams } = await authorize(world, started.body.authorizationUrl, email)
  return { code: searchParams.get('code') ?? '', state: searchParams.get('state') ?? '' }
}
