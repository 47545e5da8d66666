/**
 * Small worlds, counted through one by one.
 *
 * The smallest ones are few enough to be all tried: two people, at most two groups and two leaves in one stage, and every
 * order of three votes. The larger ones (at most four people and three groups, rules of depth three, two stages, agents,
 * assurance, five votes and one change between them) are too many for any machine, so their numbers are walked with a step
 * that has no factor in common with their count: nothing comes twice, and any number of cases is spread over all of them.
 *
 * Worlds that differ only in the names of people or groups count once: memberships are listed in ascending order, and
 * groups are named in the order in which the rule mentions them.
 */
import type { Assurance, Policy, PolicyOptions, Rule, SeatSource, Seats, Stage } from '../../src/kernel/rule.ts'
import type { Beginning, Happening, Person, Stance } from './naive.ts'
import { type Case, EXPIRES_AT } from './cases.ts'

const NAMES = ['ann', 'bob', 'cat', 'dan']
const GROUPS = ['A', 'B', 'C']
const STANCES: Stance[] = ['approve', 'veto', 'withdraw']

/** Where a leaf's seat comes from: a group by number, or the one person whom the rule names. */
type Source = number | 'person'

// --- The smallest worlds, all of them

interface SmallWorld {
  readonly policy: Policy
  readonly beginning: Beginning
}

const PLAIN: PolicyOptions = {
  veto: 'withdrawable',
  requesterMayVote: false,
  distinctPeople: false,
  naturalPersons: false,
  recheckEligibility: true,
  vetoNeedsAssurance: false,
}

const SMALL_ACTS = 3 * 2
const SMALL_ORDERS = SMALL_ACTS ** 3
const smallWorlds = listSmallWorlds()

export const smallCaseCount = smallWorlds.length * SMALL_ORDERS
const smallStep = stepOf(BigInt(smallCaseCount))

/** The smallest cases in a scattered order, so that a part of them is a fair part. */
export function smallCase(caseNumber: number): Case {
  const number = (BigInt(caseNumber) * smallStep) % BigInt(smallCaseCount)
  const world = smallWorlds[Number(number / BigInt(SMALL_ORDERS))]
  if (world === undefined) throw new Error(`there is no small case ${caseNumber}`)
  let order = Number(number % BigInt(SMALL_ORDERS))
  const happenings = Array.from({ length: 3 }, (_, now): Happening => {
    const act = order % SMALL_ACTS
    order = Math.floor(order / SMALL_ACTS)
    return {
      kind: 'vote',
      principal: at(NAMES, act % 2),
      stance: at(STANCES, act >> 1),
      assurance: [],
      now,
    }
  })
  return { ...world, happenings }
}

function listSmallWorlds(): SmallWorld[] {
  const worlds: SmallWorld[] = []
  for (const rule of listSmallRules()) {
    for (const memberships of listSmallMemberships(rule)) {
      for (const distinctPeople of rule.kind === 'threshold' ? [false, true] : [false]) {
        for (const veto of ['withdrawable', 'final', 'ignored'] as const) {
          for (const requester of ['outsider', 'ann', 'bob']) {
            const beginning = { people: memberships.map(plainPerson), requester, expiresAt: EXPIRES_AT }
            const stages = [{ binding: true, rule }]
            const options = { ...PLAIN, veto, distinctPeople }
            worlds.push({ policy: { stages, options }, beginning })
            if (veto === 'final') {
              const once = { ...options, recheckEligibility: false, approvesOnce: true } as const
              worlds.push({ policy: { stages, options: once }, beginning })
            }
            if (veto === 'withdrawable' || namesOneTwice(rule)) continue
            const single = { ...options, recheckEligibility: false, singleVote: true } as const
            worlds.push({ policy: { stages, options: single }, beginning })
          }
        }
      }
    }
  }
  return worlds
}

function namesOneTwice(rule: Rule): boolean {
  const names = leavesOf(rule).map(({ from }) => `${from.kind} ${from.id}`)
  return new Set(names).size < names.length
}

