import type { FastifyRequest } from 'fastify'
import { loadMember } from '../../access/member.ts'
import type { Ctx } from '../../context.ts'
import { requireAdministrator } from '../../identity/administer.ts'
import type { AccessPermission } from '../../identity/authorize.ts'

/** Asked before anything of the body is read: whoever lacks the right learns nothing of what they sent, and costs no work on it. */
interface Right {
  readonly onRequest: (request: FastifyRequest) => Promise<void>
}

/** For routes that need `privx-admin` (contract privx §7.3). The service asks again, in its transaction. */
export function forAdministrators(ctx: Ctx): Right {
  return { onRequest: async ({ caller }) => void (await requireAdministrator(ctx, caller)) }
}

/** For routes that need a permission (contract privx §3). The service asks again. */
export function forHolders(ctx: Ctx, permission: AccessPermission): Right {
  return { onRequest: async ({ caller }) => (await loadMember(ctx, caller)).access.require(permission) }
}
