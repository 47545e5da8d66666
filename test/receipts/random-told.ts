/** Receipts of every shape: what the random cases of the kernel's campaign come to, told as the server would. */
import { seatsHeld } from '../../src/kernel/eligibility.ts'
import { decide, type Outcome, type StandingApproval } from '../../src/kernel/request.ts'
import { seatKey, type Assurance, type Policy } from '../../src/kernel/rule.ts'
import { writeCanonical } from '../../src/proof/canonical-json.ts'
import type { ReceiptGrant, ReceiptStatus, ReceiptTerms } from '../../src/proof/statement.ts'
import { EXPIRES_AT, type Case } from '../kernel/cases.ts'
import type { Beginning, Happening, Person } from '../kernel/naive.ts'
import { randomCase } from '../kernel/random.ts'
import { createWorld, type World } from '../kernel/world.ts'
import { isVote, policyDigestOf, type Told, type ToldEvent, type ToldName } from './told.ts'

export const organization = '01900000-0000-7000-8000-00000000000a'
export const requestId = '01900000-0000-7000-8000-00000000000b'
const policyId = '01900000-0000-7000-8000-00000000000c'
const begin = Date.parse('2026-11-21T12:00:00.000Z')
export const instantOf = (now: number): string => new Date(begin + now * 1000).toISOString()

export const agents: ReadonlySet<string> = new Set(['bot1', 'bot2'])
const provableBy: Readonly<Record<'human' | 'agent', readonly Assurance[]>> = {
  human: ['stepUp', 'password', 'securityKey'],
  agent: ['signature'],
}

/** A security key approves, and nothing else. */
function provenBy({ principal, stance, assurance }: Extract<Happening, { kind: 'vote' }>): Assurance[] {
  const provable = provableBy[kindOf(principal)]
  return assurance.filter((proof) => provable.includes(proof) && (proof !== 'securityKey' || stance === 'approve'))
}

/** The receipt of the random case of this number, decided in one way or another; its votes not signed yet, by agents or security keys. */
export function randomTold(seed: number, number: number): Told {
  return toldOf(randomCase(seed, number), number)
}

function toldOf({ policy, beginning, happenings }: Case, number: number): Told {
  const grant = number % 3 === 1 ? randomGrant(number, beginning.beneficiary ?? beginning.requester) : undefined
  const recorder = recording(policy, beginning, grant?.operation === 'grant' ? number : null)
  for (const happening of happenings) recorder.happen(happening)
  // Every request is decided in the end: some by somebody, a veto that stands may do, the rest by the clock.
  if (recorder.status() === 'open' || number % 2 === 0) {
    if (number % 5 === 0) recorder.happen({ kind: 'cancel', now: EXPIRES_AT - 1 })
    recorder.happen({ kind: 'clock', now: EXPIRES_AT + (number % 3) })
  }
  const { stages, options } = policy
  const decidedBy = {
    id: policyId,
    stages,
    options,
    ...(number % 3 > 0 && { name: { salt: `salt-${number}`, text: 'Rule' } }),
  }
  const erased = number % 7 === 0
  const content = {
    name: `request-${number}`,
    description: number % 2 === 0 ? null : 'Schön — "so"\n',
    metadata: { n: `${number}` },
  }
  const told: Told = {
    organization,
    request: {
      id: requestId,
      dialect: grant === undefined ? 'native' : 'privx',
      policy: policyId,
      requester: beginning.requester,
      person: recorder.personOf(beginning.requester),
      ...(beginning.beneficiary !== undefined && {
        beneficiary: beginning.beneficiary,
        beneficiaryPerson: recorder.personOf(beginning.beneficiary),
      }),
      ...(grant !== undefined && { grant }),
      createdAt: instantOf(-1),
      expiresAt: instantOf(EXPIRES_AT),
      content,
    },
    policy: decidedBy,
    events: recorder.events,
    names: number % 4 === 0 ? [] : namesOf(beginning.people),
  }
  const isSigned = recorder.events.some((event) => isVote(event) && event.assurance.includes('signature'))
  const asksForIt = writeCanonical(stages).includes('"signature"')
  return erased && !isSigned && !asksForIt
    ? { ...told, request: { ...told.request, content: null, digest: policyDigestOf(decidedBy) } }
    : told
}

function namesOf(people: readonly Person[]): ToldName[] {
  const groups = [...new Set(people.flatMap((person) => person.groups))]
  return [
    ...people.map(({ id }): ToldName => {
      return { id, kind: agents.has(id) ? 'agent.registered' : 'user.created', name: `Name of ${id}`, salt: `s-${id}` }
    }),
    ...groups.map((id): ToldName => ({ id, kind: 'group.created', name: `Group ${id}`, salt: `s-${id}` })),
  ]
}

function randomGrant(number: number, principal: string): ReceiptGrant {
  const limits = { kinds: kindsOfTerms, maxFloatingHours: 0, maxRestrictedDays: 0 }
  const place = { principal, group: 'A', limits, isRevocable: number % 4 === 0 }
  return number % 9 === 4 ? { ...place, operation: 'remove' } : { ...place, operation: 'grant', ...randomTerms(number) }
}

const kindsOfTerms = ['permanent', 'time-restricted', 'floating'] as const

function randomTerms(number: number): ReceiptTerms {
  const grantKind = kindsOfTerms[number % 3] ?? 'permanent'
  switch (grantKind) {
    case 'permanent':
      return { grantKind }
    case 'time-restricted':
      return { grantKind, startsAt: instantOf(0), endsAt: '+010000-01-01T00:00:00.000Z' }
    case 'floating':
      return { grantKind, floatingHours: 1 + (number % 24) }
  }
}

