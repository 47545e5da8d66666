import type { FastifyInstance } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopback } from '../../../config/checks.ts'
import { readEnv } from '../../../config/env.ts'
import type { Ctx } from '../../../context.ts'
import { demoPeople } from './people.ts'
import { AppError } from '../../../errors.ts'
import { developmentPath } from './issuer.ts'
import { isOwnName } from './own-name.ts'
import { contentSecurityPolicy, signInPage } from './page.ts'
import { serverSecret } from '../../../store/server-secrets.ts'

/**
 * The embedded OpenID provider under `/oidc`, in a scope of its own: no access token, no body parser (design §6).
 * @throws AppError CONFIGURATION_INVALID where it could be reached by others: anyone may be anyone here
 */
export async function developmentSignIn(app: FastifyInstance, ctx: Ctx): Promise<void> {
  if (readEnv().NODE_ENV === 'production' || !isLoopback(ctx.config.host)) {
    throw new AppError('CONFIGURATION_INVALID', 'The development sign-in serves loopback addresses only.')
  }
  const handlerFor = await handlers(ctx)

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.addHook('onRequest', async (request, reply) => {
    refuseForeignName(ctx, request.headers.host)
    reply.header('referrer-policy', 'no-referrer').header('x-content-type-options', 'nosniff')
  })

  app.get(`${developmentPath}/sign-in`, { schema: { hide: true } }, async (request, reply) => {
    const query = new URLSearchParams(request.url.split('?')[1])
    return await reply
      .header('content-security-policy', contentSecurityPolicy(ctx.publicUrl))
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(signInPage(`${developmentPath}/auth`, query, demoPeople))
  })

  app.all(`${developmentPath}/*`, { schema: { hide: true } }, (request, reply) => {
    reply.hijack()
    const { raw } = request
    const { host, protocol } = new URL(ctx.publicUrl)
    // Its answers name its addresses; they are those of the issuer, by whatever name the caller found us.
    Object.assign(raw.headers, { host, 'x-forwarded-host': host, 'x-forwarded-proto': protocol.replace(':', '') })
    Object.assign(raw, { originalUrl: raw.url, url: raw.url?.slice(developmentPath.length) })
    handlerFor(ctx.publicUrl)(raw, reply.raw)
  })

  ctx.identityProvider.reachThrough(async (url, { method, headers, body }) => {
    const { pathname, search } = new URL(url)
    const answer = await app.inject({
      method: method as 'GET' | 'POST',
      url: `${pathname}${search}`,
      headers: { ...headers },
      ...(body && { payload: await new Response(body).text() }),
    })
    const answerHeaders = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)])
    return new Response(answer.body, { status: answer.statusCode, headers: answerHeaders })
  })
}

/**
 * A page whose own name was made to resolve to this machine (DNS rebinding) could read what it fetches here, and so the
 * code of anyone it names.
 * @throws AppError MALFORMED_REQUEST
 */
function refuseForeignName({ publicUrl }: Ctx, host: string | undefined): void {
  if (isOwnName(publicUrl, host)) return
  throw new AppError('MALFORMED_REQUEST', 'The development sign-in answers to the names of this machine only.', {
    field: 'Host',
  })
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** The issuer holds the port, which is known once the listener is: the provider is made when it is first asked. */
async function handlers(ctx: Ctx): Promise<(publicUrl: string) => Handler> {
  const { developmentProvider } = await import('./provider.ts')
  const secret = (name: string) => serverSecret(ctx.db, name, ctx.config.masterKeys, ctx.clock.now())
  const secrets = { signing: await secret('development-sign-in'), cookies: await secret('development-cookies') }
  let known: { publicUrl: string; handler: Handler } | null = null
  return (publicUrl) => {
    if (known?.publicUrl !== publicUrl) {
      const provider = developmentProvider({ publicUrl, people: demoPeople, secrets, log: ctx.log })
      known = { publicUrl, handler: provider.callback() }
    }
    return known.handler
  }
}
