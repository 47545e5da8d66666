import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { frontendUrl } from './frontend.ts'

/**
 * Refuses what another site makes a browser send: SameSite cookies still go along from a neighbour under the same domain.
 * Fetch Metadata says where a request comes from, or else Origin; neither can be forged by a page. Without any of them
 * only a call without cookies passes, to which no browser has added anything.
 * @throws AppError CSRF_REFUSED
 */
export function requireOwnSite(ctx: Ctx, { headers }: FastifyRequest): void {
  const { 'sec-fetch-site': site, origin, cookie } = headers
  if (site === undefined && origin === undefined && cookie === undefined) return
  // `none`: the person did it themselves, from the address bar.
  if (site === 'same-origin' || site === 'none') return
  const own = [ctx.publicUrl, frontendUrl(ctx)].map((url) => new URL(url).origin)
  if (origin === undefined || !own.includes(origin)) throw new AppError('CSRF_REFUSED')
}
