import { createWorld, type World } from '../world.ts'
import type { Outcome, Refusal, RequestState, Stance } from '../../../src/kernel/request.ts'
import type { Assurance } from '../../../src/kernel/rule.ts'
import { groups, people, policyOf, seat, type Case, type Step } from './case.ts'

/** What each step of a case really led to, in the words of its `then`. */
export function play(story: Case): readonly string[] {
  const changed = new Map(story.people?.map((person) => [person.principal, person]))
  const world = createWorld(policyOf(story), {
    people: [...people.filter(({ principal }) => !changed.has(principal)), ...changed.values()],
    groups,
    requester: story.requester ?? 'ada',
    ...(story.beneficiary !== undefined && { beneficiary: story.beneficiary }),
    expiresAt: 1000,
  })
  return story.steps.map((step) => tell(world, step))
}

const STANCES: Readonly<Record<string, Stance>> = { approves: 'approve', vetoes: 'veto', withdraws: 'withdraw' }

function tell(world: World, [at, happens, then]: Step): string {
  const told = happen(world, at, happens)
  // The tally is compared only where the case speaks of it.
  return then.includes('[') ? told : told.replace(/ \[.*\]/, '')
}

/**
 * Understands: `ben approves|vetoes|withdraws [for security, @ben|nothing] [proving password, stepUp|nothing] [on the
 * old content]`, `ben may vote`, `the clock ticks`, `it is canceled|amended`, `the stage is closed`, `ben joins|leaves
 * finance`, `ben is disabled|enabled`, `ben loses|gains the right`, `bot comes under cleo`, `the policy closes`.
 */
function happen(world: World, at: number, happens: string): string {
  const [who = '', verb = '', ...rest] = happens.split(' ')
  const object = rest.join(' ')
  switch (happens) {
    case 'the clock ticks':
      return outcome(world.clock(at))
    case 'it is canceled':
      return outcome(world.cancel(at))
    case 'it is amended':
      return outcome(world.amend(at))
    case 'the stage is closed':
      return outcome(world.closeStage(at))
    case 'the policy closes':
      world.setPolicyOpen(false)
      return standing(world.state)
  }
  switch (verb) {
    case 'approves':
    case 'vetoes':
    case 'withdraws':
      return outcome(world.vote(who, { stance: STANCES[verb] as Stance, ...details(object) }, at))
    case 'may': {
      const answer = world.mayVote(who, at)
      return answer.may ? ['yes', ...answer.requires].join(' ') : refusal(answer.refusal)
    }
    case 'joins':
    case 'leaves':
      world.setMember(object, who, verb === 'joins')
      break
    case 'is':
      world.setEnabled(who, object === 'enabled')
      break
    case 'loses':
    case 'gains':
      world.setRight(who, verb === 'gains')
      break
    case 'comes':
      world.setAgentOf(who, object.replace('under ', ''))
      break
    default:
      throw new Error(`no one knows what happens when "${happens}"`)
  }
  return standing(world.state)
}

function details(text: string) {
  const after = (word: string) => new RegExp(`${word} ((?:[@\\w]+(?:, )?)+)`).exec(text)?.[1]?.split(', ')
  const listed = (names: readonly string[]) => names.filter((name) => name !== 'nothing')
  const [named, proved] = [after('for'), after('proving')]
  return {
    ...(named && { seats: listed(named).map(seat) }),
    ...(proved && { assurance: listed(proved) as readonly string[] as readonly Assurance[] }),
    ...(text.endsWith('on the old content') && { digest: 'digest-0' }),
  }
}

function outcome(answer: Outcome): string {
  switch (answer.kind) {
    case 'decided':
      return standing(answer.next)
    case 'refused':
      return refusal(answer.refusal)
    case 'needs-approvals':
      return 'undecided'
  }
}

/** `open at stage 1 [2 0]`: status, open stage unless it is the first, approvals per leaf, and vetoes if there are any. */
function standing({ status, stage, tally }: RequestState): string {
  const vetoes = tally.vetoes > 0 ? [`vetoes ${tally.vetoes}`] : []
  return [status, ...(stage > 0 ? [`at stage ${stage}`] : []), `[${[...tally.approvals, ...vetoes].join(' ')}]`].join(
    ' ',
  )
}

function refusal({ reason, ...why }: Refusal): string {
  const words = Object.values(why).map((word: unknown) => (typeof word === 'string' ? word : JSON.stringify(word)))
  return ['no:', reason, ...words]
    .join(' ')
    .replaceAll(/[{}[\]"]/g, '')
    .replaceAll(/\w+:(?=\w)/g, '')
}
