import { Type } from 'typebox'
import type { NewSpace } from '../../../identity/create-space.ts'
import type { Space } from '../../../identity/find-space.ts'
import { pageQuery, paginationSchema } from './pages.ts'
import { asObject, optionalText } from './read.ts'
import { answers, createdNoBody, noBody, timestampSchema, uuidSchema } from './schemas.ts'
import { requiredText } from './texts.ts'

const nameCodes = {
  empty: 'SPACE_NAME_EMPTY',
  tooLong: 'SPACE_NAME_TOO_LONG',
  invalid: 'SPACE_NAME_INVALID_CHARACTERS',
} as const
const descriptionCodes = { type: 'MALFORMED_REQUEST', tooLong: 'SPACE_DESCRIPTION_TOO_LONG' } as const

/** Reads the body of `POST /spaces`. @throws AppError with the codes of contract §1.8 */
export function parseNewSpace(value: unknown): NewSpace {
  const body = asObject(value)
  const name = requiredText(body, 'name', nameCodes, 255, (text) => /^[a-zA-Z0-9\s_-]+$/.test(text))
  return { name, description: optionalText(body, 'description', descriptionCodes, 2048) }
}

/** Renders a Space (contract §2.7). */
export function renderSpace({ id, name, description, created_at, updated_at }: Space): object {
  return {
    id,
    name,
    ...(description !== null && { description }),
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  }
}

const spaceSchema = Type.Object({
  id: uuidSchema,
  name: Type.String(),
  description: Type.Optional(Type.String()),
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
})

export const createSpaceSchema = {
  summary: 'Create a space that the caller manages',
  tags: ['spaces'],
  body: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 255 }),
    description: Type.Optional(Type.String({ maxLength: 2048 })),
  }),
  response: answers({ 201: createdNoBody }),
}

export const listSpacesSchema = {
  summary: 'Every space, oldest first',
  tags: ['spaces'],
  querystring: Type.Object({ search: Type.Optional(Type.String()), ...pageQuery }),
  response: answers({ 200: Type.Object({ data: Type.Array(spaceSchema), pagination: paginationSchema }) }),
}

export const getSpaceSchema = { summary: 'One space', tags: ['spaces'], response: answers({ 200: spaceSchema }) }

export const deleteSpaceSchema = {
  summary: 'Delete a space with its templates, their workflows and votes',
  tags: ['spaces'],
  response: answers({ 204: noBody }),
}
