import { appendLeaf } from '../audit/append.ts'
import type { LeafActor, LeafKind } from '../audit/leaf.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { registerPerson } from '../identity/register-person.ts'
import { lockAccount } from '../store/fortanix-accounts.ts'
import {
  countOtherAdministrators,
  deleteMember,
  insertMember,
  lockMember,
  updateMember,
  type MemberRole,
  type MemberRow,
} from '../store/fortanix-members.ts'
import { endCustodySessions } from '../store/fortanix-sessions.ts'
import { findPersonByEmail, type CustodyUserRow } from '../store/fortanix-users.ts'
import type { Tx } from '../store/open.ts'
import { findHumanByEmail } from '../store/people.ts'
import { transact } from '../store/unit-of-work.ts'
import { requireAdministrator } from './account-rights.ts'
import { leafActorOf, type CustodyCaller } from './caller.ts'
import { addUser, displayNameOf, requireUser, type NewUser } from './users.ts'

export interface Invitation extends NewUser {
  readonly role: MemberRole
  /** Whether they may act once they accept. */
  readonly isEnabled: boolean
}

/**
 * Invites whoever is known by the address, or will be. A password is for somebody nobody knows yet.
 * @returns their id
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, USER_ALREADY_EXISTS for a member, invited or not
 */
export async function inviteUser(ctx: Ctx, caller: CustodyCaller, invitation: Invitation): Promise<string> {
  return await transact(ctx, null, async (tx) => {
    const admin = await requireAdministrator(tx, caller)
    const known = await findPersonByEmail(tx, invitation.email)
    if (known !== undefined && invitation.password !== null) {
      throw new AppError('INVALID_MEMBER', 'This user chose a password of their own.', { field: 'user_password' })
    }
    const personId = known?.isUser === true ? known.id : await addUser(ctx, tx, leafActorOf(admin), invitation)
    const { role, isEnabled } = invitation
    const member = { orgId: admin.orgId, personId, principalId: null, role, isEnabled }
    await addMember(ctx, tx, leafActorOf(admin), 'member.invited', member)
    return personId
  })
}

export interface NewMember {
  readonly orgId: string
  readonly personId: string
  /** Null until they accept. */
  readonly principalId: string | null
  readonly role: MemberRole
  readonly isEnabled: boolean
}

export async function addMember(
  ctx: Ctx,
  tx: Tx,
  actor: LeafActor,
  kind: 'member.invited' | 'member.joined',
  { orgId, personId, principalId, role, isEnabled }: NewMember,
): Promise<void> {
  const at = ctx.clock.now()
  const member = {
    org_id: orgId,
    person_id: personId,
    principal_id: principalId,
    role,
    is_enabled: isEnabled,
    state: principalId === null ? 'invited' : 'joined',
    created_at: at,
    updated_at: at,
  } as const
  await insertMember(tx, member)
  await tell(ctx, tx, actor, kind, member, at)
}

/**
 * Takes up invitations, and turns others down; all of it or nothing.
 * @throws AppError ACCOUNT_NOT_FOUND for one that did not invite the caller
 */
export async function answerInvitations(
  ctx: Ctx,
  caller: CustodyCaller,
  { accepts, rejects }: { readonly accepts: readonly string[]; readonly rejects: readonly string[] },
): Promise<void> {
  await transact(ctx, null, async (tx) => {
    const user = await requireUser(tx, caller)
    for (const orgId of new Set(accepts)) await accept(ctx, tx, await requireInvitation(tx, orgId, user), user)
    for (const orgId of new Set(rejects)) {
      const invited = await requireInvitation(tx, orgId, user)
      await deleteMember(tx, orgId, user.person_id)
      await tell(ctx, tx, { kind: 'person', id: user.person_id }, 'member.declined', invited, ctx.clock.now())
    }
  })
}

async function requireInvitation(tx: Tx, orgId: string, user: CustodyUserRow): Promise<MemberRow> {
  const member = await lockMember(tx, orgId, user.person_id)
  if (member?.state !== 'invited') throw new AppError('ACCOUNT_NOT_FOUND', `No invitation to account ${orgId}.`)
  return member
}

async function accept(
  ctx: Ctx,
  tx: Tx,
  invited: MemberRow,
  user: CustodyUserRow & { readonly email: string },
): Promise<void> {
  const principalId = await ensurePrincipal(ctx, tx, invited.org_id, user)
  const at = ctx.clock.now()
  const joined = { principal_id: principalId, state: 'joined' as const, updated_at: at }
  await updateMember(tx, invited.org_id, invited.person_id, joined)
  await tell(ctx, tx, { kind: 'person', id: user.person_id }, 'member.joined', { ...invited, ...joined }, at)
}

/** What votes for a person in an organization: what they have there already, or what is made now. */
export async function ensurePrincipal(
  ctx: Ctx,
  tx: Tx,
  orgId: string,
  user: CustodyUserRow & { readonly email: string },
): Promise<string> {
  const known = await findHumanByEmail(tx, orgId, user.email)
  if (known !== undefined) return known.id
  const person = { orgId, email: user.email, displayName: displayNameOf(user), isAdmin: false }
  return await registerPerson(ctx, tx, { kind: 'person', id: user.person_id }, person)
}

/** What an administrator changes of a user; what is undefined stays. */
export interface MemberInput {
  readonly role?: MemberRole
  readonly isEnabled?: boolean
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, USER_NOT_FOUND, LAST_ADMINISTRATOR */
export async function changeMember(
  ctx: Ctx,
  tx: Tx,
  caller: CustodyCaller,
  personId: string,
  { role, isEnabled }: MemberInput,
): Promise<void> {
  if (role === undefined && isEnabled === undefined) return
  const admin = await requireAdministrator(tx, caller)
  const { orgId } = admin
  // Two administrators who take each other's right away are asked one after the other.
  await lockAccount(tx, orgId)
  const before = await lockMember(tx, orgId, personId)
  if (before === undefined) throw new AppError('USER_NOT_FOUND')
  const at = ctx.clock.now()
  const after = { ...before, role: role ?? before.role, is_enabled: isEnabled ?? before.is_enabled }
  const administers = (member: MemberRow) => member.role === 'administrator' && member.is_enabled
  if (administers(before) && !administers(after) && (await countOtherAdministrators(tx, orgId, personId)) === 0) {
    throw new AppError('LAST_ADMINISTRATOR')
  }
  await updateMember(tx, orgId, personId, { role: after.role, is_enabled: after.is_enabled, updated_at: at })
  if (!after.is_enabled) await endCustodySessions(tx, { personId, orgId }, null, at)
  await tell(ctx, tx, leafActorOf(admin), 'member.changed', after, at)
}

type Told = Pick<MemberRow, 'org_id' | 'person_id' | 'principal_id' | 'role' | 'is_enabled' | 'state'>

async function tell(
  ctx: Ctx,
  tx: Tx,
  actor: LeafActor,
  kind: Extract<LeafKind, `member.${string}`>,
  member: Told,
  at: Date,
): Promise<void> {
  await appendLeaf(ctx, tx, {
    orgId: member.org_id,
    kind,
    subjectId: member.person_id,
    actor,
    at,
    facts: {
      role: member.role,
      isEnabled: member.is_enabled,
      ...(member.principal_id !== null && { principal: member.principal_id }),
    },
  })
}
