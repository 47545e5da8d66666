import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import {
  findAccount,
  findAccountsOf,
  insertAccount,
  type AccountRow,
  type AccountSlice,
} from '../store/fortanix-accounts.ts'
import { insertOrganization } from '../store/organizations.ts'
import type { Tx } from '../store/open.ts'
import { transact } from '../store/unit-of-work.ts'
import { requireMember } from './account-rights.ts'
import type { CustodyCaller } from './caller.ts'
import { addMember, ensurePrincipal } from './members.ts'
import { updateAccountOperation, type AccountInput } from './operations/update-account.ts'
import { requireUser } from './users.ts'

/**
 * Makes an account, which its creator administers.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED for an app, ACCOUNT_ALREADY_EXISTS, QUORUM_POLICY_INVALID
 */
export async function createAccount(
  ctx: Ctx,
  caller: CustodyCaller,
  { name, ...settings }: AccountInput & { readonly name: string },
): Promise<AccountRow> {
  return await transact(ctx, null, async (tx) => {
    const user = await requireUser(tx, caller)
    const [orgId, at] = [ctx.newId(), ctx.clock.now()]
    const actor = { kind: 'person', id: user.person_id } as const
    const isNew = await insertOrganization(tx, { id: orgId, name, created_at: at })
    if (!isNew) throw new AppError('ACCOUNT_ALREADY_EXISTS')
    const leaf = { orgId, subjectId: orgId, actor, at }
    await appendLeaf(ctx, tx, { ...leaf, kind: 'organization.created', facts: {}, privateText: { name } })
    await openAccount(ctx, tx, orgId, user.person_id)
    const principalId = await ensurePrincipal(ctx, tx, orgId, user)
    const member = { orgId, personId: user.person_id, principalId, role: 'administrator', isEnabled: true } as const
    await addMember(ctx, tx, actor, 'member.joined', member)
    if (Object.values(settings).some((value) => value !== undefined)) {
      const self = { ...caller, orgId, principalId }
      await updateAccountOperation.check(ctx, tx, self, { id: orgId, ...settings })
      await updateAccountOperation.run(ctx, tx, self, { id: orgId, ...settings })
    }
    const account = await findAccount(tx, orgId)
    if (account === undefined) throw new Error(`account ${orgId} is gone`)
    return account
  })
}

/** Makes an organization an account. @param creatorId the person who did; null for the server itself */
export async function openAccount(ctx: Ctx, tx: Tx, orgId: string, creatorId: string | null): Promise<void> {
  const at = ctx.clock.now()
  const row = { org_id: orgId, description: null, creator_id: creatorId, policy: null, created_at: at, updated_at: at }
  await insertAccount(tx, row)
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'account.created',
    subjectId: orgId,
    actor: creatorId === null ? { kind: 'system' } : { kind: 'person', id: creatorId },
    at,
    facts: { ...(creatorId !== null && { creator: creatorId }) },
  })
}

/** The account that the caller selected, and no other. @throws AppError ACCOUNT_NOT_FOUND, and as `requireMember` does */
export async function readAccount(ctx: Ctx, caller: CustodyCaller, id: string): Promise<AccountRow> {
  const { orgId } = await requireMember(ctx.db, caller)
  const account = id === orgId ? await findAccount(ctx.db, id) : undefined
  if (account === undefined) throw new AppError('ACCOUNT_NOT_FOUND')
  return account
}

/** All that a person is in; of an app its own. */
export async function listAccounts(ctx: Ctx, caller: CustodyCaller, slice: AccountSlice): Promise<AccountRow[]> {
  if (caller.personId !== null) return await findAccountsOf(ctx.db, caller.personId, slice)
  const own = await readAccount(ctx, caller, caller.orgId ?? '')
  const { after, isDescending, limit, offset } = slice
  const isThere = after === null || (isDescending ? own.org_id < after : own.org_id > after)
  return (isThere ? [own] : []).slice(offset, offset + limit)
}
