import { AppError } from '../errors.ts'
import { findApp } from '../store/fortanix-apps.ts'
import { findActingMember, type MemberRole } from '../store/fortanix-members.ts'
import type { Db } from '../store/open.ts'
import type { CustodyCaller } from './caller.ts'

/** Who calls within an account, as the store knows them now. */
export interface Member {
  readonly orgId: string
  readonly principalId: string
  /** Null for an app. */
  readonly personId: string | null
  readonly kind: 'human' | 'agent'
  readonly role: MemberRole | 'app'
}

/**
 * Whoever may call in the account that they selected, or that the app belongs to.
 * @throws AppError ACCOUNT_NOT_SELECTED, MEMBER_DISABLED, APP_DISABLED, REQUESTOR_NOT_AUTHORIZED
 */
export async function requireMember(db: Db, { orgId, principalId, personId, kind }: CustodyCaller): Promise<Member> {
  if (orgId === null || principalId === null) throw new AppError('ACCOUNT_NOT_SELECTED')
  if (personId === null) {
    const app = await findApp(db, orgId, principalId)
    if (app === undefined || !app.is_enabled) throw new AppError('APP_DISABLED')
    return { orgId, principalId, personId, kind, role: 'app' }
  }
  const member = await findActingMember(db, orgId, personId)
  if (member?.state !== 'joined') throw new AppError('REQUESTOR_NOT_AUTHORIZED')
  if (!member.is_enabled || member.is_shut_out) throw new AppError('MEMBER_DISABLED')
  return { orgId, principalId, personId, kind, role: member.role }
}

/** @throws as `requireMember`, and REQUESTOR_NOT_AUTHORIZED for everyone but an administrator of the account */
export async function requireAdministrator(db: Db, caller: CustodyCaller): Promise<Member> {
  const member = await requireMember(db, caller)
  if (member.role !== 'administrator') throw new AppError('REQUESTOR_NOT_AUTHORIZED')
  return member
}

/** The person who calls. @throws AppError REQUESTOR_NOT_AUTHORIZED for an app */
export function requirePerson({ personId }: CustodyCaller): string {
  if (personId === null) throw new AppError('REQUESTOR_NOT_AUTHORIZED', 'Only a user can do this.')
  return personId
}
