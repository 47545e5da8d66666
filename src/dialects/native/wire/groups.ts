import { Type } from 'typebox'
import type { Entity } from '../../../identity/add-members.ts'
import type { NewGroup } from '../../../identity/create-group.ts'
import type { Group } from '../../../identity/find-group.ts'
import type { Member } from '../../../identity/list-members.ts'
import { uuidOf } from './ids.ts'
import { pageQuery, paginationSchema } from './pages.ts'
import { asObject, optionalText, refuse } from './read.ts'
import { answers, createdNoBody, timestampSchema, uuidSchema } from './schemas.ts'
import { requiredText } from './texts.ts'

const nameCodes = {
  empty: 'GROUP_NAME_EMPTY',
  tooLong: 'GROUP_NAME_TOO_LONG',
  invalid: 'GROUP_NAME_INVALID_CHARACTERS',
} as const
const descriptionCodes = { type: 'MALFORMED_REQUEST', tooLong: 'GROUP_DESCRIPTION_TOO_LONG' } as const

/** Reads the body of `POST /groups`. @throws AppError with the codes of contract §1.8 */
export function parseNewGroup(value: unknown): NewGroup {
  const body = asObject(value)
  const isName = (text: string) => /^[a-zA-Z](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(text)
  const name = requiredText(body, 'name', nameCodes, 512, isName)
  return { name, description: optionalText(body, 'description', descriptionCodes, 2048) }
}

/** @throws AppError REQUEST_INVALID_GROUP_UUID */
export function parseGroupId(groupId: string): string {
  return uuidOf(groupId) ?? refuse('REQUEST_INVALID_GROUP_UUID', 'groupId')
}

const kinds: Readonly<Record<string, Entity['kind']>> = { human: 'human', agent: 'agent', system: 'agent' }

/** Reads the entities of a membership change. @throws AppError MALFORMED_REQUEST, REQUEST_INVALID_ENTITY_UUID */
export function parseEntities(value: unknown): Entity[] {
  const { entities } = asObject(value)
  if (!Array.isArray(entities)) refuse('MALFORMED_REQUEST', 'entities')
  return entities.map((item: unknown, index) => {
    const at = `entities[${index}].entity`
    const { entityType, entityId } = asObject(asObject(item, undefined, `entities[${index}]`)['entity'], undefined, at)
    const kind = typeof entityType === 'string' && Object.hasOwn(kinds, entityType) ? kinds[entityType] : undefined
    if (kind === undefined) refuse('MALFORMED_REQUEST', `${at}.entityType`)
    return { kind, id: uuidOf(entityId) ?? refuse('REQUEST_INVALID_ENTITY_UUID', `${at}.entityId`) }
  })
}

/** Renders a Group (contract §2.7). */
export function renderGroup({ id, name, description, member_count, created_at, updated_at }: Group): object {
  return {
    id,
    name,
    ...(description !== null && { description }),
    entitiesCount: member_count,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  }
}

/** Renders a GroupMembership (contract §2.7). */
export function renderMember({ principal_id, kind, added_at }: Member): object {
  return { entity: { entityType: kind, entityId: principal_id }, addedAt: added_at.toISOString() }
}

const groupSchema = Type.Object({
  id: uuidSchema,
  name: Type.String(),
  description: Type.Optional(Type.String()),
  entitiesCount: Type.Integer({ minimum: 0 }),
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
})

const entitySchema = Type.Object({ entityType: Type.Enum(['human', 'agent']), entityId: uuidSchema })

export const createGroupSchema = {
  summary: 'Create a group, with the caller as its first member and manager',
  tags: ['groups'],
  body: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 512 }),
    description: Type.Optional(Type.String({ maxLength: 2048 })),
  }),
  response: answers({ 201: createdNoBody }),
}

export const listGroupsSchema = {
  summary: 'Groups, oldest first: every one for an admin, their own for a member',
  tags: ['groups'],
  querystring: Type.Object({ search: Type.Optional(Type.String()), ...pageQuery }),
  response: answers({ 200: Type.Object({ groups: Type.Array(groupSchema), pagination: paginationSchema }) }),
}

export const getGroupSchema = {
  summary: 'One group, by id or name',
  tags: ['groups'],
  response: answers({ 200: groupSchema }),
}

export const listMembersSchema = {
  summary: 'Who is in a group, in the order they were added',
  tags: ['groups'],
  querystring: Type.Object(pageQuery),
  response: answers({
    200: Type.Object({
      entities: Type.Array(Type.Object({ entity: entitySchema, addedAt: timestampSchema })),
      pagination: paginationSchema,
    }),
  }),
}

/** The schema of a call that changes who is in a group. */
export function memberCallSchema(summary: string): object {
  const body = Type.Object({ entities: Type.Array(Type.Object({ entity: entitySchema })) })
  return { summary, tags: ['groups'], body, response: answers({ 200: groupSchema }) }
}
