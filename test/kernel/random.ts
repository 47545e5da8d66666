/** Random cases: larger worlds than the exhaustive ones, with everything that can happen to a request in between. */
import type { Assurance, Policy, Rule, SeatSource, Stage } from '../../src/kernel/rule.ts'
import type { Beginning, Happening, Person, Stance } from './naive.ts'
import { type Case, type Chance, EXPIRES_AT, chance } from './cases.ts'

const HUMANS = ['ann', 'bob', 'cat', 'dan']
const AGENTS = ['bot1', 'bot2']
const GROUPS = ['A', 'B', 'C']
const PROOFS: Assurance[] = ['stepUp', 'password', 'securityKey', 'signature']

/**
 * Chance alone seldom comes to a decision that hangs on one fact, so half of the cases are steered towards one:
 * `calm` has votes and nothing else; in `close` nearly everyone approves, and those who have may lose what they voted by.
 */
type Mood = 'wild' | 'calm' | 'close'

export function randomCase(seed: number, caseNumber: number): Case {
  const dice = chance(seed, caseNumber)
  const mood = dice.oneOf<Mood>(['wild', 'wild', 'calm', 'close'])
  if (mood === 'close') return closeCase(dice)
  const people = randomPeople(dice)
  const policy = randomPolicy(dice, people)
  const requester = dice.onceIn(3) ? 'outsider' : dice.oneOf(people).id
  const beginning: Beginning = { people, requester, ...randomBeneficiary(dice, people), expiresAt: EXPIRES_AT }
  return { policy, beginning, happenings: randomHappenings(dice, policy, people, mood) }
}

function closeCase(dice: Chance): Case {
  const people = randomPeople(dice).map((person) => ({ ...person, enabled: true, hasRight: true, provable: PROOFS }))
  const drawn = randomPolicy(dice, people)
  // A wide rule names its groups again and again, which single votes do not allow.
  const isWide = dice.onceIn(4) && !drawn.options.singleVote
  const policy = isWide ? { ...drawn, stages: [{ binding: true, rule: wideRule(dice) }] } : drawn
  const requester = dice.onceIn(5) ? dice.oneOf(people).id : 'outsider'
  const voted: Person[] = []
  const happenings = Array.from({ length: people.length + 4 }, (_, now): Happening => {
    if (voted.length > 0 && dice.onceIn(3)) return randomLoss(dice, dice.oneOf(voted), policy)
    const person = dice.oneOf(people)
    voted.push(person)
    const stance = dice.onceIn(10) ? dice.oneOf<Stance>(['veto', 'withdraw']) : 'approve'
    return { kind: 'vote', principal: person.id, stance, assurance: PROOFS, now }
  })
  const parties = { requester, ...randomBeneficiary(dice, people) }
  return { policy, beginning: { people, ...parties, expiresAt: EXPIRES_AT }, happenings }
}

function randomBeneficiary(dice: Chance, people: readonly Person[]): Pick<Beginning, 'beneficiary'> {
  return dice.onceIn(6) ? { beneficiary: dice.oneOf(people).id } : {}
}

/** Many seats of few groups, which `distinctPeople` makes hard to fill. */
function wideRule(dice: Chance): Rule {
  const width = 3 + dice.below(5)
  const of = Array.from({ length: width }, (): Rule => {
    const from: SeatSource = { kind: 'group', id: dice.oneOf(GROUPS) }
    return { kind: 'seats', atLeast: dice.oneOf([1, 1, 1, 2]), from }
  })
  return { kind: 'threshold', atLeast: 2 + dice.below(Math.min(3, width - 2)), of }
}

/** Mostly takes away something that their vote rests on; sometimes gives it back. */
function randomLoss(dice: Chance, person: Person, policy: Policy): Happening {
  const is = dice.onceIn(4)
  const kind = dice.oneOf(['member', 'member', 'enabled', 'right'] as const)
  if (kind !== 'member') return { kind, principal: person.id, is }
  const groups = policy.stages.flatMap((stage) => sourcesOf(stage.rule)).filter((source) => source.kind === 'group')
  return { kind, principal: person.id, group: groups.length === 0 ? 'A' : dice.oneOf(groups).id, is }
}

function randomPeople(dice: Chance): Person[] {
  const humans = HUMANS.slice(0, 1 + dice.below(HUMANS.length))
  const agents = AGENTS.slice(0, dice.below(AGENTS.length + 1))
  const isTidy = dice.onceIn(2)
  const describe = (id: string, agentOf: string | null): Person => ({
    id,
    groups: GROUPS.filter(() => !dice.onceIn(3)),
    enabled: isTidy || !dice.onceIn(12),
    hasRight: isTidy || !dice.onceIn(12),
    agentOf,
    provable: agentOf === null && !dice.onceIn(8) ? PROOFS : PROOFS.filter(() => dice.onceIn(4)),
  })
  return [
    ...humans.map((id) => describe(id, null)),
    ...agents.map((id) => describe(id, dice.onceIn(6) ? null : dice.oneOf(humans))),
  ]
}

