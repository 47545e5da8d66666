import { Type } from 'typebox'
import type { Admin } from '../../../identity/list-admins.ts'
import type { AdminKey } from '../../../identity/remove-admin.ts'
import { pageQuery, paginationSchema, type PageRules } from './pages.ts'
import { asObject, refuse } from './read.ts'
import { answers, createdNoBody, noBody, timestampSchema, uuidSchema } from './schemas.ts'
import { isEmail, requiredText } from './texts.ts'
import { parseUserKey } from './users.ts'

const emailCodes = {
  empty: 'ORGANIZATION_ADMIN_EMAIL_EMPTY',
  tooLong: 'ORGANIZATION_ADMIN_EMAIL_TOO_LONG',
  invalid: 'ORGANIZATION_ADMIN_EMAIL_INVALID',
} as const

/** @throws AppError with the codes of contract §1.9 */
export function parseAdminEmail(value: unknown): string {
  return requiredText(asObject(value), 'email', emailCodes, 512, isEmail)
}

/** @throws AppError INVALID_IDENTIFIER_FORMAT */
export function parseAdminKey(value: unknown): AdminKey {
  const { userId } = asObject(value)
  const key = typeof userId === 'string' ? parseUserKey(userId) : null
  return key ?? refuse('INVALID_IDENTIFIER_FORMAT', 'userId')
}

/** This list tells what is no number from what is out of range (contract §1.9). */
export const adminPages: PageRules = {
  page: 'INVALID_PAGE_NUMBER',
  limit: 'INVALID_LIMIT_NUMBER',
  notNumber: 'INVALID_NUMBER_FORMAT',
  maxLimit: 100,
  overMax: 'refused',
}

/** Renders an OrganizationAdmin (contract §2.7). */
export function renderAdmin({ principal_id, email, created_at }: Admin): object {
  return { userId: principal_id, email, createdAt: created_at.toISOString() }
}

const tags = ['organization admins']

export const addAdminSchema = {
  summary: 'Make a user an organization admin',
  tags,
  body: Type.Object({ email: Type.String({ minLength: 1, maxLength: 512 }) }),
  response: answers({ 201: createdNoBody }),
}

export const listAdminsSchema = {
  summary: 'Organization admins, oldest first',
  tags,
  querystring: Type.Object(pageQuery),
  response: answers({
    200: Type.Object({
      data: Type.Array(Type.Object({ userId: uuidSchema, email: Type.String(), createdAt: timestampSchema })),
      pagination: paginationSchema,
    }),
  }),
}

export const removeAdminSchema = {
  summary: 'Make an organization admin a plain member again',
  tags,
  body: Type.Object({ userId: Type.String({ description: "The user's id, or e-mail address." }) }),
  response: answers({ 204: noBody }),
}
