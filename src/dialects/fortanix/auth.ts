import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { authenticateApp, authenticateSession } from '../../custody/authenticate.ts'
import type { CustodyCaller } from '../../custody/caller.ts'
import { AppError } from '../../errors.ts'
import type { NameAndSecret } from '../../identity/oauth/sign-in.ts'
import { basicOf, bearerOf } from '../shared/authorization.ts'
import { idOf } from '../shared/ids.ts'
import '../shared/caller.ts'
import { parseBytes } from './wire/bytes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls this dialect. Set on every route of it that is not public. */
    custodian: CustodyCaller
  }
  interface FastifyContextConfig {
    /** A session that owes a second factor will do. */
    allowsPending?: boolean
  }
}

/** Takes the session of a Bearer, or the key of an app, on every route that is not public (contract fortanix §2). */
export function authenticator(ctx: Ctx): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const { public: isPublic, allowsPending = false } = request.routeOptions.config
    if (isPublic === true || request.is404) return
    request.custodian = await callerOf(ctx, request.headers.authorization, allowsPending)
  }
}

async function callerOf(ctx: Ctx, authorization: string | undefined, allowsPending: boolean): Promise<CustodyCaller> {
  const token = bearerOf(authorization)
  if (token !== null) return await authenticateSession(ctx, token, allowsPending)
  const { name, secret } = pairOf(authorization)
  const id = idOf(name)
  if (id === null) throw new AppError('CREDENTIALS_INVALID')
  return await authenticateApp(ctx, id, secret)
}

/** Name and secret of a header `Basic`. @throws AppError MISSING_JWT_TOKEN, CREDENTIALS_INVALID */
export function pairOf(authorization: string | undefined): NameAndSecret {
  const sent = basicOf(authorization, parseBytes)
  if (sent === null) throw new AppError('MISSING_JWT_TOKEN', 'No credentials were sent.')
  // The store holds no NUL, and so nobody whose name has one.
  if (sent === 'malformed' || sent.name.includes('\0')) throw new AppError('CREDENTIALS_INVALID')
  return sent
}

/** Who is one caller where calls are counted: a person over all of their sessions, or an app. */
export function callerIdOf({ custodian }: FastifyRequest): string | null {
  return custodian?.personId ?? custodian?.principalId ?? null
}
