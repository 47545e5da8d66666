import { Type } from 'typebox'
import type { WebhookKey } from '../../../deliveries/add-webhook-key.ts'
import { asObject, refuse, type JsonObject } from './read.ts'
import { answers, noBody, timestampSchema, uuidSchema } from './schemas.ts'

const defaultOverlapHours = 24
const maxOverlapHours = 720

/** Reads the body of a rotation, which may be absent. @throws AppError WEBHOOK_KEY_OVERLAP_HOURS_INVALID */
export function parseOverlapHours(value: unknown): number {
  const { overlapHours = defaultOverlapHours }: JsonObject = value === undefined ? {} : asObject(value)
  const isGood = Number.isInteger(overlapHours) && Number(overlapHours) >= 0 && Number(overlapHours) <= maxOverlapHours
  return isGood ? Number(overlapHours) : refuse('WEBHOOK_KEY_OVERLAP_HOURS_INVALID', 'overlapHours')
}

/** Renders a key without its secret. */
export function renderWebhookKey({ id, created_at, expires_at }: WebhookKey): object {
  return {
    id,
    createdAt: created_at.toISOString(),
    ...(expires_at !== null && { expiresAt: expires_at.toISOString() }),
  }
}

/** As the libraries of Standard Webhooks take it. */
export function renderSecret(secret: Buffer): object {
  return { secret: `whsec_${secret.toString('base64')}` }
}

const webhookKeySchema = Type.Object({
  id: uuidSchema,
  createdAt: timestampSchema,
  expiresAt: Type.Optional(timestampSchema),
})
const tags = ['webhook keys']

export const listWebhookKeysSchema = {
  summary: 'The keys that sign webhooks now, newest first',
  tags,
  response: answers({ 200: Type.Object({ webhookKeys: Type.Array(webhookKeySchema) }) }),
}

export const readWebhookKeySecretSchema = {
  summary: 'The secret of a key that signs webhooks; reading it is audited',
  tags,
  response: answers({ 200: Type.Object({ secret: Type.String({ description: 'whsec_ and 32 bytes in base64.' }) }) }),
}

export const rotateWebhookKeySchema = {
  summary: 'Sign webhooks with a new key, and for a while with the one before too',
  tags,
  body: Type.Object({
    overlapHours: Type.Optional(Type.Integer({ minimum: 0, maximum: maxOverlapHours, default: defaultOverlapHours })),
  }),
  response: answers({ 201: webhookKeySchema }),
}

export const revokeWebhookKeySchema = {
  summary: 'Sign no more webhooks with a key',
  tags,
  response: answers({ 204: noBody }),
}
