/** Makes a failing case small: tries simpler cases for as long as one of them still fails. */
import type { Rule, Stage } from '../../src/kernel/rule.ts'
import type { Beginning, Happening } from './naive.ts'
import type { Case } from './cases.ts'

export function shrink(sample: Case, fails: (simpler: Case) => boolean): Case {
  const simpler = simplerCases(sample).find((candidate) => fails(candidate))
  return simpler === undefined ? sample : shrink(simpler, fails)
}

function simplerCases(sample: Case): Case[] {
  const { policy, beginning, happenings } = sample
  const options = Object.entries(PLAIN).filter(([name, plain]) => Reflect.get(policy.options, name) !== plain)
  return [
    ...dropOne(happenings).map((fewer) => ({ ...sample, happenings: fewer })),
    ...dropOne(beginning.people)
      .filter((people) => people.length > 0)
      .map((people) => withoutStrangers({ ...sample, beginning: { ...beginning, people } })),
    ...dropOne(policy.stages)
      .filter((stages) => stages.some((stage) => stage.binding))
      .map((stages) => ({ ...sample, policy: { ...policy, stages } })),
    ...options.map(([name, plain]) => ({
      ...sample,
      policy: { ...policy, options: { ...policy.options, [name]: plain } },
    })),
    ...replaceOne(policy.stages, simplerStages).map((stages) => ({
      ...sample,
      policy: { ...policy, stages },
    })),
    ...replaceOne(beginning.people, (person) => [
      ...dropOne(person.groups).map((groups) => ({ ...person, groups })),
      ...dropOne(person.provable).map((provable) => ({ ...person, provable })),
      ...(person.agentOf === null ? [] : [{ ...person, agentOf: null }]),
    ]).map((people) => ({ ...sample, beginning: { ...beginning, people } })),
    ...replaceOne(happenings, simplerHappenings).map((simpler) => ({
      ...sample,
      happenings: simpler,
    })),
    ...(beginning.beneficiary === undefined ? [] : [{ ...sample, beginning: withoutBeneficiary(beginning) }]),
    ...(beginning.requester === 'outsider' ? [] : [{ ...sample, beginning: { ...beginning, requester: 'outsider' } }]),
  ]
}

function withoutBeneficiary(beginning: Beginning): Beginning {
  const { beneficiary: _, ...rest } = beginning
  return rest
}

const PLAIN = {
  veto: 'withdrawable',
  requesterMayVote: true,
  distinctPeople: false,
  naturalPersons: false,
  recheckEligibility: false,
  vetoNeedsAssurance: false,
  singleVote: undefined,
  approvesOnce: undefined,
}

function simplerStages(stage: Stage): Stage[] {
  return simplerRules(stage.rule).map((rule) => ({ ...stage, rule }))
}

function simplerRules(rule: Rule): Rule[] {
  if (rule.kind === 'seats') {
    const { assurance = [], ...plain } = rule
    return [
      ...(rule.atLeast > 1 ? [{ ...rule, atLeast: rule.atLeast - 1 }] : []),
      ...dropOne(assurance).map((fewer) => ({ ...rule, assurance: fewer })),
      ...(rule.assurance?.length === 0 ? [plain] : []),
    ]
  }
  return [
    ...rule.of,
    ...dropOne(rule.of)
      .filter((of) => of.length >= rule.atLeast)
      .map((of) => ({ ...rule, of })),
    ...(rule.atLeast > 1 ? [{ ...rule, atLeast: rule.atLeast - 1 }] : []),
    ...replaceOne(rule.of, simplerRules).map((of) => ({ ...rule, of })),
  ]
}

function simplerHappenings(happening: Happening): Happening[] {
  if (happening.kind !== 'vote') return []
  const proofs = dropOne(happening.assurance).map((assurance) => ({ ...happening, assurance }))
  const { seats, ...plain } = happening
  if (seats === undefined) return proofs
  return [plain, ...dropOne(seats).map((fewer) => ({ ...happening, seats: fewer })), ...proofs]
}

/** Nobody may vote or answer for an agent who is not among the people. */
function withoutStrangers(sample: Case): Case {
  const isKnown = (id: string): boolean => sample.beginning.people.some((person) => person.id === id)
  const people = sample.beginning.people.map((person) =>
    person.agentOf === null || isKnown(person.agentOf) ? person : { ...person, agentOf: null },
  )
  const happenings = sample.happenings.filter(
    (happening) =>
      (!('principal' in happening) || isKnown(happening.principal)) &&
      (happening.kind !== 'agent-of' || happening.person === null || isKnown(happening.person)),
  )
  const { beneficiary } = sample.beginning
  const parties =
    beneficiary === undefined || isKnown(beneficiary) ? sample.beginning : withoutBeneficiary(sample.beginning)
  const requester = isKnown(parties.requester) ? parties.requester : 'outsider'
  return { ...sample, beginning: { ...parties, people, requester }, happenings }
}

function dropOne<Item>(items: readonly Item[]): Item[][] {
  return items.map((_, index) => items.toSpliced(index, 1))
}

function replaceOne<Item>(items: readonly Item[], simpler: (item: Item) => readonly Item[]): Item[][] {
  return items.flatMap((item, index) => simpler(item).map((other) => items.with(index, other)))
}
