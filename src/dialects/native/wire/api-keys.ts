import { Type } from 'typebox'
import type { NewApiKey, ShownApiKey } from '../../../identity/api-keys/create.ts'
import type { ApiKey } from '../../../identity/api-keys/find.ts'
import { apiKeyScopes, isApiKeyScope, type ApiKeyScope } from '../../../identity/api-keys/scopes.ts'
import { uuidOf } from './ids.ts'
import { pageQuery, paginationSchema } from './pages.ts'
import { asObject, refuse, type JsonObject } from './read.ts'
import { answers, noBody, timestampSchema, uuidSchema } from './schemas.ts'
import { requiredText } from './texts.ts'

const nameCodes = { empty: 'API_KEY_NAME_EMPTY', tooLong: 'API_KEY_NAME_TOO_LONG' } as const

/** Reads the body of `POST /v1/api-keys`. @throws AppError API_KEY_*, naming the field */
export function parseNewApiKey(value: unknown): NewApiKey {
  const body = asObject(value)
  return {
    name: requiredText(body, 'name', nameCodes, 255),
    principalId: parsePrincipalId(body['principalId'] ?? null),
    scopes: parseScopes(body['scopes']),
    expiresAt: parseInstant(body['expiresAt'] ?? null),
  }
}

/** Reads `principalId` of the body or the query; null when absent. @throws AppError API_KEY_PRINCIPAL_ID_INVALID */
export function parsePrincipalId(value: unknown): string | null {
  if (value === undefined || value === null) return null
  return uuidOf(value) ?? refuse('API_KEY_PRINCIPAL_ID_INVALID', 'principalId')
}

function parseScopes(value: unknown): ApiKeyScope[] {
  const isList = Array.isArray(value) && value.length > 0 && new Set(value).size === value.length
  if (!isList || !value.every(isApiKeyScope)) refuse('API_KEY_SCOPES_INVALID', 'scopes')
  return value
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** A timestamp of RFC 3339 section 5.6, in the form that every answer has. */
function parseInstant(value: unknown): Date | null {
  if (value === null) return null
  const time = typeof value === 'string' && instant.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? refuse('API_KEY_EXPIRES_AT_INVALID', 'expiresAt') : new Date(time)
}

const maxGraceSeconds = 86_400

/** Reads the body of a rotation, which may be absent. @throws AppError API_KEY_GRACE_SECONDS_INVALID */
export function parseGraceSeconds(value: unknown): number {
  const { graceSeconds = 0 }: JsonObject = value === undefined ? {} : asObject(value)
  const isGood = Number.isInteger(graceSeconds) && Number(graceSeconds) >= 0 && Number(graceSeconds) <= maxGraceSeconds
  return isGood ? Number(graceSeconds) : refuse('API_KEY_GRACE_SECONDS_INVALID', 'graceSeconds')
}

/** Renders a key as anyone who may see it sees it. */
export function renderApiKey(key: ApiKey): object {
  return {
    id: key.id,
    name: key.name,
    principalId: key.principal_id,
    scopes: key.scopes,
    hint: key.hint,
    createdBy: key.created_by,
    createdAt: key.created_at.toISOString(),
    expiresAt: key.expires_at.toISOString(),
    ...optionalInstants({
      previousExpiresAt: key.previous_expires_at,
      revokedAt: key.revoked_at,
      lastUsedAt: key.last_used_at,
    }),
  }
}

/** The one answer that holds the secret. */
export function renderShownApiKey({ key, secret }: ShownApiKey): object {
  return { ...renderApiKey(key), key: secret }
}

function optionalInstants(instants: Readonly<Record<string, Date | null>>): object {
  const given = Object.entries(instants).filter((entry): entry is [string, Date] => entry[1] !== null)
  return Object.fromEntries(given.map(([name, at]) => [name, at.toISOString()]))
}

const scopesSchema = Type.Array(Type.Enum([...apiKeyScopes]), { minItems: 1 })
const members = {
  id: uuidSchema,
  name: Type.String(),
  principalId: uuidSchema,
  scopes: scopesSchema,
  hint: Type.String({ description: 'The last four characters of the key.' }),
  createdBy: uuidSchema,
  createdAt: timestampSchema,
  expiresAt: timestampSchema,
  previousExpiresAt: Type.Optional(timestampSchema),
  revokedAt: Type.Optional(timestampSchema),
  lastUsedAt: Type.Optional(timestampSchema),
}
const apiKeySchema = Type.Object(members)
const shownSchema = Type.Object({ ...members, key: Type.String({ description: 'The secret, shown this once.' }) })
const tags = ['api keys']

export const createApiKeySchema = {
  summary: 'Make an API key; its secret is shown this once',
  tags,
  body: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 255 }),
    principalId: Type.Optional(uuidSchema),
    scopes: scopesSchema,
    expiresAt: Type.Optional(timestampSchema),
  }),
  response: answers({ 201: shownSchema }),
}

export const listApiKeysSchema = {
  summary: 'API keys of oneself and of the agents one answers for, or for admins of everyone; newest first',
  tags,
  querystring: Type.Object({ principalId: Type.Optional(uuidSchema), ...pageQuery }),
  response: answers({ 200: Type.Object({ apiKeys: Type.Array(apiKeySchema), pagination: paginationSchema }) }),
}

export const getApiKeySchema = { summary: 'One API key', tags, response: answers({ 200: apiKeySchema }) }

export const rotateApiKeySchema = {
  summary: 'Give an API key a new secret, shown this once',
  tags,
  body: Type.Object({
    graceSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: maxGraceSeconds, default: 0 })),
  }),
  response: answers({ 200: shownSchema }),
}

export const revokeApiKeySchema = { summary: 'Revoke an API key', tags, response: answers({ 204: noBody }) }
