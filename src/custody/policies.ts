import { AppError } from '../errors.ts'
import { shareAccount, type AccountRow } from '../store/fortanix-accounts.ts'
import { findAppsAmong } from '../store/fortanix-apps.ts'
import { shareCustodyGroups, type CustodyGroupRow } from '../store/fortanix-groups.ts'
import { findApproversAmong } from '../store/fortanix-members.ts'
import type { Db, Tx } from '../store/open.ts'
import { leavesOf, type QuorumPolicy } from './quorum-policy.ts'

/** What of an account its policy may protect (contract fortanix §4.2). */
export const accountConcerns = [
  'groups',
  'authentication-methods',
  'cryptographic-policy',
  'logging',
  'custom-roles',
] as const
export type AccountConcern = (typeof accountConcerns)[number] | 'policy'

/** What of a group its policy may protect one by one. */
export const groupPermissions = [
  'GET_SOBJECTS',
  'ROTATE_SOBJECTS',
  'REVOKE_SOBJECTS',
  'REVERT_SOBJECTS',
  'DELETE_KEY_MATERIAL',
  'DELETE_SOBJECTS',
  'DESTROY_SOBJECTS',
  'MOVE_SOBJECTS',
  'CREATE_SOBJECTS',
  'UPDATE_SOBJECTS_PROFILE',
  'UPDATE_SOBJECTS_ENABLED_STATE',
  'UPDATE_SOBJECT_POLICIES',
  'ACTIVATE_SOBJECTS',
  'UPDATE_KEY_OPS',
] as const
export type GroupPermission = (typeof groupPermissions)[number]

/**
 * How an operation touches a group: it changes the policy itself; it manages the group or an app of it; it uses a key; or it does
 * to a key what has a permission of its own.
 */
export type GroupConcern = 'policy' | 'manage' | 'crypto' | GroupPermission

/** What an operation touches that a policy may protect. */
export interface Touched {
  readonly account: readonly AccountConcern[]
  readonly groups: readonly { readonly id: string; readonly concern: GroupConcern }[]
}

/** The policy of a group, and what it protects. */
export interface GroupPolicy {
  readonly policy: QuorumPolicy
  /** Null: every manage operation, as `protectsManage` says. */
  readonly protects: readonly GroupPermission[] | null
  readonly protectsManage: boolean
  readonly protectsCrypto: boolean
}

export interface AccountPolicy {
  readonly policy: QuorumPolicy
  readonly protects: readonly AccountConcern[]
}

export function policyOfGroup(group: CustodyGroupRow): GroupPolicy | null {
  if (group.policy === null) return null
  return {
    policy: group.policy as QuorumPolicy,
    protects: group.protects as GroupPermission[] | null,
    protectsManage: group.protects_manage,
    protectsCrypto: group.protects_crypto,
  }
}

export function policyOfAccount({ policy, protects }: AccountRow): AccountPolicy | null {
  return policy === null ? null : { policy: policy as QuorumPolicy, protects: protects as AccountConcern[] }
}

/** Changing or removing a policy is always protected by the one in force (contract fortanix §4.2, §10.8). */
export function coversGroup(policy: GroupPolicy, concern: GroupConcern): boolean {
  if (concern === 'policy') return true
  if (concern === 'crypto') return policy.protectsCrypto
  if (policy.protects === null) return policy.protectsManage
  return concern !== 'manage' && policy.protects.includes(concern)
}

export function coversAccount({ protects }: AccountPolicy, concern: AccountConcern): boolean {
  return concern === 'policy' || protects.includes(concern)
}

/** Of an account or of a group. */
export interface PolicyInForce {
  readonly of: string
  readonly policy: QuorumPolicy
}

/**
 * The policies that all have to be satisfied before an operation: the account's if it covers what is touched of it, and that of
 * every group (contract fortanix §4.3). Empty when the operation may simply be done: no policy comes into force before the
 * transaction has ended.
 */
export async function findPolicies(tx: Tx, orgId: string, { account, groups }: Touched): Promise<PolicyInForce[]> {
  const found: PolicyInForce[] = []
  if (account.length > 0) {
    const row = await shareAccount(tx, orgId)
    const policy = row === undefined ? null : policyOfAccount(row)
    if (policy !== null && account.some((concern) => coversAccount(policy, concern))) {
      found.push({ of: orgId, policy: policy.policy })
    }
  }
  const touched = [...new Set(groups.map(({ id }) => id))]
  for (const group of touched.length === 0 ? [] : await shareCustodyGroups(tx, orgId, touched)) {
    const policy = policyOfGroup(group)
    const concerns = groups.filter(({ id }) => id === group.group_id)
    if (policy !== null && concerns.some(({ concern }) => coversGroup(policy, concern))) {
      found.push({ of: group.group_id, policy: policy.policy })
    }
  }
  return found
}

/** For whoever does it directly. @throws AppError APPROVAL_REQUIRED, whose text is part of the protocol */
export async function requireNoPolicy(tx: Tx, orgId: string, touched: Touched): Promise<void> {
  if ((await findPolicies(tx, orgId, touched)).length > 0) throw new AppError('APPROVAL_REQUIRED')
}

/**
 * That a policy is not larger than what can be decided by, and that everyone whom it names may approve: users of the account who are enabled and verified and no auditors, and
 * apps of the account.
 * @throws AppError QUORUM_POLICY_INVALID
 */
export async function requireApprovers(db: Db, orgId: string, policy: QuorumPolicy): Promise<void> {
  requireBounded(policy)
  const leaves = leavesOf(policy)
  const idsOf = (kind: 'person' | 'app') => leaves.filter((leaf) => leaf.kind === kind).map(({ id }) => id)
  const people = new Set((await findApproversAmong(db, orgId, idsOf('person'))).map(({ personId }) => personId))
  const apps = new Set(await findAppsAmong(db, orgId, idsOf('app')))
  for (const { kind, id } of leaves) {
    if (kind === 'person' ? people.has(id) : apps.has(id)) continue
    const problem =
      kind === 'person'
        ? `User ${id} is no enabled and verified user of this account who may approve.`
        : `App ${id} is no enabled app of this account.`
    throw new AppError('QUORUM_POLICY_INVALID', problem)
  }
}

/** Deeper, with what joins several policies above it, the engine takes none; and an operation may have to satisfy several. */
const mostLevels = 7
const mostNodes = 250

function requireBounded(policy: QuorumPolicy): void {
  const { levels, nodes } = sizeOf(policy)
  if (levels > mostLevels) throw new AppError('QUORUM_POLICY_INVALID', `Quorums may lie ${mostLevels} deep at most.`)
  if (nodes > mostNodes) {
    throw new AppError('QUORUM_POLICY_INVALID', `A policy may have ${mostNodes} quorums, users and apps at most.`)
  }
}

/** Levels of quorums, and how many quorums, users and apps there are in all. */
function sizeOf(policy: QuorumPolicy): { readonly levels: number; readonly nodes: number } {
  if (policy.kind !== 'quorum') return { levels: 0, nodes: 1 }
  const sizes = policy.members.map(sizeOf)
  return {
    levels: 1 + Math.max(...sizes.map(({ levels }) => levels)),
    nodes: 1 + sizes.reduce((sum, { nodes }) => sum + nodes, 0),
  }
}
