import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { options, rules, seatSources } from '../../test/kernel/cases/arbitrary.ts'
import { all, any, groups, people, policyOf, seat, seats, type Case } from '../../test/kernel/cases/case.ts'
import type { EligiblePrincipal } from './candidacy.ts'
import { explain, type ExplainFacts, type Explanation } from './explain.ts'
import { holdsExactly } from './recount.ts'
import { initialState, type RequestState, type StandingApproval } from './request.ts'
import { leavesOf, type Policy, type Rule, type SeatSource } from './rule.ts'
import { createWorld, type World } from '../../test/kernel/world.ts'

const DIGEST = { digest: 'd', expiresAt: 1000, requester: { principal: 'ada', person: 'ada' } }

/** Explains what ben, cleo and the others of the cases could still do after the given votes. */
function explained(
  story: Pick<Case, 'stages' | 'options'>,
  votes: (world: World) => void = () => {},
  facts: Partial<ExplainFacts> = {},
  now = 1,
) {
  const world = createWorld(policyOf(story), { people, groups, requester: 'ada', expiresAt: 1000 })
  votes(world)
  return explain(world.policy, world.state, { ...factsOf(world), ...facts }, now)
}

function factsOf(world: World): ExplainFacts {
  const candidates = people.map(({ principal, person }) => ({
    principal,
    person: person ?? principal,
    holds: [...world.groups].filter(([, members]) => members.has(principal)).map(([group]) => seat(group)),
  }))
  const named = people.map(({ principal }) => ({ seat: seat(`@${principal}`), eligible: 1 }))
  const seatSizes = [
    ...[...world.groups].map(([group, members]) => ({ seat: seat(group), eligible: members.size })),
    ...named,
  ]
  return {
    approvals: world.standingApprovals(),
    candidates: candidates.map((one) => ({ ...one, holds: [...one.holds, seat(`@${one.principal}`)] })),
    candidatesComplete: true,
    seatSizes,
  }
}

const finishing = ({ pending }: Explanation) => pending?.finishing.map((set) => set.join(' '))

