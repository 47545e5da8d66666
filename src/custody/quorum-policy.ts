/** Who must approve. Ids are those of people and of apps in the account. */
export type QuorumPolicy = Quorum | ApproverLeaf

export interface Quorum {
  readonly kind: 'quorum'
  /** So many of the members have to be satisfied. */
  readonly n: number
  readonly members: readonly QuorumPolicy[]
  readonly requiresPassword: boolean
  readonly requiresSecurityKey: boolean
}

export interface ApproverLeaf {
  readonly kind: 'person' | 'app'
  readonly id: string
}

/** Every leaf, in the order in which they are written, as often as they occur. */
export function leavesOf(policy: QuorumPolicy): readonly ApproverLeaf[] {
  return policy.kind === 'quorum' ? policy.members.flatMap(leavesOf) : [policy]
}

export function isSameLeaf(one: QuorumPolicy, other: QuorumPolicy): boolean {
  return one.kind !== 'quorum' && other.kind !== 'quorum' && one.kind === other.kind && one.id === other.id
}
