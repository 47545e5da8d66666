/** A disagreement, told so that a person can decide who is right. */
import type { Policy, Rule } from '../../src/kernel/rule.ts'
import type { Happening, Person } from './naive.ts'
import { type Disagreement, type Seen, type Step, seatsText } from './compare.ts'

export function show(disagreement: Disagreement): string {
  const { policy, beginning } = disagreement.case
  return [
    ...policyText(policy),
    ...beginning.people.map(personText),
    `requester ${beginning.requester}, for ${beginning.beneficiary ?? 'nobody else'}, expires at ${beginning.expiresAt}`,
    ...disagreement.steps.map((step, index) => `${index + 1}. ${stepText(step)}`),
  ].join('\n')
}

function stepText({ happening, examined, naive, differing }: Step): string {
  const said =
    differing.length === 0
      ? [`both: ${seenText(naive)}`]
      : differing.flatMap((field) => [
          `kernel: ${field} ${String(examined[field])}`,
          `naive: ${field} ${String(naive[field])}`,
        ])
  return [happeningText(happening), ...said].join('\n     ')
}

function policyText(policy: Policy): string[] {
  const { veto, ...flags } = policy.options
  const set = Object.entries(flags).map(([name, value]) => (value ? name : `not ${name}`))
  const stages = policy.stages.map(
    (stage, index) => `stage ${index} (${stage.binding ? 'binding' : 'advisory'}): ${ruleText(stage.rule)}`,
  )
  return [...stages, `veto ${veto}, ${set.join(', ')}`]
}

function ruleText(rule: Rule): string {
  if (rule.kind === 'threshold') return `${rule.atLeast} of [${rule.of.map(ruleText).join('; ')}]`
  const proofs = rule.assurance === undefined ? '' : ` with ${rule.assurance.join(' + ') || 'no proof'}`
  return `${rule.atLeast} from ${seatsText([rule.from])}${proofs}`
}

function personText(person: Person): string {
  return [
    `${person.id}: groups ${person.groups.join(' ') || 'none'}`,
    ...(person.agentOf === null ? [] : [`agent of ${person.agentOf}`]),
    ...(person.enabled ? [] : ['disabled']),
    ...(person.hasRight ? [] : ['no right to vote']),
    `can prove ${person.provable.join(' ') || 'nothing'}`,
  ].join(', ')
}

function happeningText(happening: Happening): string {
  switch (happening.kind) {
    case 'vote': {
      const seats = happening.seats === undefined ? 'all held seats' : seatsText(happening.seats)
      const stale = happening.stale === true ? ', on stale content' : ''
      const proved = happening.assurance.join(' + ') || 'nothing'
      return `at ${happening.now} ${happening.principal} votes ${happening.stance} for ${seats}, proving ${proved}${stale}`
    }
    case 'clock':
    case 'cancel':
    case 'close-stage':
    case 'amend':
      return `at ${happening.now} ${happening.kind}`
    case 'member':
      return `${happening.principal} ${happening.is ? 'joins' : 'leaves'} ${happening.group}`
    case 'enabled':
      return `${happening.principal} is ${happening.is ? 'enabled' : 'disabled'}`
    case 'right':
      return `${happening.principal} ${happening.is ? 'gets' : 'loses'} the right to vote`
    case 'agent-of':
      return `${happening.principal} is now ${happening.person === null ? 'nobody’s agent' : `the agent of ${happening.person}`}`
    case 'policy-open':
      return `the policy is ${happening.is ? 'open' : 'closed'} to votes`
  }
}

function seenText(seen: Seen): string {
  return [
    `${seen.status}, stage ${seen.stage}, seq ${seen.seq}`,
    ...(seen.refusal === '' ? [] : [`refused as ${seen.refusal}`]),
    ...(seen.tally.length === 0 ? [] : [`tally ${seen.tally.join(' ')}`]),
  ].join(', ')
}