describe('an explanation', () => {
  const rule = all(seats(2, 'security', 'stepUp'), any(seats(1, 'finance'), seats(1, '@fay')))

  test('shows every branch with what it has, needs and is short of', () => {
    const { pending } = explained({ stages: [rule] }, (world) => world.vote('cleo', {}, 1))
    const branch = { isSatisfied: false, isSatisfiable: true }
    const nothing = (needed: number) => ({ held: 0, needed, missing: needed, ...branch })
    expect(pending?.tree).toEqual({
      kind: 'threshold',
      ...nothing(2),
      of: [
        { kind: 'seats', from: seat('security'), assurance: ['stepUp'], held: 1, needed: 2, missing: 1, ...branch },
        {
          kind: 'threshold',
          ...nothing(1),
          of: [
            { kind: 'seats', from: seat('finance'), assurance: [], held: 0, needed: 1, missing: 1, ...branch },
            { kind: 'seats', from: seat('@fay'), assurance: [], held: 0, needed: 1, missing: 1, ...branch },
          ],
        },
      ],
    })
  })

  test('shows which branches hold already', () => {
    const { pending } = explained({ stages: [rule] }, (world) => world.vote('eli', {}, 1))
    expect(pending?.tree).toMatchObject({
      held: 1,
      missing: 1,
      isSatisfied: false,
      of: [{ held: 0 }, { held: 1, missing: 0, isSatisfied: true, of: [{ held: 1, isSatisfied: true }, { held: 0 }] }],
    })
  })

  test('lists the smallest sets of people who could finish it, in the order in which they are given', () => {
    const answer = explained({ stages: [rule] }, (world) => world.vote('cleo', {}, 1))
    expect(finishing(answer)).toEqual(['dana', 'ben eli', 'ben fay', 'eli bot', 'fay bot'])
    expect(answer).toMatchObject({ status: 'open', expiresAt: 1000 })
    expect(answer.pending).toMatchObject({ stage: 0, vetoes: 0, exact: true, nobodyCan: false, later: [] })
    expect(answer.pending).not.toHaveProperty('inexactBecause')
  })

  test('counts a person and their agent once', () => {
    const answer = explained({ stages: [seats(2, 'security')], options: { naturalPersons: true } })
    expect(finishing(answer)).toEqual(['ben cleo', 'ben dana', 'cleo dana', 'cleo bot', 'dana bot'])
  })

  test('lets a person’s agent fill what the person does not hold', () => {
    const policy = policyOf({ stages: [all(seats(1, 'a'), seats(1, 'b'))], options: { naturalPersons: true } })
    const candidates = [
      { principal: 'eli', person: 'eli', holds: [seat('a')] },
      { principal: 'bot', person: 'eli', holds: [seat('a'), seat('b')] },
    ]
    const facts = { approvals: [], candidates, candidatesComplete: true, seatSizes: [] }
    expect(finishing(explain(policy, initialState(policy, DIGEST), facts, 1))).toEqual(['bot'])
  })

  test('never counts on the requester where excluded', () => {
    const stages = [seats(1, '@ada')]
    expect(explained({ stages }).pending).toMatchObject({ finishing: [], nobodyCan: true, exact: true })
    expect(finishing(explained({ stages, options: { requesterMayVote: true } }))).toEqual(['ada'])
  })

  test('uses nobody twice where the people must be distinct', () => {
    const stages = [all(seats(1, 'security'), seats(1, 'finance'))]
    expect(finishing(explained({ stages }))).toEqual(['dana', 'ben eli', 'cleo eli', 'eli bot'])
    const distinct = explained({ stages, options: { distinctPeople: true } })
    expect(finishing(distinct)).toEqual([
      'ben dana',
      'ben eli',
      'cleo dana',
      'cleo eli',
      'dana eli',
      'dana bot',
      'eli bot',
    ])
  })

  test('asks a voter who is already seated to move, where that makes room for another', () => {
    const stages = [all(seats(1, 'security'), seats(1, 'finance'))]
    const options = { distinctPeople: true }
    const half = (world: World) => world.vote('dana', { seats: [seat('security')] }, 1)
    expect(finishing(explained({ stages, options }, half))).toEqual(['eli', 'ben dana', 'cleo dana', 'dana bot'])
  })

  test('gives at most twenty sets', () => {
    const policy = policyOf({ stages: [seats(2, 'crowd')] })
    const candidates = Array.from({ length: 100 }, (_, index) => ({
      principal: `p${index}`,
      person: null,
      holds: [seat('crowd')],
    }))
    const facts = { approvals: [], candidates, candidatesComplete: true, seatSizes: [] }
    const { pending } = explain(policy, initialState(policy, DIGEST), facts, 1)
    expect(pending?.finishing).toHaveLength(20)
    expect(pending?.finishing.at(-1)).toEqual(['p0', 'p20'])
    expect(pending?.exact).toBe(true)
  })

  test('takes what stands together with who could still come', () => {
    const { pending } = explained({ stages: [seats(2, 'finance')] }, (world) => world.vote('dana', {}, 1))
    expect(pending).toMatchObject({ nobodyCan: false, finishing: [['eli']], tree: { held: 1, isSatisfiable: true } })
  })

  test('looks at a thousand candidates', () => {
    const policy = policyOf({ stages: [seats(1, 'crowd')] })
    const among = (listed: number) => {
      const candidates = Array.from({ length: listed }, (_, index) => ({
        principal: `p${index}`,
        person: null,
        holds: [seat('crowd')],
      }))
      return explain(
        policy,
        initialState(policy, DIGEST),
        { approvals: [], candidates, candidatesComplete: true, seatSizes: [] },
        1,
      ).pending
    }
    expect(among(1000)).toMatchObject({ exact: true })
    expect(among(1001)).toMatchObject({ exact: false, inexactBecause: 'candidates-incomplete' })
  })

  test('looks at the seats that candidates hold, up to a limit', () => {
    const policy = policyOf({ stages: [seats(51, 'crowd')] })
    const holds = [seat('crowd'), ...Array.from({ length: 999 }, (_, index) => seat(`g${index}`))]
    const among = (listed: number) => {
      const candidates = Array.from({ length: listed }, (_, index) => ({ principal: `p${index}`, person: null, holds }))
      return explain(
        policy,
        initialState(policy, DIGEST),
        { approvals: [], candidates, candidatesComplete: true, seatSizes: [] },
        1,
      ).pending
    }
    expect(among(50)).toMatchObject({ exact: true, tree: { isSatisfiable: false } })
    expect(among(52)).toMatchObject({ exact: false, inexactBecause: 'candidates-incomplete', finishing: [] })
  })

  test('says when it was too much work, and gives one way to finish all the same', () => {
    const seatNames = Array.from({ length: 900 }, (_, index) => `g${index}`)
    const policy = policyOf({ stages: [all(...seatNames.map((name) => seats(1, name)))] })
    const candidates = seatNames.map((name) => ({ principal: name, person: null, holds: [seat(name)] }))
    const facts = { approvals: [], candidates, candidatesComplete: true, seatSizes: [] }
    const { pending } = explain(policy, initialState(policy, DIGEST), facts, 1)
    expect(pending).toMatchObject({ exact: false, inexactBecause: 'too-much-work', nobodyCan: false })
    expect(pending?.finishing).toEqual([seatNames])
  })

  test('gives one empty set when the rule holds already and only a veto stands', () => {
    const vetoed = (world: World) => {
      world.vote('ben', { stance: 'veto' }, 1)
      world.vote('cleo', {}, 1)
    }
    expect(explained({ stages: [seats(1, 'security')] }, vetoed)).toMatchObject({
      status: 'rejected',
      pending: { finishing: [[]], vetoes: 1, tree: { isSatisfied: true } },
    })
    expect(explained({ stages: [seats(2, 'security')], options: { veto: 'ignored' } }, vetoed).pending?.vetoes).toBe(0)
  })

  test('says that nobody can when all who could vote are not enough', () => {
    const { pending } = explained({ stages: [seats(3, 'finance')] })
    expect(pending).toMatchObject({ nobodyCan: true, finishing: [], exact: true })
    expect(pending?.tree).toMatchObject({ isSatisfiable: false, missing: 3 })
    const distinct = { stages: [all(seats(1, 'finance'), seats(2, 'finance'))], options: { distinctPeople: true } }
    expect(explained(distinct).pending).toMatchObject({ nobodyCan: true, finishing: [] })
  })

  test('relies on the size of a group where not everyone was listed', () => {
    const stages = [all(seats(3, 'crowd'), seats(1, 'security'))]
    const more = (eligible: number) => ({
      candidatesComplete: false,
      seatSizes: [
        { seat: seat('crowd'), eligible },
        { seat: seat('security'), eligible: 0 },
      ],
    })
    expect(explained({ stages }, undefined, more(3)).pending).toMatchObject({
      nobodyCan: false,
      finishing: [],
      exact: false,
      inexactBecause: 'candidates-incomplete',
      tree: { isSatisfiable: true, of: [{ isSatisfiable: true }, { isSatisfiable: true }] },
    })
    expect(explained({ stages }, undefined, more(2)).pending).toMatchObject({
      nobodyCan: true,
      tree: { isSatisfiable: false },
    })
    const complete = { ...more(3), candidatesComplete: true }
    expect(explained({ stages }, undefined, complete).pending).toMatchObject({ nobodyCan: true, exact: true })
  })

  describe('with single votes', () => {
    const options = { veto: 'final', recheckEligibility: false, singleVote: true } as const
    const both = { stages: [all(seats(1, 'security'), seats(1, 'finance'))], options }

    test('needs two people for two seats, though one of them holds both', () => {
      const found = explained(both)
      expect(finishing(found)).toHaveLength(7)
      expect(finishing(found)).not.toContain('dana')
      expect(found.pending).toMatchObject({ exact: true, nobodyCan: false })
    })

    test('does not offer who has voted in the stage', () => {
      expect(finishing(explained(both, (world) => world.vote('dana', {}, 1)))).toEqual(['eli'])
    })

    test('says that it may not be exact of a rule that is too wide for that', () => {
      const wide = all(...Array.from({ length: 17 }, (_, each) => seats(1, `@p${each}`)))
      const { pending } = explained({ stages: [wide], options })
      expect(pending).toMatchObject({ exact: false, inexactBecause: 'too-much-work' })
    })
  })

  test('does not offer who has approved where approvals are given once', () => {
    const options = { veto: 'final', recheckEligibility: false, approvesOnce: true } as const
    const named = { stages: [any(seats(2, '@dana'), all(seats(1, '@dana'), seats(1, '@eli')))], options }
    expect(finishing(explained(named, (world) => world.vote('dana', {}, 1)))).toEqual(['eli'])
  })

  test('says which later stages could be passed today', () => {
    const stages = [seats(1, 'security'), { binding: false, rule: seats(9, 'finance') }, seats(1, '@fay')]
    expect(explained({ stages }).pending?.later).toEqual([
      { stage: 1, binding: false, isSatisfiable: false },
      { stage: 2, binding: true, isSatisfiable: true },
    ])
    expect(explained({ stages }, (world) => world.vote('ben', {}, 1)).pending).toMatchObject({
      stage: 1,
      later: [{ stage: 2, binding: true, isSatisfiable: true }],
    })
  })

  test('waits for nothing once the request is decided or its time is up', () => {
    const stages = [seats(1, 'security')]
    const none = { expiresAt: 1000, status: 'expired' }
    expect(explained({ stages }, undefined, {}, 1000)).toEqual(none)
    expect(explained({ stages }, (world) => world.cancel(1))).toEqual({ ...none, status: 'canceled' })
    expect(explained({ stages }, (world) => world.vote('ben', {}, 1))).toEqual({ ...none, status: 'approved' })
    const final = { stages, options: { veto: 'final' as const } }
    expect(explained(final, (world) => world.vote('ben', { stance: 'veto' }, 1))).toEqual({
      ...none,
      status: 'rejected',
    })
  })

  test('does not offer those who would lose by voting again what they can no longer hold', () => {
    const stages = [all(seats(2, 'security'), seats(1, 'garden'))]
    const moved = (world: World) => {
      world.vote('ben', { seats: [seat('security')] }, 1)
      world.setMember('security', 'ben', false)
    }
    const fixed = explained({ stages, options: { recheckEligibility: false } }, moved)
    expect(finishing(fixed)).toEqual(['cleo gus', 'dana gus', 'gus bot'])
    const garden = (world: World) => {
      world.vote('ben', { seats: [seat('security'), seat('@ben')] }, 1)
    }
    const candidates = [{ principal: 'ben', person: 'ben', holds: [seat('security'), seat('finance')] }]
    const elsewhere = {
      stages: [all(seats(1, 'security'), seats(1, 'finance'))],
      options: { recheckEligibility: false },
    }
    expect(finishing(explained(elsewhere, garden, { candidates }))).toEqual(['ben'])
    const checked = explained({ stages }, moved)
    expect(finishing(checked)).toEqual([
      'ben cleo dana',
      'ben cleo bot',
      'ben dana bot',
      'cleo dana gus',
      'cleo gus bot',
      'dana gus bot',
    ])
  })
})

