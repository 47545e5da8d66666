import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import type { Caller } from '../../identity/actor.ts'
import { recognizeAdminKey } from '../../identity/admin-key.ts'
import { requireScope } from '../../identity/api-keys/access.ts'
import { authenticateApiKey } from '../../identity/api-keys/authenticate.ts'
import { apiKeyPrefix } from '../../identity/api-keys/secret.ts'

/**
 * The caller that a machine's key stands for; null when the bearer is none. The admin key is looked for on management calls
 * alone: anywhere else it is not even compared.
 * @throws AppError API_KEY_INVALID
 */
export async function machineCaller(ctx: Ctx, request: FastifyRequest, bearer: string): Promise<Caller | null> {
  // The route as it was registered, not the path as it was written.
  const route = request.routeOptions.url ?? ''
  const admin = management.test(route) ? recognizeAdminKey(ctx, bearer, request.headers.host) : null
  if (admin !== null) return admin
  if (!bearer.startsWith(apiKeyPrefix)) return null
  return await authenticateApiKey(ctx, bearer)
}

const management = /^\/v1\/(?:users|sessions|agents|api-keys|webhook-keys|deliveries)(?:\/|$)/
const reading = new Set(['GET', 'HEAD'])

/** To be asked once the call has been counted (contract §0): a key out of scope is held to the limit too. @throws AppError API_KEY_SCOPE_MISSING */
export function refuseMissingScope({ caller, method }: FastifyRequest): void {
  const isSignedIn = caller !== undefined && caller !== null
  if (isSignedIn) requireScope(caller, reading.has(method) ? 'native:read' : 'native:write')
}
