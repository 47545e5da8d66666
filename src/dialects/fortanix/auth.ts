import type { FastifyRequest } from 'fastify'
import type { Ctx } from '../../context.ts'
import { authenticateApp, authenticateSession } from '../../custody/authenticate.ts'
import type { CustodyCaller } from '../../custody/caller.ts'
import { AppError } from '../../errors.ts'
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
  const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (token !== undefined) return await authenticateSession(ctx, token, allowsPending)
  const { name, secret } = basicOf(authorization)
  const id = idOf(name)
  if (id === null) throw new AppError('CREDENTIALS_INVALID')
  return await authenticateApp(ctx, id, secret)
}

/** Name and secret of a header `Basic`. @throws AppError MISSING_JWT_TOKEN, CREDENTIALS_INVALID */
export function basicOf(authorization: string | undefined): { readonly name: string; readonly secret: string } {
  const encoded = /^basic +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) throw new AppError('MISSING_JWT_TOKEN', 'No credentials were sent.')
  const text = parseBytes(encoded)?.toString() ?? ''
  const colon = text.indexOf(':')
  // The store holds no NUL, and so nobody whose name has one.
  if (colon < 0 || text.includes('\0')) throw new AppError('CREDENTIALS_INVALID')
  return { name: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** Who is one caller where calls are counted: a person over all of their sessions, or an app. */
export function callerIdOf({ custodian }: FastifyRequest): string | null {
  return custodian?.personId ?? custodian?.principalId ?? null
}
