/** An engine and the naive one play the same case; after each step they must say the same. */
import type { Assurance, Policy, SeatSource } from '../../src/kernel/rule.ts'
import {
  type Beginning,
  type Happening,
  type Refusal,
  type Status,
  type Story,
  begin,
  happen,
  mayVote,
  provableDemands,
  stageOf,
  standing,
  statusOf,
} from './naive.ts'
import type { Case } from './cases.ts'

type Effect =
  | { readonly kind: 'status-changed'; readonly from: Status; readonly to: Status }
  | { readonly kind: 'stage-passed'; readonly stage: number; readonly by: 'quorum' | 'command' }

/** What an engine says after one happening, in a form in which two of them can be compared. */
export interface Seen {
  readonly status: Status
  readonly stage: number
  readonly seq: number
  readonly refusal: string
  /** Seats of a recorded approval, sorted. */
  readonly recorded: string
  /** What the kernel would tell the rest of the server to act on. */
  readonly effects: string
  /** Voters per leaf of the open stage and then the vetoes in it; empty once nothing is open. */
  readonly tally: readonly number[]
  /** For each person what a vote would have to prove, or why they may not vote. */
  readonly mayVote: string
}

export interface Engine {
  happen(happening: Happening): Seen
}

export type EngineMaker = (policy: Policy, beginning: Beginning) => Engine

export interface Step {
  readonly happening: Happening
  readonly examined: Seen
  readonly naive: Seen
  /** What they do not agree about. */
  readonly differing: readonly (keyof Seen)[]
}

export interface Disagreement {
  readonly case: Case
  /** Up to the first at which they differ. */
  readonly steps: readonly Step[]
}

/** Undefined when the two agree on the whole case. An engine that throws disagrees with one that does not. */
export function compare(sample: Case, examinedEngine: EngineMaker): Disagreement | undefined {
  const left = examinedEngine(sample.policy, sample.beginning)
  const right = naiveEngine(sample.policy, sample.beginning)
  const steps: Step[] = []
  let hasPersonChanged = false
  for (const happening of sample.happenings) {
    hasPersonChanged ||= happening.kind === 'agent-of'
    const [examined, naive] = [ask(left, happening), ask(right, happening)]
    const differing = FIELDS.filter((field) =>
      field === 'tally'
        ? !isTallyRight(examined.tally, naive.tally, hasPersonChanged)
        : examined[field] !== naive[field],
    )
    steps.push({ happening, examined, naive, differing })
    if (differing.length > 0) return { case: sample, steps }
  }
  return undefined
}

const FIELDS = ['status', 'stage', 'seq', 'refusal', 'recorded', 'effects', 'tally', 'mayVote'] as const

/** A tally is an upper bound by its definition. It has to be exact unless an agent changed hands between votes. */
function isTallyRight(examined: readonly number[], naive: readonly number[], isBoundEnough: boolean): boolean {
  return (
    examined.length === naive.length &&
    examined.every((count, index) => (isBoundEnough ? count >= (naive[index] ?? 0) : count === naive[index]))
  )
}

function ask(engine: Engine, happening: Happening): Seen {
  try {
    return engine.happen(happening)
  } catch (error) {
    return { ...NOTHING, refusal: `throws ${String(error)}` }
  }
}

const NOTHING: Seen = {
  status: 'open',
  stage: -1,
  seq: -1,
  refusal: '',
  recorded: '',
  effects: '',
  tally: [],
  mayVote: '',
}

export const naiveEngine: EngineMaker = (policy, beginning) => {
  let story: Story = begin(policy, beginning)
  let now = 0
  return {
    happen: (happening) => {
      const before = story
      const result = happen(story, happening)
      story = result.story
      now = 'now' in happening ? happening.now : now
      const { status, stage, seq, refusal } = result.answer
      const isApproval = happening.kind === 'vote' && happening.stance === 'approve' && result.answer.seats
      return {
        status,
        stage,
        seq,
        refusal: refusal === undefined ? '' : refusalText(refusal),
        recorded: isApproval ? seatsText(isApproval) : '',
        effects: effectsText(effectsOf(before, story, happening.kind === 'vote' ? 'quorum' : 'command')),
        tally: tallyOf(story),
        mayVote: beginning.people
          .map((person) => whetherText(person.id, mayVote(story, person.id, now) ?? provableDemands(story, person.id)))
          .join(', '),
      }
    },
  }
}

function effectsOf(before: Story, after: Story, by: 'quorum' | 'command'): Effect[] {
  const stage = stageOf(before)
  const [from, to] = [statusOf(before), statusOf(after)]
  return [
    ...(stageOf(after) > stage ? [{ kind: 'stage-passed', stage, by } as const] : []),
    ...(from === to ? [] : [{ kind: 'status-changed', from, to } as const]),
  ]
}

function tallyOf(story: Story): number[] {
  const { status, approved, vetoes } = standing(story)
  return status === 'open' || status === 'rejected' ? [...approved.map((voters) => voters.length), vetoes.length] : []
}

/** What a person who may vote has to prove, or why they may not. */
export function whetherText(principal: string, answer: readonly Assurance[] | Refusal): string {
  if ('reason' in answer) return `${principal} ${refusalText(answer)}`
  return `${principal} may${answer
    .map((proof) => ` +${proof}`)
    .toSorted()
    .join('')}`
}

export function seatsText(seats: readonly SeatSource[]): string {
  const names = [...new Set(seats.map((seat) => `${seat.kind} ${seat.id}`))]
  return names.length === 0 ? 'no seat' : names.toSorted().join(', ')
}

export function effectsText(effects: readonly Effect[]): string {
  return effects
    .map((effect) =>
      effect.kind === 'stage-passed'
        ? `stage ${effect.stage} passed by ${effect.by}`
        : `status ${effect.from} became ${effect.to}`,
    )
    .join(', ')
}

export function refusalText(refusal: Refusal): string {
  switch (refusal.reason) {
    case 'terminal':
      return `terminal: ${refusal.status}`
    case 'not-eligible':
      return `not-eligible: ${refusal.because}`
    case 'seat-not-held':
      return `seat-not-held: ${seatsText([refusal.seat])}`
    case 'assurance-missing':
    case 'assurance-impossible':
      return `${refusal.reason}: ${refusal.missing.toSorted().join(', ')}`
    default:
      return refusal.reason
  }
}
