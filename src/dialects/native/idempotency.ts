import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { canonicalJson } from '../../audit/leaf.ts'
import { AppError } from '../../errors.ts'
import type { Once } from '../../store/unit-of-work.ts'

/** What makes this POST the same call as an earlier one; null when it carries no Idempotency-Key. */
export function onceOf(request: FastifyRequest, caller: string): Once | null {
  const key = request.headers['idempotency-key']
  if (key === undefined || request.method !== 'POST') return null
  if (typeof key !== 'string' || !/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key)) {
    throw new AppError('INVALID_IDEMPOTENCY_KEY', undefined, { field: 'Idempotency-Key' })
  }
  const asked = [request.method, request.url, canonicalJson(request.body ?? null)].join('\n')
  return { caller, key, fingerprint: createHash('sha256').update(asked).digest('hex') }
}
