import type { UserInput } from '../../../custody/change-user.ts'
import type { Invitation } from '../../../custody/members.ts'
import type { ShownUser } from '../../../custody/read-users.ts'
import type { NewUser } from '../../../custody/users.ts'
import type { MemberRole, MemberRow } from '../../../store/fortanix-members.ts'
import { readBody, readOptionalBody, type Members } from '../../shared/members.ts'
import { renderTime } from './times.ts'

const roleWords: Readonly<Record<MemberRole, string>> = {
  administrator: 'ACCOUNTADMINISTRATOR',
  member: 'ACCOUNTMEMBER',
  auditor: 'ACCOUNTAUDITOR',
}
const flagWords = [...Object.values(roleWords), 'STATEENABLED', 'PENDINGINVITE'] as const

// One at-sign with something before and behind, and no blanks: whether it is one, the mail will show.
const address = /^[^\s@]+@[^\s@]+$/
const maxPassword = 1024

/** @throws AppError INVALID_MEMBER */
export function parseSignUp(body: unknown): NewUser {
  return readBody(body, (members) => ({
    ...readPerson(members),
    password: members.neededText('user_password', { max: maxPassword }),
  }))
}

/** @throws AppError INVALID_MEMBER */
export function parseInvitation(body: unknown): Invitation {
  return readBody(body, (members) => {
    const { role, isEnabled } = readFlags(members)
    if (role === undefined) members.complain('account_role', 'must name one role')
    const password = members.text('user_password', { min: 1, max: maxPassword })
    return { ...readPerson(members), password, role: role ?? 'member', isEnabled }
  })
}

function readPerson(members: Members): Omit<NewUser, 'password'> {
  const email = members.neededText('user_email', { max: 512 })
  if (email !== '' && !address.test(email)) members.complain('user_email', 'must be an e-mail address')
  return { email, firstName: members.text('first_name'), lastName: members.text('last_name') }
}

function readFlags(members: Members): { readonly role: MemberRole | undefined; readonly isEnabled: boolean } {
  const flags = members.choices('account_role', flagWords)
  const roles = (Object.keys(roleWords) as MemberRole[]).filter((role) => flags.includes(roleWords[role]))
  if (roles.length > 1) members.complain('account_role', 'must name one role')
  return { role: roles[0], isEnabled: flags.includes('STATEENABLED') }
}

/** Security keys have members of their own, which are read elsewhere. What is absent stays. @throws AppError INVALID_MEMBER */
export function parseUser(body: unknown): UserInput {
  return readOptionalBody(body, (members) => {
    const { role } = readFlags(members)
    const isEnabled = members.optionalFlag('enable')
    const [firstName, lastName] = [members.text('first_name'), members.text('last_name')]
    const joins = [...groupsIn(members, 'add_groups'), ...groupsIn(members, 'mod_groups')]
    return {
      ...(role !== undefined && { role }),
      ...(isEnabled !== null && { isEnabled }),
      ...(firstName !== null && { firstName }),
      ...(lastName !== null && { lastName }),
      joins,
      leaves: groupsIn(members, 'del_groups'),
    }
  })
}

/** Whoever is in a group manages it here; there is no auditor of one. */
function groupsIn(members: Members, name: string): readonly string[] {
  const groups = members.byUuid(name, (roles, id) => roles.choices(id, ['GROUPADMINISTRATOR']))
  return [...(groups?.keys() ?? [])]
}

/** @throws AppError INVALID_MEMBER */
export function parseInvitationAnswer(body: unknown): { accepts: readonly string[]; rejects: readonly string[] } {
  return readOptionalBody(body, (members) => {
    const [accepts, rejects] = [members.uuids('accepts'), members.uuids('rejects')]
    if (accepts.some((id) => rejects.includes(id)))
      members.complain('rejects', 'names an account that accepts names too')
    return { accepts, rejects }
  })
}

export function renderFlags({ role, is_enabled: isEnabled, state }: Pick<MemberRow, 'role' | 'is_enabled' | 'state'>) {
  return [roleWords[role], ...(isEnabled ? ['STATEENABLED'] : []), ...(state === 'invited' ? ['PENDINGINVITE'] : [])]
}

export function renderUser(user: ShownUser): object {
  const devices = user.factors.keys.map(({ name, format, origin }) => ({
    name,
    type: format === 'fido-u2f' ? 'U2f' : 'Fido2',
    origin,
  }))
  return {
    user_id: user.person_id,
    ...(user.email !== null && { user_email: user.email }),
    ...(user.first_name !== null && { first_name: user.first_name }),
    ...(user.last_name !== null && { last_name: user.last_name }),
    account_role: user.member === null ? [] : renderFlags(user.member),
    created_at: renderTime(user.created_at),
    email_verified: user.verified_at !== null,
    has_password: user.factors.hasPassword,
    groups: groupsOf(user),
    explicit_groups: groupsOf(user),
    mfa_devices: devices,
    u2f_devices: devices,
  }
}

function groupsOf({ groupIds }: ShownUser): object {
  return Object.fromEntries(groupIds.map((id) => [id, ['GROUPADMINISTRATOR']]))
}