function randomPolicy(dice: Chance, people: readonly Person[]): Policy {
  const isAssuranceUsed = dice.onceIn(3)
  const stages: Stage[] = Array.from({ length: 1 + dice.below(3) }, () => ({
    binding: !dice.onceIn(3),
    rule: randomRule(dice, people, 3, isAssuranceUsed),
  }))
  const policy: Policy = {
    stages: stages.some((stage) => stage.binding) ? stages : stages.map((stage) => ({ ...stage, binding: true })),
    options: {
      veto: dice.oneOf(['withdrawable', 'withdrawable', 'final', 'ignored'] as const),
      requesterMayVote: dice.onceIn(2),
      distinctPeople: dice.onceIn(2),
      naturalPersons: dice.onceIn(2),
      recheckEligibility: dice.onceIn(2),
      vetoNeedsAssurance: isAssuranceUsed && dice.onceIn(2),
    },
  }
  const kind = dice.below(6)
  if (kind < 2) return withSingleVotes(policy)
  return kind === 2 ? withStandingApprovals(policy) : policy
}

/** The same with approvals that are given once and stand. */
function withStandingApprovals({ stages, options }: Policy): Policy {
  return { stages, options: { ...options, veto: 'final', recheckEligibility: false, approvesOnce: true } }
}

/** The same with single votes, as far as such a policy is accepted: no stage names a seat twice. */
function withSingleVotes({ stages, options }: Policy): Policy {
  const named = stages.map(({ rule }) => sourcesOf(rule).map(({ kind, id }) => `${kind} ${id}`))
  if (named.some((seats) => new Set(seats).size < seats.length)) return { stages, options }
  const veto = options.veto === 'withdrawable' ? 'final' : options.veto
  return { stages, options: { ...options, veto, recheckEligibility: false, singleVote: true } }
}

function randomRule(dice: Chance, people: readonly Person[], depth: number, isAssuranceUsed: boolean): Rule {
  if (depth === 1 || dice.onceIn(2)) {
    const from: SeatSource = dice.onceIn(5)
      ? { kind: 'principal', id: dice.oneOf(people).id }
      : { kind: 'group', id: dice.oneOf(GROUPS) }
    const atLeast = from.kind === 'group' ? dice.oneOf([1, 1, 1, 2, 2, 3]) : dice.oneOf([1, 1, 1, 1, 1, 2])
    if (!isAssuranceUsed || dice.onceIn(2)) return { kind: 'seats', atLeast, from }
    return { kind: 'seats', atLeast, from, assurance: PROOFS.filter(() => dice.onceIn(3)) }
  }
  const width = depth === 3 ? 1 + dice.below(3) : 1 + dice.below(2)
  const children = Array.from({ length: width }, () => randomRule(dice, people, depth - 1, isAssuranceUsed))
  return { kind: 'threshold', atLeast: 1 + dice.below(width), of: children }
}

function randomHappenings(dice: Chance, policy: Policy, people: readonly Person[], mood: Mood): Happening[] {
  const length = 3 + dice.below(10)
  let now = 0
  return Array.from({ length }, (_, index) => {
    now = mood === 'calm' ? index : dice.onceIn(25) ? dice.oneOf([EXPIRES_AT - 1, EXPIRES_AT, EXPIRES_AT + 1]) : now
    const kind = mood === 'calm' ? 'vote' : dice.oneOf(KINDS)
    return randomHappening(dice, policy, people, kind, now)
  })
}

/** As often as they stand here. */
const KINDS = [
  ...Array.from({ length: 30 }, () => 'vote' as const),
  ...(['member', 'member', 'member', 'member', 'member', 'enabled', 'enabled', 'right', 'right'] as const),
  ...(['agent-of', 'policy-open', 'clock', 'cancel', 'close-stage', 'close-stage', 'amend', 'amend'] as const),
]

function randomHappening(
  dice: Chance,
  policy: Policy,
  people: readonly Person[],
  kind: Happening['kind'],
  now: number,
): Happening {
  const principal = dice.oneOf(people).id
  switch (kind) {
    case 'vote':
      return randomVote(dice, policy, people, now)
    case 'member':
      return { kind, principal, group: dice.oneOf([...GROUPS, 'D']), is: dice.onceIn(2) }
    case 'enabled':
    case 'right':
      return { kind, principal, is: !dice.onceIn(3) }
    case 'agent-of': {
      const agent = people.find((person) => AGENTS.includes(person.id))?.id ?? 'bot1'
      const humans = people.filter((person) => HUMANS.includes(person.id)).map((person) => person.id)
      return { kind, principal: agent, person: dice.onceIn(5) ? null : dice.oneOf(humans) }
    }
    case 'policy-open':
      return { kind, is: dice.onceIn(2) }
    case 'clock':
    case 'cancel':
    case 'close-stage':
    case 'amend':
      return { kind, now }
  }
}

function randomVote(dice: Chance, policy: Policy, people: readonly Person[], now: number): Happening {
  const person = dice.oneOf(people)
  const stance: Stance = dice.oneOf([
    'approve',
    'approve',
    'approve',
    'approve',
    'approve',
    'veto',
    'withdraw',
    'withdraw',
  ])
  const vote = {
    kind: 'vote',
    principal: person.id,
    stance,
    assurance: randomProof(dice, person),
    now,
  } as const
  if (dice.onceIn(40)) return { ...vote, stale: true }
  if (!dice.onceIn(4)) return vote
  const nameable = [...policy.stages.flatMap((stage) => sourcesOf(stage.rule)), { kind: 'group', id: 'A' } as const]
  return { ...vote, seats: Array.from({ length: dice.below(4) }, () => dice.oneOf(nameable)) }
}

/** Mostly all that the person can prove, and never more. */
function randomProof(dice: Chance, person: Person): Assurance[] {
  return dice.onceIn(4) ? person.provable.filter(() => dice.onceIn(2)) : [...person.provable]
}

function sourcesOf(rule: Rule): SeatSource[] {
  return rule.kind === 'seats' ? [rule.from] : rule.of.flatMap(sourcesOf)
}
