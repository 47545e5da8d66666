import {
  accountConcerns,
  groupPermissions,
  type AccountConcern,
  type AccountPolicy,
  type GroupPolicy,
} from '../../../custody/policies.ts'
import { isSameLeaf, type QuorumPolicy } from '../../../custody/quorum-policy.ts'
import type { Members } from '../../shared/members.ts'

const kinds = ['quorum', 'user', 'app'] as const
/** Deeper than anyone needs, and shallow enough for whoever walks it. */
const maxDepth = 16
/** Of one quorum. */
const maxMembers = 100

/** Whether a member says anything of a policy: `{}` does, and takes it away. */
type Sent<Policy> = Policy | null | undefined

/** `approval_policy` of a group, with the policy's own members beside the flags (contract fortanix §4.2). */
export function parseGroupPolicy(members: Members): Sent<GroupPolicy> {
  if (!members.has('approval_policy')) return undefined
  return members.object('approval_policy', (sent) => {
    const policy = parseQuorumPolicy(sent)
    const protects = sent.has('protect_permissions') ? sent.choices('protect_permissions', groupPermissions) : null
    const protectsManage = sent.optionalFlag('protect_manage_operations') ?? true
    const protectsCrypto = sent.optionalFlag('protect_crypto_operations') ?? true
    return policy === null ? null : { policy, protects, protectsManage, protectsCrypto }
  })
}

const accountFlags: Readonly<Record<(typeof accountConcerns)[number], string>> = {
  groups: 'manage_groups',
  'authentication-methods': 'protect_authentication_methods',
  'cryptographic-policy': 'protect_cryptographic_policy',
  logging: 'protect_logging_config',
  'custom-roles': 'protect_custom_role_updates',
}

/** `approval_policy` of an account, with the policy in a member of its own. */
export function parseAccountPolicy(members: Members): Sent<AccountPolicy> {
  if (!members.has('approval_policy')) return undefined
  return members.object('approval_policy', (sent) => {
    const protects: AccountConcern[] = accountConcerns.filter((concern) => sent.flag(accountFlags[concern]))
    if (!sent.has('policy')) return sent.complain('policy', 'is needed')
    const policy = sent.object('policy', parseQuorumPolicy)
    return policy === null ? null : { policy, protects }
  })
}

/** Null for `{}`, which is no policy (contract fortanix §4.1). */
function parseQuorumPolicy(members: Members): QuorumPolicy | null {
  return parsePolicy(members, 0)
}

function parsePolicy(members: Members, depth: number): QuorumPolicy | null {
  const present = kinds.filter((kind) => members.has(kind))
  const [kind] = present
  if (kind === undefined) return null
  if (present.length > 1) return members.complain(kind, `cannot stand beside ${present.slice(1).join(' and ')}`)
  if (kind === 'quorum') {
    if (depth >= maxDepth) return members.complain('quorum', `is nested deeper than ${maxDepth} levels`)
    return members.object('quorum', (quorum) => parseQuorum(quorum, depth))
  }
  const id = members.uuid(kind)
  return id === null ? null : { kind: kind === 'user' ? 'person' : 'app', id }
}

function parseQuorum(quorum: Members, depth: number): QuorumPolicy {
  const requiresPassword = quorum.flag('require_password')
  const requiresSecurityKey = quorum.flag('require_2fa')
  let count = 0
  const members = quorum.list('members', (member, index) => {
    count += 1
    const before = quorum.problemCount
    const policy = parsePolicy(member, depth + 1)
    if (policy === null && quorum.problemCount === before)
      quorum.complain(`members[${index}]`, 'must be a quorum, a user or an app')
    return policy
  })
  const known = members.filter((member) => member !== null)
  if (count === 0) quorum.complain('members', 'must hold somebody')
  if (count > maxMembers) quorum.complain('members', `must hold at most ${maxMembers}`)
  else if (known.some((member, index) => known.slice(0, index).some((other) => isSameLeaf(member, other)))) {
    quorum.complain('members', 'names somebody twice')
  }
  if (!quorum.has('n')) quorum.complain('n', 'is needed')
  const n = quorum.integer('n', { min: 1, max: Math.max(count, 1) }) ?? 1
  return { kind: 'quorum', n, members: known, requiresPassword, requiresSecurityKey }
}

/** Both flags are always there: the Rust client needs them. */
export function renderQuorumPolicy(policy: QuorumPolicy): object {
  switch (policy.kind) {
    case 'person':
      return { user: policy.id }
    case 'app':
      return { app: policy.id }
    case 'quorum':
      return {
        quorum: {
          n: policy.n,
          members: policy.members.map(renderQuorumPolicy),
          require_password: policy.requiresPassword,
          require_2fa: policy.requiresSecurityKey,
        },
      }
  }
}

export function renderGroupPolicy({ policy, protects, protectsManage, protectsCrypto }: GroupPolicy): object {
  return {
    ...renderQuorumPolicy(policy),
    ...(protects !== null && { protect_permissions: protects }),
    protect_manage_operations: protectsManage,
    protect_crypto_operations: protectsCrypto,
  }
}

export function renderAccountPolicy({ policy, protects }: AccountPolicy): object {
  const flags = accountConcerns.map((concern) => [accountFlags[concern], protects.includes(concern)])
  return { policy: renderQuorumPolicy(policy), ...(Object.fromEntries(flags) as object) }
}