/**
 * Drives the kernel as the store does, and keeps what the log would have of it.
 * @param changing some approvals put other terms in the place of those asked for, by this number; null: none does
 */
function recording(policy: Policy, beginning: Beginning, changing: number | null) {
  const { people, requester, beneficiary } = beginning
  const events: ToldEvent[] = []
  let asked: readonly StandingApproval[] | null = null
  const world = createWorld(policy, {
    people: people.map(({ id, agentOf, enabled, hasRight }) => {
      return { principal: id, person: agentOf ?? id, enabled, hasRight, provable: provableBy[kindOf(id)] }
    }),
    groups: membersOf(people),
    requester,
    ...(beneficiary !== undefined && { beneficiary }),
    expiresAt: EXPIRES_AT,
    decide(rule, state, event, now) {
      if (event.kind === 'vote') asked = event.facts.approvals ?? null
      return decide(rule, state, event, now)
    },
  })
  return {
    events,
    status: () => world.state.status,
    personOf: (one: string) => people.find(({ id }) => id === one)?.agentOf ?? one,
    happen(happening: Happening): void {
      const { status: from, stage, seq } = world.state
      const facts = happening.kind === 'vote' ? world.facts(happening.principal) : null
      const outcome = perform(world, happening)
      if (outcome?.kind !== 'decided' || !('now' in happening)) return
      const { status: to, stage: next } = outcome.next
      const at = instantOf(happening.now)
      const after = { from: from as ReceiptStatus, to: to as ReceiptStatus, ...(next !== stage && { toStage: next }) }
      if (happening.kind === 'vote' && outcome.record !== undefined && facts !== null) {
        const { principal, stance } = happening
        const seats = outcome.record.seats.map(({ id }) => id)
        const held = seatsHeld(policy, { stage }, facts.voter).map(({ id }) => id)
        const isChanging = changing !== null && stance === 'approve' && (changing + seq) % 2 === 0
        const terms = isChanging ? randomTerms(changing + seq) : undefined
        events.push({
          seq: outcome.record.seq,
          at,
          principal,
          kind: kindOf(principal),
          person: facts.voter.person,
          stance,
          stage,
          seats,
          ...(held.some((id) => !seats.includes(id)) && { held }),
          assurance: provenBy(happening),
          ...(terms !== undefined && { terms }),
          ...(asked !== null && { lapsed: lapsedAmong(asked, principal) }),
          ...after,
        })
        if (terms !== undefined) {
          const actor = { kind: kindOf(principal), id: principal }
          events.push({ kind: 'request.terms-changed', at, actor, seq: seq + 1, ...terms })
        }
      } else if (happening.kind in changeKinds && (to !== from || next !== stage)) {
        const kind = changeKinds[happening.kind as keyof typeof changeKinds]
        const isClock = kind === 'request.expired'
        events.push({
          kind,
          // As the sweep writes it: not when somebody looks, but the deadline.
          at: isClock ? instantOf(EXPIRES_AT) : at,
          actor: isClock ? { kind: 'system' } : { kind: 'human', id: requester },
          seq,
          stage,
          ...after,
        })
      }
    },
  }
}

const changeKinds = {
  clock: 'request.expired',
  cancel: 'request.canceled',
  'close-stage': 'request.stage-closed',
} as const

const kindOf = (id: string): 'human' | 'agent' => (agents.has(id) ? 'agent' : 'human')

function lapsedAmong(approvals: readonly StandingApproval[], voter: string): Record<string, string[]> {
  const lapsed = approvals.flatMap(({ principal, seats, holds }) => {
    const held = new Set(holds.map(seatKey))
    const lost = principal === voter ? [] : seats.filter((seat) => !held.has(seatKey(seat)))
    return lost.length > 0 ? [[principal, lost.map(({ id }) => id)] as const] : []
  })
  return Object.fromEntries(lapsed)
}

function membersOf(people: readonly Person[]): Record<string, string[]> {
  const groups = [...new Set(people.flatMap((person) => person.groups))]
  return Object.fromEntries(
    groups.map((group) => [group, people.filter((one) => one.groups.includes(group)).map(({ id }) => id)]),
  )
}

function perform(world: World, happening: Happening): Outcome | null {
  switch (happening.kind) {
    case 'vote': {
      const { principal, stance, now, stale } = happening
      // With single votes nobody is asked which seat they take (docs/receipt.md, "Re-running it").
      const seats = world.policy.options.singleVote ? undefined : happening.seats
      const assurance = provenBy(happening)
      return world.vote(
        principal,
        { stance, assurance, ...(seats && { seats }), ...(stale && { digest: 'stale' }) },
        now,
      )
    }
    case 'clock':
      return world.clock(happening.now)
    case 'cancel':
      return world.cancel(happening.now)
    case 'close-stage':
      return world.closeStage(happening.now)
    case 'member':
      world.setMember(happening.group, happening.principal, happening.is)
      return null
    case 'enabled':
      world.setEnabled(happening.principal, happening.is)
      return null
    case 'right':
      world.setRight(happening.principal, happening.is)
      return null
    case 'agent-of':
      world.setAgentOf(happening.principal, happening.person ?? happening.principal)
      return null
    case 'policy-open':
      world.setPolicyOpen(happening.is)
      return null
    case 'amend':
      return null
  }
}