function plainPerson(groups: readonly string[], index: number): Person {
  return {
    id: at(NAMES, index),
    groups,
    enabled: true,
    hasRight: true,
    agentOf: null,
    provable: [],
  }
}

function listSmallRules(): Rule[] {
  const one = (source: Source, atLeast: number): Seats => ({
    kind: 'seats',
    atLeast,
    from: seat(source, 0),
  })
  const pairs: [Seats, Seats][] = [
    [one(0, 1), one(0, 1)],
    [one(0, 1), one(0, 2)],
    [one(0, 2), one(0, 2)],
    [one(0, 1), one(1, 1)],
    [one(0, 1), one(1, 2)],
    [one(0, 2), one(1, 1)],
    [one(0, 2), one(1, 2)],
    [one(0, 1), one('person', 1)],
    [one(0, 2), one('person', 1)],
    [one('person', 1), one('person', 1)],
  ]
  return [
    one(0, 1),
    one(0, 2),
    one('person', 1),
    ...pairs.flatMap((of) => [1, 2].map((atLeast): Rule => ({ kind: 'threshold', atLeast, of }))),
  ]
}

/** Who is in which of the groups that the rule mentions; in ascending order unless the rule names a person. */
function listSmallMemberships(rule: Rule): string[][][] {
  const sources = rule.kind === 'seats' ? [rule.from] : rule.of.flatMap((leaf) => ('from' in leaf ? [leaf.from] : []))
  const groups = GROUPS.filter((group) => sources.some((source) => source.kind === 'group' && source.id === group))
  const isSomeoneNamed = sources.some((source) => source.kind === 'principal')
  const subsets = Array.from({ length: 2 ** groups.length }, (_, bits) => bits)
  return subsets
    .flatMap((first) => subsets.map((second) => [first, second]))
    .filter(([first = 0, second = 0]) => isSomeoneNamed || (first <= second && second > 0))
    .map((memberships) => memberships.map(groupsOf))
}

// --- The larger worlds, a spread of them

/** Rules of depth one to three, with a hole for each leaf. */
type Shape = 'leaf' | { readonly atLeast: number; readonly of: readonly Shape[] }

interface Skeleton {
  readonly shape: Shape
  readonly sources: readonly Source[]
}

const shapes = listShapes()
const skeletons = shapes.flatMap((shape) =>
  listSources(leafCount(shape)).map((sources): Skeleton => ({ shape, sources })),
)
const crowds = listCrowds()

/** How the stages stand: true is binding; `rule` is the place of the rule in question, the others ask one of group A. */
const LAYOUTS = [
  { binding: [true], rule: 0 },
  { binding: [true], rule: 0 },
  { binding: [true, true], rule: 0 },
  { binding: [true, true], rule: 1 },
  { binding: [false, true], rule: 0 },
  { binding: [false, true], rule: 1 },
  { binding: [true, false], rule: 0 },
]

/** What may happen once between the votes. */
const TURNS = [
  'nothing',
  'leaves',
  'joins',
  'disabled',
  'no-right',
  'cancel',
  'amend',
  'close-stage',
  'clock',
  'expiry',
  'policy-closed',
] as const

const LARGE_VOTES = 5
/** Approve with all proofs, approve with none, veto, withdraw: each by one of at most four. */
const LARGE_ACTS = 4 * 4

/** One digit for each thing that varies, with how many values it has. */
const DIGITS = {
  skeleton: skeletons.length,
  atLeasts: 2 ** 4,
  assurances: 2 ** 4,
  layout: LAYOUTS.length,
  crowd: crowds.length,
  named: 4,
  requester: 5,
  agent: 13,
  veto: 3,
  requesterMayVote: 2,
  distinctPeople: 2,
  naturalPersons: 2,
  recheckEligibility: 2,
  vetoNeedsAssurance: 2,
  namesOneSeat: 3,
  turn: TURNS.length,
  turnWho: 4,
  turnWhen: LARGE_VOTES,
  votes: LARGE_ACTS ** LARGE_VOTES,
}

