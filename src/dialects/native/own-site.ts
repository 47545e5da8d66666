import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'

/**
 * Refuses what another site makes a browser send: SameSite cookies still go along from a neighbour under the same domain.
 * Fetch Metadata says where a request comes from, or else Origin; neither can be forged by a page. Every browser of this
 * decade sends one of them with a write to another site, so a call without both comes from no foreign page (the rule of
 * Go's `http.CrossOriginProtection`, and of OWASP's cheat sheet on CSRF).
 * @throws AppError CSRF_REFUSED
 */
export function requireOwnSite(ctx: Ctx, { headers }: FastifyRequest): void {
  const { 'sec-fetch-site': site, origin } = headers
  if (site === undefined && origin === undefined) return
  // `none`: the person did it themselves, from the address bar.
  if (site === 'same-origin' || site === 'none') return
  const own = [ctx.publicUrl, ctx.frontendUrl].map((url) => new URL(url).origin)
  if (origin === undefined || !own.includes(origin)) throw new AppError('CSRF_REFUSED')
}
