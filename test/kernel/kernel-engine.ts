/** The real kernel as one of the two engines: driven through the test world, the way the store drives it. */
import { type Outcome, decide } from '../../src/kernel/request.ts'
import type { Policy } from '../../src/kernel/rule.ts'
import {
  type Engine,
  type EngineMaker,
  type Seen,
  effectsText,
  refusalText,
  seatsText,
  whetherText,
} from './compare.ts'
import type { Beginning, Happening } from './naive.ts'
import { type World, type WorldSetup, createWorld } from './world.ts'

export const kernelEngine = engineWith(decide)

/** The kernel, told of all standing approvals with every vote; it must not decide otherwise for that. */
export const informedKernelEngine = engineWith(decide, { alwaysGiveApprovals: true })

/** The kernel with another function in the place of `decide`. */
export function engineWith(asked: typeof decide, setup: Pick<WorldSetup, 'alwaysGiveApprovals'> = {}): EngineMaker {
  return (policy, beginning) => driverOf(worldOf(policy, beginning, { ...setup, decide: frozen(asked) }), beginning)
}

/** A kernel that changed the state which it is given would throw. */
function frozen(asked: typeof decide): typeof decide {
  return (policy, state, event, now) => {
    Object.freeze(state)
    Object.freeze(state.tally)
    Object.freeze(state.tally.approvals)
    return asked(policy, state, event, now)
  }
}

function worldOf(policy: Policy, beginning: Beginning, setup: Partial<WorldSetup>): World {
  return createWorld(policy, {
    people: beginning.people.map(({ id, agentOf, enabled, hasRight, provable }) => ({
      principal: id,
      person: agentOf ?? id,
      enabled,
      hasRight,
      provable,
    })),
    groups: membersOf(beginning),
    requester: beginning.requester,
    ...(beginning.beneficiary !== undefined && { beneficiary: beginning.beneficiary }),
    expiresAt: beginning.expiresAt,
    ...setup,
  })
}

function membersOf(beginning: Beginning): Record<string, string[]> {
  const groups: Record<string, string[]> = {}
  for (const person of beginning.people) {
    for (const group of person.groups) (groups[group] ??= []).push(person.id)
  }
  return groups
}

function driverOf(world: World, beginning: Beginning): Engine {
  let now = 0
  return {
    happen: (happening) => {
      const outcome = perform(world, happening)
      now = 'now' in happening ? happening.now : now
      const mayVote = beginning.people.map(({ id }) => {
        const answer = world.mayVote(id, now)
        return whetherText(id, answer.may ? answer.requires : answer.refusal)
      })
      return { ...seen(world, happening, outcome), mayVote: mayVote.join(', ') }
    },
  }
}

function perform(world: World, happening: Happening): Outcome | undefined {
  switch (happening.kind) {
    case 'vote': {
      const { stance, seats, assurance, stale, now } = happening
      const vote = { stance, assurance, ...(seats && { seats }), ...(stale && { digest: staleDigest(world) }) }
      return world.vote(happening.principal, vote, now)
    }
    case 'clock':
      return world.clock(happening.now)
    case 'cancel':
      return world.cancel(happening.now)
    case 'close-stage':
      return world.closeStage(happening.now)
    case 'amend':
      return world.amend(happening.now)
    case 'member':
      world.setMember(happening.group, happening.principal, happening.is)
      return undefined
    case 'enabled':
      world.setEnabled(happening.principal, happening.is)
      return undefined
    case 'right':
      world.setRight(happening.principal, happening.is)
      return undefined
    case 'agent-of':
      world.setAgentOf(happening.principal, happening.person ?? happening.principal)
      return undefined
    case 'policy-open':
      world.setPolicyOpen(happening.is)
      return undefined
  }
}

/** What the request was at first, once it has been amended. */
function staleDigest(world: World): string {
  return world.state.digest === 'digest-0' ? 'never-a-digest' : 'digest-0'
}

function seen(world: World, happening: Happening, outcome: Outcome | undefined): Omit<Seen, 'mayVote'> {
  const { status, stage, seq, tally } = world.state
  const record = outcome?.kind === 'decided' ? outcome.record : undefined
  return {
    status,
    stage,
    seq,
    refusal:
      outcome?.kind === 'refused' ? refusalText(outcome.refusal) : outcome?.kind === 'needs-approvals' ? 'none' : '',
    recorded: happening.kind === 'vote' && happening.stance === 'approve' && record ? seatsText(record.seats) : '',
    effects: outcome?.kind === 'decided' ? effectsText(outcome.effects) : '',
    tally: status === 'open' || status === 'rejected' ? [...tally.approvals, tally.vetoes] : [],
  }
}
