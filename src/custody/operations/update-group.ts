import { appendLeaf } from '../../audit/append.ts'
import { shareAccount } from '../../store/fortanix-accounts.ts'
import {
  lockCustodyGroup,
  readBack,
  updateCustodyGroup,
  updateGroupText,
  type CustodyGroupRow,
} from '../../store/fortanix-groups.ts'
import { requireMember } from '../account-rights.ts'
import { leafActorOf } from '../caller.ts'
import { policyColumns } from '../group-policy-columns.ts'
import { requireManagedGroup } from '../group-rights.ts'
import type { Operation } from '../perform.ts'
import { requireApprovers, type GroupPolicy } from '../policies.ts'
import { tellPolicy } from '../tell-policy.ts'

/** What is undefined stays. */
export interface GroupInput {
  readonly id: string
  readonly name?: string
  readonly description?: string
  /** Null takes it away. */
  readonly policy?: GroupPolicy | null
}

/** Contract fortanix §4.2. */
export const updateGroupOperation: Operation<GroupInput, CustodyGroupRow> = {
  async check(_ctx, tx, caller, { id, policy }) {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    // Before it is looked at: of two that set a first policy one has to ask. The account's comes first wherever both are held.
    await shareAccount(tx, orgId)
    await lockCustodyGroup(tx, orgId, id)
    await requireManagedGroup(tx, member, id)
    if (policy !== undefined && policy !== null) await requireApprovers(tx, orgId, policy.policy)
    return {
      orgId,
      subjects: [{ kind: 'group', id }],
      account: ['groups'],
      groups: [{ id, concern: policy === undefined ? 'manage' : 'policy' }],
      isSensitive: false,
    }
  },

  async run(ctx, tx, caller, { id, name, description, policy }) {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    const before = await requireManagedGroup(tx, member, id)
    const at = ctx.clock.now()
    const text = { name: name ?? before.name, description: description ?? before.description }
    await updateGroupText(tx, orgId, id, text, at)
    if (policy !== undefined) await updateCustodyGroup(tx, orgId, id, policyColumns(policy))
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'group.changed',
      subjectId: id,
      actor: leafActorOf(member),
      at,
      facts: { permissions: [] },
      privateText: text,
    })
    if (policy !== undefined) await tellPolicy(ctx, tx, member, { kind: 'group', id }, policy)
    return await readBack(tx, orgId, id)
  },
}
