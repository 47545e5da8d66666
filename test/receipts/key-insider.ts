/**
 * What somebody can do who owns the server (`insider.ts`) to votes that security keys prove: they have every answer that was
 * ever given, and keys of their own, but not those of the voters.
 */
import type { KeyEvidence } from '../../src/proof/key-evidence.ts'
import type { Chance } from '../kernel/cases.ts'
import { approvalBy, custodyTime, custodyTold, decides, denies, only, quorumOf } from './custody-told.ts'
import type { Forgery } from './insider.ts'
import { answered, evidenceOf, securityKeyOf, type SecurityKey } from './security-keys.ts'
import { contentOf, digestOf, isVote, type Told, type ToldVote } from './told.ts'

const names = ['ada', 'ben', 'cleo'] as const
/** Those of the voters, which the owner has not. */
export const votersKeys: readonly SecurityKey[] = names.map((name) =>
  securityKeyOf(name, name, name === 'ben' ? 'u2f' : 'fido2'),
)
const keyOf = (id: string) => votersKeys.find((key) => key.id === id) ?? securityKeyOf(id)
const proved = ['securityKey'] as const
const rule = quorumOf(2, ...names.map((name) => only(name, 'securityKey')))

/** A request that these approve, in this order. */
const approvedBy = (who: readonly string[], id: string, path: string, needed = 2): Told =>
  answered(
    custodyTold(
      rule,
      who.map((name, index) => approvalBy(index + 1, name, proved, index + 1 === needed ? decides : {})),
      { id, path },
    ),
    keyOf,
  )

/** Everything that the owner has at hand. */
interface Loot {
  /** Ada and Ben approved, as the rule asks. */
  readonly honest: Told
  /** Ada alone has. */
  readonly undecided: Told
  /** Another request, which all three have answered for, each in a receipt of their own. */
  readonly elsewhere: readonly Told[]
  /** Ada approved, Ben denied. */
  readonly denied: Told
}

const loot: Loot = {
  honest: approvedBy(['ada', 'ben'], 'operation-1', '/crypto/v1/decrypt'),
  undecided: approvedBy(['ada'], 'operation-1', '/crypto/v1/decrypt'),
  elsewhere: names.map((name) => approvedBy([name, name === 'ada' ? 'ben' : 'ada'], 'operation-2', '/crypto/v1/mac')),
  denied: answered(
    custodyTold(rule, [approvalBy(1, 'ada', proved), approvalBy(2, 'ben', [], denies)], { path: '/crypto/v1/decrypt' }),
    keyOf,
  ),
}
/** What verifies, and has to. */
export const honestTales: readonly Told[] = [loot.honest, ...loot.elsewhere]
export const deniedTale: Told = loot.denied

const votesOf = (told: Told): readonly ToldVote[] => told.events.filter(isVote)
const own = ['owner-1', 'owner-2', 'owner-3'].map((text) => securityKeyOf('owner', text))
const voteOf = (told: Told, who: string) => votesOf(told).find(({ principal }) => principal === who) as ToldVote
/** An answer that this voter gave to another request. */
const otherAnswer = (who: string): KeyEvidence => {
  const told = loot.elsewhere[names.indexOf(who as 'ada')] as Told
  return voteOf(told, who).evidence as KeyEvidence
}

/** Ada's approval, and the one that is missing, which decides. */
function withMissing(vote: ToldVote, told = loot.undecided): Told {
  return { ...told, events: [...votesOf(told).slice(0, 1), vote] }
}

const missingBy = (who: string, bent: Partial<ToldVote> = {}): ToldVote =>
  approvalBy(2, who, proved, { ...decides, ...bent })

function answeredBy(key: SecurityKey, vote: ToldVote, bent: Parameters<typeof evidenceOf>[3] = {}): ToldVote {
  return { ...vote, evidence: evidenceOf(loot.undecided, vote, key, bent) }
}

function withoutAnswer(vote: ToldVote): ToldVote {
  const { evidence: _, ...bare } = vote
  return { ...bare, assurance: [] }
}

const underRule = (told: Told, weak: object): Told => ({
  ...told,
  policy: { ...told.policy, stages: [{ binding: true, rule: weak }] },
})
const stolen = (told: Told, request: Partial<Told['request']>): Told => ({
  ...told,
  request: { ...told.request, ...request },
})

type Forge = (dice: Chance) => Told
const anyone = (dice: Chance) => dice.oneOf(['ben', 'cleo'])

