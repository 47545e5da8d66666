import { Type } from 'typebox'
import type { ErrorCode } from '../../../errors.ts'
import type { NewQuota } from '../../../identity/create-quota.ts'
import type { Quota } from '../../../identity/find-quota.ts'
import type { QuotaFilter } from '../../../identity/list-quotas.ts'
import { quotaScopes, quotaTypes, quotaTypesAt } from '../../../identity/quota-scopes.ts'
import { uuidOf } from './ids.ts'
import { pageQuery, paginationSchema } from './pages.ts'
import { asObject, refuse, type JsonObject } from './read.ts'
import { answers, noBody, timestampSchema, uuidSchema } from './schemas.ts'

/** Reads the body of `POST /quotas`. @throws AppError with the codes of contract §1.10, in their order */
export function parseNewQuota(value: unknown): NewQuota {
  const body = asObject(value, 'MALFORMED_OBJECT')
  const limit = limitOf(required(body, 'limit', 'MISSING_LIMIT'))
  const scope = oneOf(quotaScopes, required(body, 'scope', 'MISSING_SCOPE'), 'INVALID_SCOPE', 'scope')
  const type = required(body, 'quotaType', 'MISSING_QUOTATYPE')
  const quotaType = oneOf(quotaTypes, type, 'INVALID_QUOTATYPE', 'quotaType')
  const targetId = uuidOf(required(body, 'targetId', 'MISSING_TARGETID')) ?? refuse('INVALID_TARGETID', 'targetId')
  if (!quotaTypesAt[scope].includes(quotaType)) refuse('INVALID_SCOPE_QUOTATYPE_COMBINATION', 'quotaType')
  return { limit, scope, quotaType, targetId }
}

/** Reads the body of `PATCH /quotas/{quotaId}`: the new limit, null for none. @throws AppError INVALID_LIMIT */
export function parseQuotaChange(value: unknown): number | null {
  const { limit } = asObject(value)
  return limit === undefined ? null : limitOf(limit)
}

/** Reads the filters of `GET /quotas`. @throws AppError INVALID_SCOPE, INVALID_TARGETID, INVALID_QUOTATYPE */
export function parseQuotaFilter(value: unknown): QuotaFilter {
  const { scope, targetId, quotaType } = value as JsonObject
  return {
    scope: scope === undefined ? null : oneOf(quotaScopes, scope, 'INVALID_SCOPE', 'scope'),
    targetId: targetId === undefined ? null : (uuidOf(targetId) ?? refuse('INVALID_TARGETID', 'targetId')),
    quotaType: quotaType === undefined ? null : oneOf(quotaTypes, quotaType, 'INVALID_QUOTATYPE', 'quotaType'),
  }
}

/** Renders a Quota (contract §2.11). */
export function renderQuota({ id, limit, quota_type, scope, target_id, created_at, updated_at }: Quota): object {
  return {
    id,
    limit: Number(limit),
    quotaType: quota_type,
    scope,
    targetId: target_id,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  }
}

function required(body: JsonObject, field: string, code: ErrorCode): unknown {
  return body[field] === undefined ? refuse(code, field) : body[field]
}

function limitOf(value: unknown): number {
  const isLimit = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  return isLimit ? value : refuse('QUOTA_INVALID_LIMIT', 'limit')
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown, code: ErrorCode, field: string): T {
  return allowed.find((candidate) => candidate === value) ?? refuse(code, field)
}

const scopeSchema = Type.Enum([...quotaScopes])
const typeSchema = Type.Enum([...quotaTypes])
const limitSchema = Type.Integer({ minimum: 0 })

const quotaSchema = Type.Object({
  id: uuidSchema,
  limit: limitSchema,
  quotaType: typeSchema,
  scope: scopeSchema,
  targetId: uuidSchema,
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
})

const tags = ['quotas']

export const createQuotaSchema = {
  summary: 'Set a limit; at scope Org the target is the organization, whatever was sent',
  tags,
  body: Type.Object({ limit: limitSchema, scope: scopeSchema, quotaType: typeSchema, targetId: uuidSchema }),
  response: answers({ 201: quotaSchema }),
}

export const listQuotasSchema = {
  summary: 'The limits that are set, newest first',
  tags,
  querystring: Type.Object({
    ...pageQuery,
    scope: Type.Optional(scopeSchema),
    targetId: Type.Optional(uuidSchema),
    quotaType: Type.Optional(typeSchema),
  }),
  response: answers({ 200: Type.Object({ data: Type.Array(quotaSchema), pagination: paginationSchema }) }),
}

export const getQuotaSchema = { summary: 'One limit', tags, response: answers({ 200: quotaSchema }) }

export const changeQuotaSchema = {
  summary: 'Change a limit',
  tags,
  body: Type.Object({ limit: Type.Optional(limitSchema) }),
  response: answers({ 200: quotaSchema }),
}

export const deleteQuotaSchema = { summary: 'Lift a limit', tags, response: answers({ 204: noBody }) }
