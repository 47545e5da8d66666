import { appendLeaf } from '../../audit/append.ts'
import { secretHmac } from '../../audit/leaf-hmac.ts'
import { canonicalJson } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { insertCredential, updateCredential } from '../../store/credentials.ts'
import {
  deleteLocalUser as forgetLocalUser,
  insertLocalUser,
  insertPersonWithoutEmail,
  lockLocalUser,
  updateLocalUser,
  updatePrincipalName,
} from '../../store/local-users.ts'
import { insertPrincipal } from '../../store/people.ts'
import type { Tx } from '../../store/open.ts'
import { lockSessions } from '../../store/principal-locks.ts'
import { leafActorOf, type Caller } from '../actor.ts'
import { administer, requireAdministrator } from '../administer.ts'
import { hashPassword } from '../credentials/password-hash.ts'
import { shutOut } from '../credentials/shut-out.ts'
import { endSessionsOf } from '../end-sessions.ts'

export interface LocalUserInput {
  readonly username: string
  readonly displayName: string
  readonly fullName: string
  readonly email: string | null
  /** What is kept only to be shown again. */
  readonly shown: Readonly<Record<string, unknown>>
}

/**
 * Makes a person who signs in by name and password.
 * @param password null for one who cannot sign in until they are given one
 * @returns their id
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, LOCAL_USER_ALREADY_EXISTS
 */
export async function createLocalUser(
  ctx: Ctx,
  caller: Caller,
  input: LocalUserInput,
  password: string | null,
): Promise<string> {
  await requireAdministrator(ctx, caller)
  // Before the transaction opens, so that nothing waits for it.
  const hash = password === null ? null : await hashPassword(password)
  return await administer(ctx, caller, async (tx, actor) => {
    const { orgId } = actor
    const [id, person, credential, at] = [ctx.newId(), ctx.newId(), ctx.newId(), ctx.clock.now()]
    const { username, displayName, fullName, email } = input
    await insertPersonWithoutEmail(tx, person, at)
    const principal = { org_id: orgId, id, kind: 'human', person_id: person, created_at: at } as const
    await insertPrincipal(tx, { ...principal, name: displayName, email })
    await insertLocalUser(tx, {
      org_id: orgId,
      principal_id: id,
      username,
      full_name: fullName,
      attributes: JSON.stringify(input.shown),
      author_id: actor.principalId,
      created_at: at,
      updated_at: at,
      updated_by: actor.principalId,
    })
    await insertCredential(tx, {
      org_id: orgId,
      id: credential,
      principal_id: id,
      kind: 'password',
      name: username,
      hash,
      sealed: null,
      created_at: at,
      changed_at: at,
    })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'user.created',
      subjectId: id,
      actor: leafActorOf(actor),
      at,
      facts: {
        person,
        admin: false,
        local: true,
        credential,
        ...(hash !== null && { secretHmac: secretHmac(ctx.keys.atRest.held, hash) }),
      },
      privateText: textsIn(input),
    })
    return id
  })
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, LOCAL_USER_NOT_FOUND, LOCAL_USER_ALREADY_EXISTS */
export async function changeLocalUser(
  ctx: Ctx,
  caller: Caller,
  userId: string | null,
  input: LocalUserInput,
): Promise<void> {
  await administer(ctx, caller, async (tx, actor) => {
    const { orgId } = actor
    const id = await requireLocalUser(tx, orgId, userId)
    const at = ctx.clock.now()
    const { username, displayName, fullName, email } = input
    await updatePrincipalName(tx, orgId, id, { name: displayName, email })
    await updateLocalUser(tx, orgId, id, {
      username,
      full_name: fullName,
      attributes: JSON.stringify(input.shown),
      updated_at: at,
      updated_by: actor.principalId,
    })
    await updateCredential(tx, orgId, 'password', id, { name: username, changed_at: at })
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'user.changed',
      subjectId: id,
      actor: leafActorOf(actor),
      at,
      facts: {},
      privateText: textsIn(input),
    })
  })
}

/**
 * Gives a local user another password. Whoever signed in with the one before is signed out.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, LOCAL_USER_NOT_FOUND
 */
export async function changePassword(ctx: Ctx, caller: Caller, userId: string | null, password: string): Promise<void> {
  await requireAdministrator(ctx, caller)
  const hash = await hashPassword(password)
  await administer(ctx, caller, async (tx, actor) => {
    const { orgId } = actor
    const principalId = await requireLocalUser(tx, orgId, userId)
    const [at, by] = [ctx.clock.now(), leafActorOf(actor)]
    await lockSessions(tx, orgId, principalId)
    await updateCredential(tx, orgId, 'password', principalId, { hash, changed_at: at })
    await endSessionsOf(ctx, tx, { orgId, principalId, only: null, actor: by, because: 'password-changed' })
    const facts = { secretHmac: secretHmac(ctx.keys.atRest.held, hash) }
    await appendLeaf(ctx, tx, { orgId, kind: 'password.changed', subjectId: principalId, actor: by, at, facts })
  })
}

/**
 * Removes a local user for good; the name is free again.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, LOCAL_USER_NOT_FOUND, USER_CANNOT_DISABLE_SELF
 */
export async function deleteLocalUser(ctx: Ctx, caller: Caller, userId: string | null): Promise<void> {
  await administer(ctx, caller, async (tx, actor) => {
    const { orgId } = actor
    const principalId = await requireLocalUser(tx, orgId, userId)
    if (principalId === actor.principalId) throw new AppError('USER_CANNOT_DISABLE_SELF')
    const by = leafActorOf(actor)
    const at = await shutOut(ctx, tx, { orgId, principalId, actor: by })
    await forgetLocalUser(tx, orgId, principalId)
    await appendLeaf(ctx, tx, { orgId, kind: 'user.removed', subjectId: principalId, actor: by, at, facts: {} })
  })
}

/** All that is shown of a user, as leaves commit to it. */
function textsIn({ username, displayName, fullName, email, shown }: LocalUserInput) {
  return { username, displayName, fullName, email, attributes: canonicalJson(shown) }
}

async function requireLocalUser(tx: Tx, orgId: string, id: string | null): Promise<string> {
  const user = id === null ? undefined : await lockLocalUser(tx, orgId, id)
  if (user === undefined) throw new AppError('LOCAL_USER_NOT_FOUND')
  return user.principal_id
}
