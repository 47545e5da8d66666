import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { hashOfState } from '../../identity/oidc/pkce.ts'
import { flowMinutes } from '../../identity/oidc/start-sign-in.ts'
import { webCallbackPath } from '../../identity/oidc/web-redirect.ts'
import { accessTokenSeconds, stepUpSeconds } from '../../identity/access-token.ts'
import { hasSecureCookies } from '../../identity/secure-cookies.ts'
import { refreshTokenDays, type TokenPair } from '../../identity/token-pair.ts'

interface Cookie {
  readonly name: string
  readonly path: string
  readonly sameSite: 'lax' | 'strict'
  readonly maxAge: number
}

/** The cookies of contract §6.3. */
export const cookies = {
  access: { name: 'access_token', path: '/', sameSite: 'lax', maxAge: accessTokenSeconds },
  refresh: {
    name: 'refresh_token',
    path: '/auth/web/refresh',
    sameSite: 'strict',
    maxAge: refreshTokenDays * 86_400,
  },
  privilege: { name: 'privilege_token', path: '/', sameSite: 'strict', maxAge: stepUpSeconds },
} as const satisfies Record<string, Cookie>

/**
 * Ours: the secret of the browser that began a sign-in. One a flow, so that two tabs may sign in at once; Lax, since it
 * has to come along when the provider sends the browser back.
 */
export function flowCookie(state: string): Cookie {
  const name = `sign_in_${hashOfState(state).slice(0, 16)}`
  return { name, path: webCallbackPath, sameSite: 'lax', maxAge: flowMinutes * 60 }
}

export function setCookie(ctx: Ctx, reply: FastifyReply, cookie: Cookie, value: string): void {
  void reply.setCookie(cookie.name, value, { ...attributesOf(ctx, cookie), maxAge: cookie.maxAge })
}

export function clearCookie(ctx: Ctx, reply: FastifyReply, cookie: Cookie): void {
  void reply.clearCookie(cookie.name, attributesOf(ctx, cookie))
}

export function setTokenCookies(ctx: Ctx, reply: FastifyReply, { accessToken, refreshToken }: TokenPair): void {
  setCookie(ctx, reply, cookies.access, accessToken)
  setCookie(ctx, reply, cookies.refresh, refreshToken)
}

/** Empty counts as absent, as browsers send what they were told to clear. */
export function readCookie(request: FastifyRequest, { name }: Cookie): string | undefined {
  return request.cookies[name] || undefined
}

function attributesOf(ctx: Ctx, { path, sameSite }: Cookie): CookieSerializeOptions {
  return { path, sameSite, httpOnly: true, secure: hasSecureCookies(ctx) }
}