describe('the finishing sets', () => {
  const eligible: fc.Arbitrary<readonly EligiblePrincipal[]> = fc
    .array(
      fc.record({
        person: fc.constantFrom('x', 'y', 'z', null),
        holds: fc.uniqueArray(seatSources, { maxLength: 3, selector: ({ kind, id }) => kind + id }),
      }),
      { maxLength: 6 },
    )
    .map((some) => some.map((one, index) => ({ ...one, principal: `c${index}` })))

  test('are all the smallest ones that would make the rule hold, none of whom could be left out', () => {
    fc.assert(
      fc.property(rules, options, eligible, fc.subarray([0, 1, 2, 3, 4, 5]), (given, chosen, candidates, voted) => {
        const rule = withoutAssurance(given)
        const policy = { stages: [{ binding: true, rule }], options: { ...chosen, veto: 'ignored' as const } }
        const state = initialState(policy, { ...DIGEST, requester: { principal: 'c9', person: 'w' } })
        const approvals = voted.flatMap((index) =>
          candidates[index] ? [approvalOf(candidates[index], candidates[index].holds.slice(0, 1))] : [],
        )
        const facts = { approvals, candidates, candidatesComplete: true, seatSizes: [] }
        const { pending } = explain(policy, state, facts, 1)
        const expected = bruteForce(policy, state, facts)
        // Six people and more leaves than that may be more work than an explanation does; it says so, and what it found is true.
        if (pending?.exact === false && leavesOf(rule).length > 9) {
          expect(pending.inexactBecause).toBe('too-much-work')
          expect(expected).toEqual(expect.arrayContaining([...pending.finishing]))
          return
        }
        expect(pending?.exact).toBe(true)
        expect(pending?.finishing).toEqual(expected.slice(0, 20))
        expect(pending?.nobodyCan).toBe(expected.length === 0)
      }),
    )
  })

  /** Every subset of the candidates, smallest first, that finishes and holds no smaller one that does. */
  function bruteForce(
    policy: Policy,
    state: RequestState,
    { approvals, candidates }: ExplainFacts,
  ): readonly (readonly string[])[] {
    const found: (readonly EligiblePrincipal[])[] = []
    const subsets = candidates
      .reduce<(readonly EligiblePrincipal[])[]>((sets, one) => [...sets, ...sets.map((set) => [...set, one])], [[]])
      .toSorted(
        (a, b) =>
          a.length - b.length ||
          compare(
            a.map((one) => one.principal),
            b.map((one) => one.principal),
          ),
      )
    for (const set of subsets) {
      if (found.some((smaller) => smaller.every((one) => set.includes(one)))) continue
      const others = approvals.filter(({ principal }) => !set.some((one) => one.principal === principal))
      if (holdsExactly(policy, state, [...others, ...set.map((one) => approvalOf(one, one.holds))])) found.push(set)
    }
    return found.map((set) => set.map(({ principal }) => principal))
  }
  const compare = (a: readonly string[], b: readonly string[]) => (a.join() < b.join() ? -1 : 1)

  function approvalOf({ principal, person }: EligiblePrincipal, held: readonly SeatSource[]): StandingApproval {
    return { principal, person, stance: 'approve', seats: held, holds: held, assurance: [], digest: DIGEST.digest }
  }
  function withoutAssurance(rule: Rule): Rule {
    return rule.kind === 'seats' ? { ...rule, assurance: [] } : { ...rule, of: rule.of.map(withoutAssurance) }
  }
})
