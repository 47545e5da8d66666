import { Type } from 'typebox'
import type { Grant } from '../../../identity/grants/list-grants.ts'
import { answers, timestampSchema, uuidSchema } from './schemas.ts'

export const grantKinds = {
  permanent: 'PERMANENT',
  'time-restricted': 'TIME_RESTRICTED',
  floating: 'FLOATING',
} as const

/** Renders one role that somebody was granted. */
export function renderGrant(grant: Grant): object {
  return {
    id: grant.id,
    role: { id: grant.group_id, name: grant.group_name },
    kind: grantKinds[grant.kind],
    ...(grant.starts_at !== null && { startsAt: grant.starts_at.toISOString() }),
    ...(grant.ends_at !== null && { endsAt: grant.ends_at.toISOString() }),
    ...(grant.floating_hours !== null && { floatingHours: grant.floating_hours }),
    ...(grant.request_id !== null && { requestId: grant.request_id }),
    ...(grant.used_at !== null && { usedAt: grant.used_at.toISOString() }),
    createdAt: grant.created_at.toISOString(),
  }
}

const grantSchema = Type.Object({
  id: uuidSchema,
  role: Type.Object({ id: uuidSchema, name: Type.String() }),
  kind: Type.Enum(Object.values(grantKinds)),
  startsAt: Type.Optional(timestampSchema),
  endsAt: Type.Optional(timestampSchema),
  floatingHours: Type.Optional(Type.Integer({ description: 'How long it lasts from its first use on.' })),
  requestId: Type.Optional(uuidSchema),
  usedAt: Type.Optional(timestampSchema),
  createdAt: timestampSchema,
})

const tags = ['grants']

export const listGrantsSchema = {
  tags,
  summary: 'The roles that you were granted, by name; those that are over are left out',
  response: answers({ 200: Type.Object({ grants: Type.Array(grantSchema) }) }),
}

export const useGrantSchema = {
  tags,
  summary: 'Use a role that you were granted: the first use of a floating one sets its hours running',
  response: answers({ 200: grantSchema }),
}
