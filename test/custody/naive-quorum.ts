/**
 * What a quorum policy means, written from contract fortanix §4.1 alone, over its wire form: who reviews, what each proves, and
 * whether those who approved are enough. It shares nothing with the engine.
 */
export type WirePolicy =
  | { readonly user: string }
  | { readonly app: string }
  | {
      readonly quorum: {
        readonly n: number
        readonly members: readonly WirePolicy[]
        readonly require_password?: boolean
        readonly require_2fa?: boolean
      }
    }

export interface NaiveReviewer {
  readonly id: string
  password: boolean
  twoFactor: boolean
}

/** Every path from a root to a leaf, told as the flags met on the way. */
export function naiveReviewers(policies: readonly WirePolicy[]): readonly NaiveReviewer[] {
  const found: NaiveReviewer[] = []
  const walk = (policy: WirePolicy, password: boolean, twoFactor: boolean) => {
    if ('quorum' in policy) {
      const { members, require_password = false, require_2fa = false } = policy.quorum
      for (const member of members) walk(member, password || require_password, twoFactor || require_2fa)
      return
    }
    const isApp = 'app' in policy
    const id = isApp ? policy.app : policy.user
    let reviewer = found.find((one) => one.id === id)
    if (reviewer === undefined) found.push((reviewer = { id, password: false, twoFactor: false }))
    if (password && !isApp) reviewer.password = true
    if (twoFactor && !isApp) reviewer.twoFactor = true
  }
  for (const policy of policies) walk(policy, false, false)
  return found
}

export function naiveHolds(policies: readonly WirePolicy[], approvers: ReadonlySet<string>): boolean {
  const holds = (policy: WirePolicy): boolean => {
    if ('user' in policy) return approvers.has(policy.user)
    if ('app' in policy) return approvers.has(policy.app)
    let satisfied = 0
    for (const member of policy.quorum.members) if (holds(member)) satisfied++
    return satisfied >= policy.quorum.n
  }
  return policies.every(holds)
}