const forgeries: readonly (readonly [how: string, forge: Forge])[] = [
  ['an approval invented', (dice) => withMissing(missingBy(anyone(dice), { assurance: [] }))],
  [
    'an approval invented, with a password',
    (dice) => withMissing(missingBy(anyone(dice), { assurance: ['password'] })),
  ],
  ['an approval invented, said to be by a security key', (dice) => withMissing(missingBy(anyone(dice)))],
  [
    'an approval invented, by a security key of the owner',
    (dice) => withMissing(answeredBy(dice.oneOf(own), missingBy(anyone(dice)))),
  ],
  [
    'an approval invented, by a security key of the owner that is told to be the voter’s',
    (dice) => {
      const who = anyone(dice)
      const { cose: publicKey } = keyOf(who)
      return withMissing(answeredBy(dice.oneOf(own), missingBy(who), { kept: { publicKey } }))
    },
  ],
  [
    'a voter’s security key replaced',
    (dice) => {
      const { honest } = loot
      const at = dice.below(2)
      const events = votesOf(honest).map((vote, index) => (index === at ? answeredBy(dice.oneOf(own), vote) : vote))
      return { ...honest, events }
    },
  ],
  [
    'an answer to another request',
    (dice) => {
      const who = anyone(dice)
      return withMissing(missingBy(who, { evidence: otherAnswer(who) }))
    },
  ],
  [
    'an answer to another request, with the nonce of this one',
    (dice) => {
      const who = anyone(dice)
      const { nonce } = evidenceOf(loot.undecided, missingBy(who), keyOf(who))
      return withMissing(missingBy(who, { evidence: { ...otherAnswer(who), nonce } }))
    },
  ],
  [
    'an answer to another request, its client data written anew',
    (dice) => {
      const who = anyone(dice)
      const good = evidenceOf(loot.undecided, missingBy(who), own[0] as SecurityKey)
      const kept: KeyEvidence = { ...otherAnswer(who), nonce: good.nonce }
      const clientData =
        kept.kind === 'u2f'
          ? { clientData: evidenceOf(loot.undecided, missingBy(who), { ...(own[0] as SecurityKey), kind: 'u2f' }) }
          : { clientData: good }
      const written = Object.entries(clientData.clientData).find(([name]) => name.startsWith('clientData'))?.[1] ?? ''
      const name = kept.kind === 'u2f' ? 'clientData' : 'clientDataJSON'
      return withMissing(missingBy(who, { evidence: { ...kept, [name]: written } as KeyEvidence }))
    },
  ],
  [
    'one answer told for two voters',
    (dice) => {
      const [first] = votesOf(loot.undecided) as [ToldVote]
      return withMissing({ ...first, ...missingBy(anyone(dice)), evidence: first.evidence as KeyEvidence })
    },
  ],
  [
    'one answer told for two voters, as one person',
    (dice) => {
      const [first] = votesOf(loot.undecided) as [ToldVote]
      const { person, evidence } = first
      return withMissing(missingBy(anyone(dice), { person, evidence: evidence as KeyEvidence }))
    },
  ],
  [
    'a second answer of one voter told as of another',
    (dice) => {
      const vote = missingBy(anyone(dice), { person: 'person-ada' })
      return withMissing(answeredBy(keyOf('ada'), vote))
    },
  ],
  ['one approval told twice', () => withMissing({ ...(votesOf(loot.undecided)[0] as ToldVote), seq: 2, ...decides })],
  ['another voter, with a key of their own', (dice) => withMissing(answeredBy(dice.oneOf(own), missingBy('owner')))],
  [
    'another voter whom the rule names',
    (dice) => {
      const weak = quorumOf(2, only('ada', 'securityKey'), only('owner', 'securityKey'))
      const told = underRule(loot.undecided, weak)
      const vote = missingBy('owner')
      return withMissing({ ...vote, evidence: evidenceOf(told, vote, dice.oneOf(own)) }, told)
    },
  ],
  [
    'a rule that asks for one',
    () =>
      underRule(
        { ...loot.undecided, events: [{ ...voteOf(loot.honest, 'ada'), ...decides }] },
        quorumOf(1, ...names.map((name) => only(name, 'securityKey'))),
      ),
  ],
  [
    'a rule that asks for no security key',
    (dice) =>
      underRule(
        withMissing(missingBy(anyone(dice), { assurance: [] })),
        quorumOf(2, ...names.map((name) => only(name))),
      ),
  ],
  [
    'a rule that asks for no security key, and all answers left out',
    () =>
      underRule(
        { ...loot.honest, events: votesOf(loot.honest).map(withoutAnswer) },
        quorumOf(2, ...names.map((name) => only(name))),
      ),
  ],
  [
    'other answers under a rule whose digest is told to be the same',
    () => {
      const content = JSON.parse(contentOf(loot.honest) ?? '{}') as Record<string, unknown>
      const weak = underRule(loot.honest, quorumOf(1, only('ada', 'securityKey')))
      return stolen(
        { ...weak, events: [{ ...voteOf(loot.honest, 'ada'), ...decides }] },
        { content, digest: digestOf(loot.honest) },
      )
    },
  ],
  [
    'an answer left out',
    (dice) => {
      const at = dice.below(2)
      return {
        ...loot.honest,
        events: votesOf(loot.honest).map((vote, index) => (index === at ? withoutAnswer(vote) : vote)),
      }
    },
  ],
  [
    'an answer left out, and said to be there',
    (dice) => {
      const at = dice.below(2)
      return {
        ...loot.honest,
        events: votesOf(loot.honest).map((vote, index) =>
          index === at ? { ...withoutAnswer(vote), assurance: proved } : vote,
        ),
      }
    },
  ],
  [
    'another operation',
    (dice) =>
      stolen(loot.honest, {
        content: { ...loot.honest.request.content, name: `POST /crypto/v1/keys/export?${dice.below(1e6)}` },
      }),
  ],
  [
    'another operation under the digest that was approved',
    (dice) =>
      stolen(loot.honest, {
        digest: digestOf(loot.honest),
        content: { ...loot.honest.request.content, metadata: { method: 'DELETE', n: `${dice.below(1e6)}` } },
      }),
  ],
  [
    'another operation under the digest that was approved, and erased',
    () => {
      const { honest } = loot
      return stolen(honest, { content: null, digest: digestOf(honest), requester: 'eve', person: 'person-eve' })
    },
  ],
  ['another request', () => stolen(loot.honest, { id: 'operation-3' })],
  [
    'another request, by the answers of a third',
    () => ({ ...loot.honest, events: votesOf(loot.elsewhere[0] as Told) }),
  ],
  ['another organization', () => ({ ...loot.honest, organization: '01900000-0000-7000-8000-0000000000ee' })],
  ['another who asked', () => stolen(loot.honest, { requester: 'eve', person: 'person-eve' })],
  [
    'another person behind a voter',
    (dice) => {
      const at = dice.below(2)
      return {
        ...loot.honest,
        events: votesOf(loot.honest).map((vote, index) => (index === at ? { ...vote, person: 'person-eve' } : vote)),
      }
    },
  ],
  [
    'a denial flipped to an approval',
    () => withMissing({ ...voteOf(loot.denied, 'ben'), ...missingBy('ben'), assurance: [] }, loot.denied),
  ],
  [
    'a denial flipped to an approval, with an answer to another request',
    () => withMissing({ ...missingBy('ben'), evidence: otherAnswer('ben') }, loot.denied),
  ],
  [
    'an approval flipped to a denial, its answer beside it',
    () => {
      const { toStage: _, ...vote } = voteOf(loot.honest, 'ben')
      return withMissing({ ...vote, ...denies }, loot.honest)
    },
  ],
  ['a denial invented', (dice) => withMissing(approvalBy(2, anyone(dice), [], denies))],
  ['approved by one', () => ({ ...loot.undecided, decision: { status: 'approved', isFinal: true } })],
  [
    'approved by one, who decides',
    () => ({ ...loot.undecided, events: votesOf(loot.undecided).map((vote) => ({ ...vote, ...decides })) }),
  ],
  ['approved by nobody', () => ({ ...loot.undecided, events: [], decision: { status: 'approved', isFinal: true } })],
  [
    'an answer told as of an application',
    (dice) => {
      const vote = missingBy(anyone(dice), { kind: 'agent', person: null })
      return withMissing(answeredBy(dice.oneOf(own), vote))
    },
  ],
  [
    'canceled, and told as approved',
    () => ({
      ...loot.undecided,
      events: [
        ...votesOf(loot.undecided),
        {
          kind: 'request.canceled',
          at: custodyTime(9),
          actor: { kind: 'system' },
          seq: 1,
          stage: 0,
          from: 'open',
          to: 'approved',
          toStage: 1,
        },
      ],
    }),
  ],
]

export const keyForgeryKinds = forgeries.length

/** One of the ways, in turn. */
export function keyForgeryOf(number: number, dice: Chance): Forgery {
  const [how, forge] = forgeries[number % forgeries.length] as (typeof forgeries)[number]
  return { how, told: forge(dice) }
}
