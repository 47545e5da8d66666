import type { NewCustodyGroup } from '../../../custody/operations/create-group.ts'
import type { GroupInput } from '../../../custody/operations/update-group.ts'
import { policyOfGroup } from '../../../custody/policies.ts'
import type { Creator } from '../../../custody/creator.ts'
import type { CustodyGroupRow } from '../../../store/fortanix-groups.ts'
import { readBody, readOptionalBody } from '../../shared/members.ts'
import { renderCreator } from './creator.ts'
import { parseGroupPolicy, renderGroupPolicy } from './policies.ts'
import { renderTime } from './times.ts'

const maxName = 256

/** @throws AppError INVALID_MEMBER */
export function parseNewGroup(body: unknown): NewCustodyGroup {
  return readBody(body, (members) => ({
    name: members.neededText('name', { max: maxName }),
    description: members.text('description'),
    policy: parseGroupPolicy(members) ?? null,
  }))
}

/** What is absent stays. @throws AppError INVALID_MEMBER */
export function parseGroup(id: string, body: unknown): GroupInput {
  return readOptionalBody(body, (members) => {
    const name = members.text('name', { min: 1, max: maxName })
    const description = members.text('description')
    const policy = parseGroupPolicy(members)
    return {
      id,
      ...(name !== null && { name }),
      ...(description !== null && { description }),
      ...(policy !== undefined && { policy }),
    }
  })
}

export function renderGroup(group: CustodyGroupRow): object {
  const policy = policyOfGroup(group)
  return {
    acct_id: group.org_id,
    group_id: group.group_id,
    name: group.name,
    ...(group.description !== null && { description: group.description }),
    ...(policy !== null && { approval_policy: renderGroupPolicy(policy) }),
    created_at: renderTime(group.created_at),
    creator: renderCreator(group.creator as Creator),
  }
}