export const largeCaseCount: bigint = Object.values(DIGITS).reduce((count, base) => count * BigInt(base), 1n)
const largeStep = stepOf(largeCaseCount)

export function largeCase(caseNumber: number): Case {
  const digit = digitsOf((BigInt(caseNumber) * largeStep) % largeCaseCount)
  const memberships = at(crowds, digit.crowd)
  const count = memberships.length
  const skeleton = at(skeletons, digit.skeleton)
  const people = castOf(memberships, digit.agent)
  const rule = fill(skeleton, digit.atLeasts, digit.assurances, digit.named % count)
  const policy: Policy = {
    stages: stagesOf(at(LAYOUTS, digit.layout), rule),
    options: {
      veto: at(['withdrawable', 'final', 'ignored'] as const, digit.veto),
      requesterMayVote: digit.requesterMayVote === 1,
      distinctPeople: digit.distinctPeople === 1,
      naturalPersons: digit.naturalPersons === 1,
      recheckEligibility: digit.recheckEligibility === 1,
      vetoNeedsAssurance: digit.vetoNeedsAssurance === 1,
    },
  }
  const requester = people[digit.requester % (count + 1)]?.id ?? 'outsider'
  const votes = votesOf(digit.votes, people, digit.namesOneSeat === 0 ? at(leavesOf(rule), 0).from : undefined)
  const turn = turnOf(at(TURNS, digit.turn), at(people, digit.turnWho % count).id, digit.turnWhen)
  const happenings = [...votes.slice(0, digit.turnWhen), ...turn, ...votes.slice(digit.turnWhen)]
  const isExpired = at(TURNS, digit.turn) === 'expiry'
  return {
    policy,
    beginning: { people, requester, expiresAt: isExpired ? digit.turnWhen : EXPIRES_AT },
    happenings,
  }
}

type Digits = { readonly [name in keyof typeof DIGITS]: number }

function digitsOf(number: bigint): Digits {
  let rest = number
  const digits = Object.entries(DIGITS).map(([name, base]) => {
    const digit = Number(rest % BigInt(base))
    rest /= BigInt(base)
    return [name, digit]
  })
  return Object.fromEntries(digits) as Digits
}

function listShapes(): Shape[] {
  const upTo = (of: readonly Shape[]): Shape[] => of.map((_, index) => ({ atLeast: index + 1, of }))
  const pairs = upTo(['leaf', 'leaf'])
  return [
    'leaf',
    ...pairs,
    ...upTo(['leaf', 'leaf', 'leaf']),
    ...pairs.flatMap((pair) => [...upTo([pair, 'leaf']), ...upTo(['leaf', pair])]),
    ...pairs.flatMap((one) => pairs.flatMap((other) => upTo([one, other]))),
  ]
}

function leafCount(shape: Shape): number {
  return shape === 'leaf' ? 1 : shape.of.reduce((count, child) => count + leafCount(child), 0)
}

/** Sources for so many leaves, where a group is mentioned only after the ones before it. */
function listSources(count: number): Source[][] {
  if (count === 0) return [[]]
  return listSources(count - 1).flatMap((earlier) => {
    const known = new Set(earlier.filter((source) => source !== 'person')).size
    const groups = GROUPS.slice(0, known + 1).map((_, index) => index)
    return [...groups, 'person' as const].map((source) => [...earlier, source])
  })
}

/** One to four people by the groups they are in, in ascending order. */
function listCrowds(): number[][] {
  let crowds: number[][] = [[]]
  const all: number[][] = []
  for (let size = 1; size <= NAMES.length; size++) {
    crowds = crowds.flatMap((crowd) =>
      Array.from({ length: 8 }, (_, groups) => groups)
        .filter((groups) => groups >= (crowd.at(-1) ?? 0))
        .map((groups) => [...crowd, groups]),
    )
    all.push(...crowds)
  }
  return all
}

