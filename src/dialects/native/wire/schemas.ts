// Brings the members `summary` and `tags` of a route's schema.
import type {} from '@fastify/swagger'
import { Type, type TSchema } from 'typebox'

/** Every non-2xx answer (contract §0). */
export const errorSchema = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    details: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  },
  { description: 'What was refused and why.' },
)

/** The answers of a route: what it gives on success, and the error envelope for everything else. */
export function answers(success: Readonly<Record<number, TSchema>>): Record<string, TSchema> {
  return { ...success, '4xx': errorSchema, '5xx': errorSchema }
}

export const noBody = Type.Null({ description: 'No body.' })
export const createdNoBody = Type.Null({ description: 'No body; the header Location names what was made.' })
export const uuidSchema = Type.String({ format: 'uuid' })
export const timestampSchema = Type.String({ description: 'ISO 8601, UTC, with milliseconds.' })
export const concurrencyControlSchema = Type.Object({
  version: Type.String({ description: 'A 64-bit integer as text; opaque.' }),
})
