import type { FastifyRequest } from 'fastify'
import type { Lever } from '../../config/config.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A lever that switches this route off (contract §7.5). */
    lever?: Lever
    /** Changes nothing, whatever its method. */
    reads?: boolean
  }
}

const writing = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Levers act before anything is known about the caller (contract §7.5). @throws AppError SERVICE_UNAVAILABLE */
export function refuseByLever({ config: { levers } }: Ctx, request: FastifyRequest): void {
  const { lever, reads } = request.routeOptions.config
  if (levers.has('read_only_mode') && writing.has(request.method) && reads !== true) {
    throw new AppError('SERVICE_UNAVAILABLE', 'The server is in read-only mode.')
  }
  if (lever !== undefined && levers.has(lever)) {
    throw new AppError('SERVICE_UNAVAILABLE', 'This is switched off at the moment.')
  }
}
