import fc from 'fast-check'
import { createWorld, type World, type WorldVote } from '../world.ts'
import type { Outcome } from '../../../src/kernel/request.ts'
import type { Assurance, Policy, PolicyOptions, Rule, SeatSource, Seats } from '../../../src/kernel/rule.ts'
import { atLeast } from './case.ts'

/** Small worlds in which everything that can go wrong is likely to. */

const PRINCIPALS = ['p', 'q', 'r', 's', 'agent']
const GROUPS = ['a', 'b', 'c']
const PROOFS: readonly Assurance[] = ['stepUp', 'password', 'securityKey', 'signature']

export const seatSources: fc.Arbitrary<SeatSource> = fc.oneof(
  fc.constantFrom(...GROUPS).map((id): SeatSource => ({ kind: 'group', id })),
  fc.constantFrom(...PRINCIPALS).map((id): SeatSource => ({ kind: 'principal', id })),
)
const proofs = fc.subarray([...PROOFS])

const leaves: fc.Arbitrary<Seats> = fc.record({
  kind: fc.constant('seats' as const),
  atLeast: fc.integer({ min: 1, max: 3 }),
  from: seatSources,
  assurance: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: proofs }),
})

export const rules: fc.Arbitrary<Rule> = fc.letrec<{ rule: Rule }>((tie) => ({
  rule: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves,
    fc
      .tuple(fc.array(tie('rule'), { minLength: 1, maxLength: 3 }), fc.nat(2))
      .map(([of, n]) => atLeast((n % of.length) + 1, ...of)),
  ),
})).rule

export const options: fc.Arbitrary<PolicyOptions> = fc.record({
  veto: fc.constantFrom('withdrawable' as const, 'final' as const, 'ignored' as const),
  requesterMayVote: fc.boolean(),
  distinctPeople: fc.boolean(),
  naturalPersons: fc.boolean(),
  recheckEligibility: fc.boolean(),
  vetoNeedsAssurance: fc.boolean(),
})

export const policies: fc.Arbitrary<Policy> = fc.record({
  stages: fc
    .array(fc.record({ binding: fc.boolean(), rule: rules }), { minLength: 1, maxLength: 3 })
    .map(([first, ...others]) => [...others, { ...first!, binding: true }]),
  options,
})

export type Step =
  | { readonly kind: 'vote'; readonly who: string; readonly vote: WorldVote }
  | { readonly kind: 'clock' | 'cancel' | 'close-stage' | 'amend' }
  | {
      readonly kind: 'member' | 'enabled' | 'right' | 'agent-of'
      readonly who: string
      readonly is: boolean
      readonly group: string
    }

const who = fc.constantFrom(...PRINCIPALS)
export const votes: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('vote' as const),
  who,
  vote: fc.record(
    {
      stance: fc.constantFrom(
        'approve' as const,
        'approve' as const,
        'approve' as const,
        'veto' as const,
        'withdraw' as const,
      ),
      seats: fc.uniqueArray(seatSources, { maxLength: 3, selector: ({ kind, id }) => kind + id }),
      assurance: proofs,
    },
    { requiredKeys: ['stance'] },
  ),
})
const changes: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('member' as const, 'enabled' as const, 'right' as const, 'agent-of' as const),
  who,
  is: fc.boolean(),
  group: fc.constantFrom(...GROUPS),
})
const events: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('clock' as const, 'cancel' as const, 'close-stage' as const, 'amend' as const),
})

/** Many votes, some changes of who may, and now and then an end. */
export const histories: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof({ weight: 8, arbitrary: votes }, { weight: 3, arbitrary: changes }, { weight: 1, arbitrary: events }),
  { maxLength: 20 },
)

export const memberships: fc.Arbitrary<Readonly<Record<string, readonly string[]>>> = fc.record({
  a: fc.subarray([...PRINCIPALS]),
  b: fc.subarray([...PRINCIPALS]),
  c: fc.subarray([...PRINCIPALS]),
})

export function worldOf(
  policy: Policy,
  groups: Readonly<Record<string, readonly string[]>>,
  alwaysGiveApprovals = false,
): World {
  return createWorld(policy, {
    people: [...PRINCIPALS.slice(0, -1), { principal: 'agent', person: 'p', provable: ['password'] }],
    groups,
    requester: 's',
    expiresAt: 1000,
    alwaysGiveApprovals,
  })
}

/** What came of it, where something was asked; a change of who may vote is not. */
export function take(world: World, step: Step, now: number): Outcome | undefined {
  switch (step.kind) {
    case 'vote':
      return world.vote(step.who, step.vote, now)
    case 'clock':
      return world.clock(now)
    case 'cancel':
      return world.cancel(now)
    case 'close-stage':
      return world.closeStage(now)
    case 'amend':
      return world.amend(now)
    case 'member':
      world.setMember(step.group, step.who, step.is)
      return undefined
    case 'enabled':
      world.setEnabled(step.who, step.is)
      return undefined
    case 'right':
      world.setRight(step.who, step.is)
      return undefined
    case 'agent-of':
      world.setAgentOf(step.who, step.is ? 'q' : step.who)
      return undefined
  }
}
