import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace that this call is part of, for log lines. */
    traceId?: string
  }
}

export interface Trace {
  readonly traceId: string
  readonly traceparent: string
}

/**
 * The trace of a call and the `traceparent` of its answer (W3C Trace Context §3.2, contract §7.1): a valid incoming one
 * keeps its trace id and flags, the span is always ours. Anything else is as if nothing had come.
 */
export function continueTrace(incoming: unknown): Trace {
  const parent = typeof incoming === 'string' ? parseTraceparent(incoming) : null
  const { traceId, flags } = parent ?? { traceId: randomHex(), flags: '00' }
  return { traceId, traceparent: `00-${traceId}-${randomHex().slice(0, 16)}-${flags}` }
}

/** 32 digits, of which six bits are fixed and keep it from being zero. UUIDs come from a cache; bytes would be a call each. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '')
}

/** Gives an answer its `traceparent`, once. */
export function traceAnswer(request: FastifyRequest, reply: FastifyReply): void {
  if (request.traceId !== undefined) return
  const { traceId, traceparent } = continueTrace(request.headers['traceparent'])
  request.traceId = traceId
  reply.header('traceparent', traceparent)
}

function parseTraceparent(text: string): { traceId: string; flags: string } | null {
  const [, version, traceId = '', spanId = '', flags = '', more] = form.exec(text) ?? []
  if (version === undefined || version === 'ff' || isZero(traceId) || isZero(spanId)) return null
  // Later versions may add members; version 00 has none (§3.2.4).
  if (version === '00' && more !== undefined) return null
  return { traceId, flags }
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

function isZero(id: string): boolean {
  return /^0+$/.test(id)
}
