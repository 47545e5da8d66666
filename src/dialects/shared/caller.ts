import type { Caller } from '../../identity/actor.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who the credentials name. Set on every route that is not public. */
    caller: Caller
  }
  interface FastifyContextConfig {
    /** Needs no access token; `unless-sent`: but one that is sent says whose organization is meant. */
    public?: boolean | 'unless-sent'
  }
}
