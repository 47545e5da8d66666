import { Type } from 'typebox'
import type { Profile } from '../../../identity/find-profile.ts'
import { renderRoles, roleItemSchema } from './roles.ts'
import { answers, concurrencyControlSchema, uuidSchema } from './schemas.ts'
import { groupRefSchema, orgRoleSchema } from './users.ts'

/** Renders what a caller may know of themselves (contract §1.3, the full form). */
export function renderAuthInfo({ id, kind, groups, bindings, is_admin, row_version }: Profile): object {
  const common = { id, groups, roles: renderRoles(bindings) }
  if (kind === 'agent') return { entityType: 'agent', ...common }
  const orgRole = is_admin ? 'admin' : 'member'
  return { entityType: 'user', ...common, orgRole, concurrencyControl: { version: row_version } }
}

export const authInfoSchema = {
  summary: 'Who is calling',
  tags: ['authentication'],
  response: answers({
    200: Type.Object({
      entityType: Type.Enum(['user', 'agent']),
      id: uuidSchema,
      groups: Type.Array(groupRefSchema),
      roles: Type.Array(roleItemSchema),
      orgRole: Type.Optional(orgRoleSchema),
      concurrencyControl: Type.Optional(concurrencyControlSchema),
    }),
  }),
}
