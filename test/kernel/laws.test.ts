/** The laws of design §3.2, held by the kernel and by the naive engine alike. */
import { describe, expect, it } from 'vitest'
import type { Rule } from '../../src/kernel/rule.ts'
import { type Case, type Chance, chance } from './cases.ts'
import { type EngineMaker, type Seen, naiveEngine } from './compare.ts'
import { kernelEngine } from './kernel-engine.ts'
import type { Happening, Person } from './naive.ts'
import { randomCase } from './random.ts'

const SEED = 11
const CASES = 1_000
const engines: [string, EngineMaker][] = [
  ['the kernel', kernelEngine],
  ['the naive engine', naiveEngine],
]

describe.each(engines)('%s', { timeout: 60_000 }, (_, engine) => {
  it('lets approvals of independent voters commute', () => {
    let approved = 0
    forEachCase((sample, dice) => {
      // Where an approval takes the first free seat, which one that is depends on who came before.
      const { singleVote, approvesOnce, naturalPersons } = sample.policy.options
      // Likewise whose approval stands, the person's or their agent's, where it is the first.
      if (singleVote || (approvesOnce && naturalPersons)) return
      const approvals = approvalsOfAll(sample)
      const inOrder = lastOf(play(engine, ofOneStage(sample, approvals)))
      const shuffled = lastOf(play(engine, ofOneStage(sample, shuffle(dice, approvals))))
      expect(shuffled.status).toBe(inOrder.status)
      if (inOrder.status === 'approved') approved += 1
      else expect(shuffled.tally).toEqual(inOrder.tally)
    })
    expect(approved).toBeGreaterThan(CASES / 10)
  })

  it('never un-approves by one more approval', () => {
    let approved = 0
    forEachCase((sample, dice) => {
      const approvals = approvalsOfAll(sample)
      const [oneMore, ...fewer] = shuffle(dice, approvals)
      if (oneMore === undefined || lastOf(play(engine, ofOneStage(sample, fewer))).status !== 'approved') return
      approved += 1
      const more = fewer.toSpliced(dice.below(fewer.length + 1), 0, oneMore)
      expect(lastOf(play(engine, ofOneStage(sample, more))).status).toBe('approved')
    })
    expect(approved).toBeGreaterThan(CASES / 20)
  })

  it('counts a voter once per seat however often they vote', () => {
    forEachCase((sample) => {
      const approvals = approvalsOfAll(sample)
      const once = play(engine, ofOneStage(sample, approvals))
      const thrice = play(
        engine,
        ofOneStage(
          sample,
          approvals.flatMap((approval) => [approval, approval, approval]),
        ),
      ).filter((_seen, index) => index % 3 === 2)
      expect(thrice.map(({ status, stage, tally }) => ({ status, stage, tally }))).toEqual(
        once.map(({ status, stage, tally }) => ({ status, stage, tally })),
      )
    })
  })

  it('decides nothing without a quorum of distinct eligible principals', () => {
    let passed = 0
    forEachCase((sample) => {
      const steady = withoutChanges(sample)
      const seen = play(engine, steady)
      let voters = new Set<string>()
      seen.forEach(({ stage, refusal }, index) => {
        const happening = steady.happenings[index]
        const stageBefore = index === 0 ? 0 : (seen[index - 1]?.stage ?? 0)
        if (happening?.kind === 'vote' && happening.stance === 'approve' && refusal === '') {
          expect(isEligibleSomewhere(steady, happening.principal, stageBefore)).toBe(true)
          voters.add(voterOf(steady, happening.principal))
        }
        if (stage === stageBefore) return
        const rule = steady.policy.stages[stageBefore]?.rule
        if (happening?.kind === 'vote' && rule !== undefined) {
          expect(voters.size).toBeGreaterThanOrEqual(fewestVoters(rule, steady.policy.options.distinctPeople))
          passed += 1
        }
        voters = new Set()
      })
    })
    expect(passed).toBeGreaterThan(CASES / 10)
  })

  it('never counts the requester where the policy says so, neither through a group nor through a stand-in', () => {
    let barred = 0
    forEachCase((sample) => {
      const { options } = sample.policy
      const policy = { ...sample.policy, options: { ...options, requesterMayVote: false } }
      const steady = { ...withoutChanges(sample), policy }
      const { requester } = steady.beginning
      const isTheirs = (principal: string): boolean =>
        principal === requester ||
        (options.naturalPersons && personBehind(steady, principal) === personBehind(steady, requester))
      play(engine, steady).forEach(({ refusal }, index) => {
        const happening = steady.happenings[index]
        if (happening?.kind !== 'vote' || !isTheirs(happening.principal)) return
        expect(refusal).not.toBe('')
        if (refusal === 'requester-excluded') barred += 1
      })
    })
    expect(barred).toBeGreaterThan(CASES / 10)
  })

  it('changes nothing about a terminal decision, whatever comes later', () => {
    let ended = 0
    forEachCase((sample) => {
      const seen = play(engine, sample)
      const end = seen.findIndex(({ status }) => isTerminal(status, sample))
      if (end === -1) return
      ended += 1
      const { status, stage, seq } = lastOf(seen.slice(0, end + 1))
      for (const [index, later] of seen.entries()) {
        if (index <= end) continue
        expect(later).toMatchObject({ status, stage, seq, effects: '' })
        if ('now' in (sample.happenings[index] ?? {})) expect(later.refusal).toBe(`terminal: ${status}`)
      }
    })
    expect(ended).toBeGreaterThan(CASES / 10)
  })

  it('takes an empty list to mean nobody', () => {
    forEachCase((sample) => {
      const people = sample.beginning.people.map((person) => ({ ...person, groups: [] }))
      const stages = sample.policy.stages.map((stage) => ({ ...stage, rule: ofGroupsOnly(stage.rule) }))
      const empty = {
        ...withoutChanges(sample),
        policy: { ...sample.policy, stages },
        beginning: { ...sample.beginning, people },
      }
      expect(play(engine, empty).some(({ status, seq }) => status === 'approved' || seq > 0)).toBe(false)
    })
  })

  it('lets somebody vote exactly when some vote of theirs would be accepted', () => {
    forEachCase((sample) => {
      const seen = lastOf(play(engine, sample))
      const now = sample.happenings.reduce((latest, each) => ('now' in each ? each.now : latest), 0)
      const may = seen.mayVote.split(', ')
      for (const person of sample.beginning.people) {
        const { singleVote, approvesOnce } = sample.policy.options
        const stance = singleVote || approvesOnce ? 'veto' : 'withdraw'
        const vote = voteOf(person, { stance, assurance: person.provable, now })
        const { refusal } = lastOf(play(engine, { ...sample, happenings: [...sample.happenings, vote] }))
        expect(may.some((answer) => answer.startsWith(`${person.id} may`))).toBe(refusal === '')
      }
    })
  })
})

