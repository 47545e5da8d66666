import { Type } from 'typebox'
import type { Resolution, ResourceRef } from '../../../identity/resolve-resources.ts'
import { uuidOf } from './ids.ts'
import { asObject, refuse } from './read.ts'
import { answers, uuidSchema } from './schemas.ts'

const maxResources = 50

/** Reads the body of `POST /resources/resolve`. @throws AppError with the codes of contract §1.11 */
export function parseResources(value: unknown): readonly ResourceRef[] {
  const { resources } = asObject(value, 'MALFORMED_OBJECT')
  if (!Array.isArray(resources)) refuse('MISSING_RESOURCES', 'resources')
  if (resources.length === 0) refuse('EMPTY_RESOURCES', 'resources')
  if (resources.length > maxResources) refuse('TOO_MANY_RESOURCES', 'resources')
  return resources.map((item: unknown, index) => parseResource(item, `resources[${index}]`))
}

function parseResource(value: unknown, at: string): ResourceRef {
  const { type, id } = asObject(value, 'INVALID_RESOURCE_ITEM', at)
  if (type === undefined) refuse('MISSING_RESOURCE_TYPE', `${at}.type`)
  if (type !== 'space' && type !== 'group') refuse('INVALID_RESOURCE_TYPE_VALUE', `${at}.type`)
  if (id === undefined) refuse('MISSING_RESOURCE_ID', `${at}.id`)
  return { type, id: uuidOf(id) ?? refuse('INVALID_RESOURCE_ID_FORMAT', `${at}.id`) }
}

const reasons = { missing: 'NOT_FOUND', forbidden: 'NOT_AUTHORIZED' } as const

export function renderResolution({ resolved, denied }: Resolution): object {
  return { resolved, denied: denied.map(({ type, id, reason }) => ({ type, id, reason: reasons[reason] })) }
}

const typeSchema = Type.Enum(['space', 'group'])

export const resolveSchema = {
  summary: 'The names of spaces and groups',
  tags: ['resources'],
  body: Type.Object({
    resources: Type.Array(Type.Object({ type: typeSchema, id: uuidSchema }), { minItems: 1, maxItems: maxResources }),
  }),
  response: answers({
    200: Type.Object({
      resolved: Type.Array(Type.Object({ type: typeSchema, id: uuidSchema, name: Type.String() })),
      denied: Type.Array(Type.Object({ type: typeSchema, id: uuidSchema, reason: Type.Enum(Object.values(reasons)) })),
    }),
  }),
}
