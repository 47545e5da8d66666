import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findCredential, findCredentialOf } from '../../store/credentials.ts'
import type { Tx } from '../../store/open.ts'
import type { CredentialKind } from '../../store/schema-access.ts'
import type { PrincipalKind } from '../../store/schema.ts'
import { holdSessions } from '../../store/principal-locks.ts'
import { defaultOrganization } from '../organization.ts'
import { countAttempt } from './attempts.ts'
import { hashOfClientSecret, isSameSecret } from './client-secret.ts'
import { isPassword } from './password-hash.ts'

/** Somebody who proved that they are who they say. */
export interface Proven {
  readonly orgId: string
  readonly principalId: string
  readonly kind: PrincipalKind
}

/** The same by what is kept of a secret, which may be another by the time the sign-in begins. */
export interface ProvenBySecret extends Proven {
  readonly by: { readonly kind: CredentialKind; readonly hash: string | null }
}

/**
 * Whether it is still what the principal proves themselves with: a password is checked outside any transaction. Nobody
 * changes it and ends the sign-ins made with it until the transaction ends.
 * @throws AppError CREDENTIALS_INVALID
 */
export async function requireStillProven(tx: Tx, { orgId, principalId, by }: ProvenBySecret): Promise<void> {
  await holdSessions(tx, orgId, principalId)
  const credential = await findCredentialOf(tx, orgId, by.kind, principalId)
  const stands = credential !== undefined && credential.disabled_at === null && credential.hash === by.hash
  if (!stands) throw new AppError('CREDENTIALS_INVALID')
}

/**
 * A local user by name and password. Unknown names, wrong passwords and removed users are told apart for nobody.
 * @throws AppError CREDENTIALS_INVALID, TOO_MANY_REQUESTS
 */
export async function provePassword(ctx: Ctx, name: string, password: string): Promise<ProvenBySecret> {
  return await prove(ctx, 'password', name, async (hash) => await isPassword(password, hash))
}

/** An API client by its id and secret. @throws AppError CREDENTIALS_INVALID, TOO_MANY_REQUESTS */
export async function proveClient(ctx: Ctx, id: string, secret: string): Promise<ProvenBySecret> {
  return await prove(ctx, 'client-secret', id, (hash) => isSameSecret(hashOfClientSecret(secret), hash ?? ''))
}

/** Whichever of the two the name belongs to: where both may come. @throws as they do */
export async function proveEither(ctx: Ctx, name: string, secret: string): Promise<ProvenBySecret> {
  const client = await findCredential(ctx.db, defaultOrganization.id, 'client-secret', name)
  return client === undefined ? await provePassword(ctx, name, secret) : await proveClient(ctx, name, secret)
}

async function prove(
  ctx: Ctx,
  kind: CredentialKind,
  name: string,
  isRight: (hash: string | null) => boolean | Promise<boolean>,
): Promise<ProvenBySecret> {
  const orgId = defaultOrganization.id
  const takeBack = await countAttempt(ctx, kind, name)
  const credential = await findCredential(ctx.db, orgId, kind, name)
  const isProven = await isRight(credential?.hash ?? null)
  if (!isProven || credential === undefined || credential.disabled_at !== null)
    throw new AppError('CREDENTIALS_INVALID')
  await takeBack()
  const { principal_id: principalId, principal_kind, hash } = credential
  return { orgId, principalId, kind: principal_kind, by: { kind, hash } }
}
