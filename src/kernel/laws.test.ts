import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { histories, memberships, policies, take, worldOf, type Step } from '../../test/kernel/cases/arbitrary.ts'
import { holdsByCount } from './quorum.ts'
import { holdsExactly, leavesByVoter, mayHold, votersPerLeaf } from './recount.ts'
import { decide, type Event, type RequestState, type StandingApproval } from './request.ts'
import { leavesOf, type Policy } from './rule.ts'

const TERMINAL = ['approved', 'canceled', 'expired']

function isTerminal(policy: Policy, { status }: RequestState): boolean {
  return TERMINAL.includes(status) || (status === 'rejected' && policy.options.veto === 'final')
}
const approve = (who: string): Step => ({ kind: 'vote', who, vote: { stance: 'approve' } })

describe('whatever the policy, the people and the history', () => {
  test('approvals of independent voters commute', () => {
    fc.assert(
      fc.property(policies, memberships, fc.shuffledSubarray(['p', 'q', 'r', 's']), (policy, groups, order) => {
        // Within one stage: who may vote in the next depends on who opened it.
        const single = { ...policy, stages: policy.stages.slice(-1) }
        const after = (voters: readonly string[]) => {
          const world = worldOf(single, groups)
          for (const who of voters) take(world, approve(who), 1)
          const { status, stage, tally } = world.state
          return status === 'approved' ? status : { status, stage, tally }
        }
        expect(after(order)).toEqual(after(order.toSorted()))
      }),
    )
  })

  test('one more approval never un-approves', () => {
    fc.assert(
      fc.property(
        policies,
        memberships,
        fc.shuffledSubarray(['p', 'q', 'r', 's', 'agent']),
        fc.nat(4),
        (policy, groups, order, at) => {
          const single = { ...policy, stages: policy.stages.slice(-1) }
          const after = (voters: readonly string[]) => {
            const world = worldOf(single, groups)
            for (const who of voters) take(world, approve(who), 1)
            return world.state.status
          }
          const [more, ...others] = order
          if (more === undefined || after(others) !== 'approved') return
          expect(after(others.toSpliced(at, 0, more))).toBe('approved')
        },
      ),
    )
  })

  test('there is no decision without a quorum of distinct eligible principals', () => {
    fc.assert(
      fc.property(policies, memberships, histories, (policy, groups, history) => {
        const world = worldOf(policy, groups)
        for (const step of history) {
          const before = world.state
          const outcome = take(world, step, 1)
          const passed =
            outcome?.kind === 'decided' &&
            outcome.effects.some((effect) => effect.kind === 'stage-passed' && effect.by === 'quorum')
          if (!passed || step.kind !== 'vote') continue
          // Counted without the kernel: who approves now, in the stage as it was, for what they hold now.
          const rule = policy.stages[before.stage]!.rule
          const now = approvalsAsOf(world, before)
          const perLeaf = leavesOf(rule).map((leaf) => {
            const voters = now.filter(({ holds, assurance, principal, person }) => {
              const isRequester = principal === 's' || (policy.options.naturalPersons && person === 's')
              const holdsIt = holds.some(({ kind, id }) => kind === leaf.from.kind && id === leaf.from.id)
              const proved = leaf.assurance!.every((proof) => assurance.includes(proof))
              return holdsIt && proved && (policy.options.requesterMayVote || !isRequester)
            })
            return new Set(voters.map(({ principal, person }) => (policy.options.naturalPersons ? person : principal)))
              .size
          })
          expect(holdsByCount(rule, perLeaf)).toBe(true)
        }
      }),
    )
  })

  test('the requester never counts where excluded, not by a group, not by a stand-in', () => {
    fc.assert(
      fc.property(policies, memberships, histories, (given, groups, history) => {
        const policy = { ...given, options: { ...given.options, requesterMayVote: false, naturalPersons: true } }
        const world = worldOf(policy, groups)
        world.setAgentOf('agent', 's')
        for (const step of history) if (step.kind !== 'agent-of') take(world, step, 1)
        const voted = world.log.filter((entry) => entry.kind === 'vote').map(({ principal }) => principal)
        expect(voted.filter((principal) => principal === 's' || principal === 'agent')).toEqual([])
      }),
    )
  })

  test('a terminal decision never changes', () => {
    fc.assert(
      fc.property(policies, memberships, histories, fc.nat(2000), (policy, groups, history, later) => {
        const world = worldOf(policy, groups)
        for (const [index, step] of history.entries()) {
          const before = world.state
          take(world, step, index % 5 === 4 ? later : 1)
          if (isTerminal(policy, before)) expect(world.state).toBe(before)
        }
      }),
    )
  })

  test('the tally is never less than what stands, and decides as an exact recount would', () => {
    fc.assert(
      fc.property(policies, memberships, histories, (policy, groups, history) => {
        const lazy = worldOf(policy, groups)
        const eager = worldOf(policy, groups, true)
        for (const step of history) {
          expect(take(lazy, step, 1)).toEqual(take(eager, step, 1))
          const stands = votersPerLeaf(lazy.state.tally.approvals.length, [
            ...leavesByVoter(policy, lazy.state, lazy.standingApprovals()).values(),
          ])
          lazy.state.tally.approvals.forEach((bound, leaf) => expect(bound).toBeGreaterThanOrEqual(stands[leaf]!))
          if (!policy.options.naturalPersons && !policy.options.recheckEligibility) {
            expect(lazy.state.tally.approvals).toEqual(stands)
          }
          if (holdsExactly(policy, lazy.state, lazy.standingApprovals())) expect(mayHold(policy, lazy.state)).toBe(true)
        }
      }),
    )
  })

  test('a voter counts once per seat however often they vote', () => {
    fc.assert(
      fc.property(
        policies,
        memberships,
        fc.constantFrom('p', 'q', 'r', 's', 'agent'),
        fc.integer({ min: 1, max: 5 }),
        (policy, groups, who, times) => {
          const world = worldOf(policy, groups)
          take(world, approve(who), 1)
          fc.pre(world.state.stage === 0)
          const once = world.state.tally
          for (let again = 0; again < times; again++) take(world, approve(who), 1)
          expect(world.state.tally).toEqual(once)
          expect(Math.max(...once.approvals)).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  test('an empty list means nobody', () => {
    const nobody: Policy = {
      stages: [{ binding: true, rule: { kind: 'threshold', atLeast: 0, of: [] } }],
      options: {
        veto: 'ignored',
        requesterMayVote: true,
        distinctPeople: false,
        naturalPersons: false,
        recheckEligibility: false,
        vetoNeedsAssurance: false,
      },
    }
    for (const distinctPeople of [false, true]) {
      const policy = { ...nobody, options: { ...nobody.options, distinctPeople } }
      const world = worldOf(policy, { a: ['p'], b: [], c: [] })
      expect(world.vote('p', {}, 1)).toMatchObject({ kind: 'refused', refusal: { because: 'no-seat' } })
      expect(holdsExactly(policy, world.state, [])).toBe(false)
    }
  })

  test('a decision is a function of what is given: the same again for the same', () => {
    fc.assert(
      fc.property(anyQuestion, ({ policy, state, event, now }) => {
        const frozen = structuredClone({ policy, state, event })
        expect(decide(policy, state, event, now)).toEqual(decide(policy, state, event, now))
        expect({ policy, state, event }).toEqual(frozen)
      }),
    )
  })
})

/** Who approves after the last vote of the log, in the stage and on the content of `before`. */
function approvalsAsOf(world: ReturnType<typeof worldOf>, before: RequestState): readonly StandingApproval[] {
  const last = new Map<string, StandingApproval>()
  for (const entry of world.log) {
    if (entry.kind !== 'vote' || entry.stage !== before.stage || entry.digest !== before.digest) continue
    last.set(entry.principal, { ...entry, holds: entry.seats })
  }
  return [...last.values()]
    .filter(({ stance }) => stance === 'approve')
    .map((vote) => {
      if (!world.policy.options.recheckEligibility) return vote
      const { enabled, hasRight, groups } = world.facts(vote.principal).voter
      const isHeld = ({ kind, id }: { kind: string; id: string }) =>
        kind === 'group' ? groups.includes(id) : id === vote.principal
      return { ...vote, holds: vote.seats.filter((seat) => enabled && hasRight && isHeld(seat)) }
    })
}

/** Well-typed, and otherwise without sense: states no history leads to, facts that contradict each other. */
const anyQuestion = fc.record({
  policy: policies,
  state: fc.record({
    status: fc.constantFrom('open', 'approved', 'rejected', 'canceled', 'expired'),
    stage: fc.integer({ min: -1, max: 4 }),
    seq: fc.nat(),
    digest: fc.constantFrom('now', 'before'),
    expiresAt: fc.oneof(fc.integer(), fc.constant(Number.NaN)),
    requester: fc.record({ principal: fc.constantFrom('s', 'p'), person: fc.constantFrom('s', 'p', null) }),
    tally: fc.record({ approvals: fc.array(fc.integer()), vetoes: fc.integer() }),
  }) as fc.Arbitrary<RequestState>,
  event: fc.oneof(
    fc.tuple(policies, memberships, histories).map(([policy, groups, history]) => {
      const world = worldOf(policy, groups)
      for (const step of history) take(world, step, 1)
      const vote = { stance: 'approve', assurance: [], digest: 'now' } as const
      return { kind: 'vote', vote, facts: { ...world.facts('p'), approvals: world.standingApprovals() } } as const
    }),
    fc.constantFrom({ kind: 'clock' }, { kind: 'cancel' }, { kind: 'close-stage' }, { kind: 'amend', digest: 'now' }),
  ) as fc.Arbitrary<Event>,
  now: fc.integer(),
})