function fill(skeleton: Skeleton, atLeasts: number, assurances: number, named: number): Rule {
  let leaf = 0
  const build = (shape: Shape): Rule => {
    if (shape !== 'leaf') return { kind: 'threshold', atLeast: shape.atLeast, of: shape.of.map(build) }
    const bit = 1 << leaf
    const from = seat(at(skeleton.sources, leaf++), named)
    const seats: Seats = {
      kind: 'seats',
      atLeast: from.kind === 'group' && atLeasts & bit ? 2 : 1,
      from,
    }
    return assurances & bit ? { ...seats, assurance: ['stepUp'] } : seats
  }
  return build(skeleton.shape)
}

function stagesOf(layout: (typeof LAYOUTS)[number], rule: Rule): Stage[] {
  const simple: Rule = { kind: 'seats', atLeast: 1, from: { kind: 'group', id: 'A' } }
  return layout.binding.map((binding, index) => ({
    binding,
    rule: index === layout.rule ? rule : simple,
  }))
}

/** At most one of the people is another's agent, and cannot prove what a person can. */
function castOf(memberships: readonly number[], agent: number): Person[] {
  const count = memberships.length
  const couple = agent % (1 + count * (count - 1))
  const [agentIndex, step] =
    couple === 0 ? [-1, 0] : [Math.floor((couple - 1) / (count - 1)), 1 + ((couple - 1) % (count - 1))]
  return memberships.map((groups, index) => ({
    id: at(NAMES, index),
    groups: groupsOf(groups),
    enabled: true,
    hasRight: true,
    agentOf: index === agentIndex ? at(NAMES, (index + step) % count) : null,
    provable: index === agentIndex ? [] : ['stepUp'],
  }))
}

function votesOf(number: number, people: readonly Person[], named: SeatSource | undefined): Happening[] {
  let rest = number
  return Array.from({ length: LARGE_VOTES }, (_, now): Happening => {
    const act = rest % LARGE_ACTS
    rest = Math.floor(rest / LARGE_ACTS)
    const person = at(people, (act >> 2) % people.length)
    const stance = at(['approve', 'approve', 'veto', 'withdraw'] as const, act & 3)
    const assurance: readonly Assurance[] = (act & 3) === 1 ? [] : person.provable
    const vote = { kind: 'vote', principal: person.id, stance, assurance, now } as const
    return named === undefined || stance !== 'approve' ? vote : { ...vote, seats: [named] }
  })
}

function turnOf(turn: (typeof TURNS)[number], principal: string, now: number): Happening[] {
  switch (turn) {
    case 'nothing':
    case 'expiry':
      return []
    case 'leaves':
    case 'joins':
      return [{ kind: 'member', principal, group: 'A', is: turn === 'joins' }]
    case 'disabled':
      return [{ kind: 'enabled', principal, is: false }]
    case 'no-right':
      return [{ kind: 'right', principal, is: false }]
    case 'policy-closed':
      return [{ kind: 'policy-open', is: false }]
    case 'clock':
      return [{ kind: 'clock', now: EXPIRES_AT }]
    case 'cancel':
    case 'amend':
    case 'close-stage':
      return [{ kind: turn, now }]
  }
}

// --- Both

function seat(source: Source, named: number): SeatSource {
  return source === 'person' ? { kind: 'principal', id: at(NAMES, named) } : { kind: 'group', id: at(GROUPS, source) }
}

function groupsOf(bits: number): string[] {
  return GROUPS.filter((_, index) => bits & (1 << index))
}

function leavesOf(rule: Rule): Seats[] {
  return rule.kind === 'seats' ? [rule] : rule.of.flatMap(leavesOf)
}

/** About the golden ratio of `count`, made coprime to it: its multiples go through all numbers below, well spread. */
function stepOf(count: bigint): bigint {
  let step = (count * 618_033_988_749n) / 1_000_000_000_000n + 1n
  while (greatestCommonDivisor(step, count) !== 1n) step += 1n
  return step
}

function greatestCommonDivisor(one: bigint, other: bigint): bigint {
  return other === 0n ? one : greatestCommonDivisor(other, one % other)
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index} of ${items.length}`)
  return item
}
