import type { Ctx } from '../../context.ts'
import { transact } from '../../store/unit-of-work.ts'
import { beginSession } from '../credentials/begin-session.ts'
import { proveClient, proveEither, requireStillProven, type ProvenBySecret } from '../credentials/prove.ts'
import type { Device, TokenPair } from '../token-pair.ts'

export interface NameAndSecret {
  readonly name: string
  readonly secret: string
}

/**
 * Signs in an API client by id and secret, or a local user by name and password: what a resource owner password grant brings
 * (RFC 6749 section 4.3).
 * @throws AppError CREDENTIALS_INVALID, TOO_MANY_REQUESTS
 */
export async function signInByPassword(ctx: Ctx, { name, secret }: NameAndSecret, device: Device): Promise<TokenPair> {
  return await beginProven(ctx, await proveEither(ctx, name, secret), device)
}

/** Signs in an API client: the client credentials grant. @throws AppError CREDENTIALS_INVALID, TOO_MANY_REQUESTS */
export async function signInClient(ctx: Ctx, { name, secret }: NameAndSecret, device: Device): Promise<TokenPair> {
  return await beginProven(ctx, await proveClient(ctx, name, secret), device)
}

async function beginProven(ctx: Ctx, proven: ProvenBySecret, device: Device): Promise<TokenPair> {
  return await transact(ctx, null, async (tx) => {
    await requireStillProven(tx, proven)
    return await beginSession(ctx, tx, proven, device)
  })
}
