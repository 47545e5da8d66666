import { unsatisfiable, type UnsatisfiableBranch } from '../kernel/satisfiable.ts'
import { leavesOf, type Policy } from '../kernel/rule.ts'
import { countEligibleMembers } from '../store/groups.ts'
import type { Tx } from '../store/open.ts'

export type PolicyWarning = UnsatisfiableBranch

/** The branches of a policy that its groups, as they are today, cannot satisfy. A group that does not exist has nobody. */
export async function findPolicyWarnings(
  tx: Tx,
  orgId: string,
  policy: Policy,
  groupIds: readonly string[],
): Promise<readonly PolicyWarning[]> {
  const seats = policy.stages.flatMap(({ rule }) => leavesOf(rule))
  // More members than every seat together asks for change nothing, and a group may have very many.
  const enough = seats.reduce((sum, { atLeast }) => sum + Math.min(atLeast, maxCounted), 0)
  const groups = await countEligibleMembers(tx, orgId, groupIds, enough)
  const sizes = groups.map(({ id, eligible }) => ({ seat: { kind: 'group', id } as const, eligible }))
  return unsatisfiable(policy, sizes)
}

const maxCounted = 1_000_000
