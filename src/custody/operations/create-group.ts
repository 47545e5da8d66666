import { appendLeaf } from '../../audit/append.ts'
import { AppError } from '../../errors.ts'
import { insertCustodyGroup, readBack, type CustodyGroupRow } from '../../store/fortanix-groups.ts'
import { insertGroup } from '../../store/groups.ts'
import { insertMemberships } from '../../store/memberships.ts'
import { requireMember } from '../account-rights.ts'
import { leafActorOf } from '../caller.ts'
import { creatorOf } from '../creator.ts'
import { policyColumns } from '../group-policy-columns.ts'
import type { Operation } from '../perform.ts'
import { requireApprovers, type GroupPolicy } from '../policies.ts'
import { tellPolicy } from '../tell-policy.ts'

export interface NewCustodyGroup {
  readonly name: string
  readonly description: string | null
  readonly policy: GroupPolicy | null
}

/** Makes a group, which its creator is in. */
export const createGroupOperation: Operation<NewCustodyGroup, CustodyGroupRow> = {
  async check(_ctx, tx, caller, { policy }) {
    const { orgId, role } = await requireMember(tx, caller)
    if (role !== 'administrator' && role !== 'member') throw new AppError('REQUESTOR_NOT_AUTHORIZED')
    if (policy !== null) await requireApprovers(tx, orgId, policy.policy)
    const subjects = [{ kind: 'account', id: orgId }] as const
    return { orgId, subjects, account: ['groups'], groups: [], isSensitive: false }
  },

  async run(ctx, tx, caller, { name, description, policy }) {
    const creator = await requireMember(tx, caller)
    const { orgId, principalId } = creator
    const [id, at] = [ctx.newId(), ctx.clock.now()]
    const group = { org_id: orgId, id, name, description, member_count: 1, dialect: 'fortanix' } as const
    await insertGroup(tx, { ...group, created_at: at, updated_at: at })
    const made = { org_id: orgId, group_id: id, creator: JSON.stringify(creatorOf(creator)) }
    await insertCustodyGroup(tx, { ...made, ...policyColumns(policy) })
    await insertMemberships(tx, orgId, id, [principalId], at)
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'group.created',
      subjectId: id,
      actor: leafActorOf(creator),
      at,
      facts: { dialect: 'fortanix', member: principalId },
      privateText: { name, description },
    })
    if (policy !== null) await tellPolicy(ctx, tx, creator, { kind: 'group', id }, policy)
    return await readBack(tx, orgId, id)
  },
}