function forEachCase(check: (sample: Case, dice: Chance) => void): void {
  for (let number = 0; number < CASES; number++) check(randomCase(SEED, number), chance(SEED + 1, number))
}

function play(engine: EngineMaker, sample: Case): Seen[] {
  const running = engine(sample.policy, sample.beginning)
  return sample.happenings.map((happening) => running.happen(happening))
}

function lastOf(seen: readonly Seen[]): Seen {
  const last = seen.at(-1)
  return last ?? { status: 'open', stage: 0, seq: 0, refusal: '', recorded: '', effects: '', tally: [], mayVote: '' }
}

/** Everybody approves for all that they hold, proving all they can. */
function approvalsOfAll(sample: Case): Happening[] {
  return sample.beginning.people.map((person) =>
    voteOf(person, { stance: 'approve', assurance: person.provable, now: 1 }),
  )
}

function voteOf(
  person: Person,
  vote: Pick<Extract<Happening, { kind: 'vote' }>, 'stance' | 'assurance' | 'now'>,
): Happening {
  return { kind: 'vote', principal: person.id, ...vote }
}

/** Votes of one stage commute; a vote that opens another stage changes what the next vote is about. */
function ofOneStage(sample: Case, happenings: readonly Happening[]): Case {
  const stages = sample.policy.stages.slice(0, 1).map((stage) => ({ ...stage, binding: true }))
  return { ...sample, policy: { ...sample.policy, stages }, happenings }
}

/** Who is who, and what is voted on, stays as it was in the beginning. */
function withoutChanges(sample: Case): Case {
  const happenings = sample.happenings.filter((happening) => 'now' in happening && happening.kind !== 'amend')
  return { ...sample, happenings }
}

function personBehind(sample: Case, principal: string): string {
  return sample.beginning.people.find(({ id }) => id === principal)?.agentOf ?? principal
}

function voterOf(sample: Case, principal: string): string {
  return sample.policy.options.naturalPersons ? personBehind(sample, principal) : principal
}

function isEligibleSomewhere(sample: Case, principal: string, stage: number): boolean {
  const person = sample.beginning.people.find(({ id }) => id === principal)
  const rule = sample.policy.stages[stage]?.rule
  if (person === undefined || rule === undefined || !person.enabled || !person.hasRight) return false
  const isHeld = (node: Rule): boolean => {
    if (node.kind === 'threshold') return node.of.some(isHeld)
    return node.from.kind === 'group' ? person.groups.includes(node.from.id) : node.from.id === principal
  }
  return isHeld(rule)
}

/** So many distinct voters at the very least, however well they are placed. */
function fewestVoters(rule: Rule, distinctPeople: boolean): number {
  if (rule.kind === 'seats') return rule.atLeast
  const cheapest = rule.of
    .map((child) => fewestVoters(child, distinctPeople))
    .toSorted((one, other) => one - other)
    .slice(0, rule.atLeast)
  return distinctPeople ? cheapest.reduce((sum, count) => sum + count, 0) : Math.max(...cheapest)
}

function ofGroupsOnly(rule: Rule): Rule {
  if (rule.kind === 'threshold') return { ...rule, of: rule.of.map(ofGroupsOnly) }
  return { ...rule, from: { kind: 'group', id: 'A' } }
}

function isTerminal(status: Seen['status'], sample: Case): boolean {
  return status === 'rejected' ? sample.policy.options.veto === 'final' : status !== 'open'
}

function shuffle<Item>(dice: Chance, items: readonly Item[]): Item[] {
  const rest = [...items]
  return items.flatMap(() => rest.splice(dice.below(rest.length), 1))
}
