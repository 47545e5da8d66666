/**
 * What somebody can do who owns the server: the tables, the log's key and so every leaf, tree and checkpoint, but not the keys
 * of the agents who vote. Each forgery is a receipt whose every part was made anew to fit.
 */
import type { Chance } from '../kernel/cases.ts'
import { organization } from './random-told.ts'
import { contentOf, digestOf, isVote, type Told, type ToldMove, type ToldVote } from './told.ts'
import { claimsOf, jwsOf, newVoter, signed, voteHeader, type Voter } from './voters.ts'
import { pemOf } from '../helpers/signing.ts'

export interface Forgery {
  readonly how: string
  readonly told: Told
}

/** Everything that the owner has at hand. */
export interface Loot {
  /** A request that two of the agents have approved by signing, as the rule asks; a third was not asked. */
  readonly honest: Told
  /** The same, where only one has. */
  readonly undecided: Told
  /** Another request that the same agents approved. */
  readonly elsewhere: Told
  /** A request that one of them has vetoed, with a signature. */
  readonly vetoed: Told
  /** One approved and withdrew, then the other approved: open, as the rule asks two. */
  readonly withdrawn: Told
  /** Both approved in the first stage, where three are asked for their advice; in the second one nobody voted. */
  readonly advised: Told
  /** One voted on a request of their own, where that is not allowed. */
  readonly ownVote: Told
  /** One signed where the rule asks for a security key too, which no agent has. */
  readonly keyless: Told
  /** Keys of the owner's own making. */
  readonly own: readonly Voter[]
}

const seatsOf = (group: string, atLeast: number) => ({
  kind: 'seats',
  atLeast,
  from: { kind: 'group', id: group },
  assurance: ['signature'],
})

export const group = '01900000-0000-7000-8000-0000000000f1'
export const otherGroup = '01900000-0000-7000-8000-0000000000f2'

/** A receipt's tale of a rule that `needed` of the group must fulfil by signing. */
export function signedTale(
  voters: readonly Voter[],
  needed: number,
  {
    id = '01900000-0000-7000-8000-0000000000aa',
    stance = 'approve' as ToldVote['stance'],
    text = 'transfer',
    at = 0,
  } = {},
): Told {
  const policyId = '01900000-0000-7000-8000-0000000000bb'
  const time = (seconds: number) =>
    new Date(Date.parse('2026-11-21T12:00:00.000Z') + (at + seconds) * 1000).toISOString()
  const requester = '01900000-0000-7000-8000-0000000000cc'
  const told: Told = {
    organization,
    request: {
      id,
      dialect: 'native',
      policy: policyId,
      requester,
      person: null,
      createdAt: time(0),
      expiresAt: time(3600),
      content: { name: text, description: null, metadata: {} },
    },
    policy: {
      id: policyId,
      stages: [{ binding: true, rule: seatsOf(group, needed) }],
      options: {
        veto: 'final',
        requesterMayVote: false,
        distinctPeople: false,
        naturalPersons: false,
        recheckEligibility: true,
        vetoNeedsAssurance: true,
      },
    },
    events: voters.map((voter, index) => ({
      seq: index + 1,
      at: time(index + 1),
      principal: voter.id,
      kind: 'agent',
      person: null,
      stance,
      stage: 0,
      seats: stance === 'approve' ? [group] : [],
      ...(stance !== 'approve' && { held: [group] }),
      assurance: ['signature'],
      from: 'open',
      to: stance === 'veto' ? 'rejected' : index + 1 === needed ? 'approved' : 'open',
      ...(stance === 'approve' && index + 1 === needed && { toStage: 1, lapsed: {} }),
    })),
    names: [],
  }
  return signed(told, voters)
}

/** Someone's requests, and everything else that the owner of the server has. */
export function newLoot(voters: readonly Voter[]): Loot {
  const honest = signedTale(voters, 2)
  const [first, second] = votesOf(honest) as [ToldVote, ToldVote]
  const seconds = (count: number) => new Date(Date.parse(honest.request.createdAt) + count * 1000).toISOString()
  const open = (vote: ToldVote, seq: number, at: number, more: Partial<ToldVote> = {}): ToldVote => {
    const { toStage: _, lapsed: __, ...plain } = vote
    return { ...plain, seq, at: seconds(at), to: 'open', ...more }
  }
  const retold = (policy: Partial<Told['policy']>, events: readonly ToldVote[], requester?: string): Told => {
    const request = { ...honest.request, ...(requester !== undefined && { requester }) }
    return signed({ ...honest, request, policy: { ...honest.policy, ...policy }, events }, voters)
  }
  const no = { stance: 'withdraw', seats: [], held: [group] } as const
  const needing = (...assurance: string[]) => [{ binding: true, rule: { ...seatsOf(group, 1), assurance } }]
  return {
    honest,
    undecided: signedTale(voters.slice(0, 1), 2),
    elsewhere: signedTale(voters, 2, { id: '01900000-0000-7000-8000-0000000000ee', text: 'small change', at: 60 }),
    vetoed: signedTale(voters.slice(0, 1), 2, { stance: 'veto' }),
    withdrawn: retold({}, [open(first, 1, 1), open(first, 2, 100, no), open(second, 3, 200)]),
    advised: retold(
      {
        stages: [
          { binding: false, rule: seatsOf(group, 3) },
          { binding: true, rule: seatsOf(group, 2) },
        ],
      },
      [open(first, 1, 1), open(second, 2, 2)],
    ),
    ownVote: retold({ stages: needing('signature') }, [open(first, 1, 1)], first.principal),
    keyless: retold({ stages: needing('signature', 'securityKey') }, [open(first, 1, 1)]),
    own: [newVoter('own-1'), newVoter('own-2')],
  }
}

/** One of the forgeries, by its number: every kind comes again with other votes, keys and times. */
export function forgeryOf(number: number, loot: Loot, dice: Chance): Forgery {
  const [how, forge] = forgeries[number % forgeries.length] as (typeof forgeries)[number]
  return { how, told: forge(loot, dice) }
}

type Forge = (loot: Loot, dice: Chance) => Told

const votesOf = (told: Told): ToldVote[] => told.events.filter(isVote)

/** The votes with their numbers, statuses and stages as the owner would have them: the last one decides. */
function approvedBy(told: Told, votes: readonly ToldVote[]): Told {
  return {
    ...told,
    events: votes.map((vote, index) => {
      const { toStage: _, lapsed: __, ...plain } = vote
      const isLast = index === votes.length - 1
      return {
        ...plain,
        seq: index + 1,
        from: 'open',
        to: isLast ? 'approved' : 'open',
        ...(isLast && { toStage: 1, lapsed: {} }),
      }
    }),
  }
}

function bentVote(told: Told, dice: Chance, bend: (vote: ToldVote) => ToldVote): Told {
  const votes = votesOf(told)
  const at = dice.below(votes.length)
  return { ...told, events: votes.map((vote, index) => (index === at ? bend(vote) : vote)) }
}

function unsigned(vote: ToldVote): ToldVote {
  const bare: { -readonly [K in keyof ToldVote]: ToldVote[K] } = { ...vote }
  delete bare.signature
  delete bare.publicKey
  return bare
}

const without = (vote: ToldVote): ToldVote => ({ ...unsigned(vote), assurance: [] })

/** A vote that nobody cast, with a signature by whatever key there is. */
function invented(told: Told, vote: ToldVote, key: Voter, bent: object = {}): ToldVote {
  const signature = jwsOf(key.privateKey, claimsOf(told, vote, bent))
  return { ...vote, signature, publicKey: pemOf(key.publicKey) }
}

/** With other rules: every digest follows, and the votes are put on the new one. */
function underRule(told: Told, policy: Partial<Told['policy']>): Told {
  return { ...told, policy: { ...told.policy, ...policy } }
}

const missing = (loot: Loot, dice: Chance) => ({
  ...(votesOf(loot.honest)[dice.below(2)] as ToldVote),
  seq: 2,
  at: votesOf(loot.honest)[1]?.at ?? '',
})

const strangerId = '01900000-0000-7000-8000-0000000000dd'
const weaker = (loot: Loot, atLeast = 1, assurance: readonly string[] = ['signature']) => [
  { binding: true, rule: { ...seatsOf(group, atLeast), assurance } },
  ...loot.honest.policy.stages.slice(1),
]

const forgeries: readonly (readonly [how: string, forge: Forge])[] = [
  [
    'a vote dropped, the rest numbered anew',
    ({ honest }, dice) => approvedBy(honest, [votesOf(honest)[dice.below(2)] as ToldVote]),
  ],
  ['decided without any vote', ({ honest }) => ({ ...honest, events: [], decision: { status: 'approved' } })],
  ['one vote told twice', ({ undecided }) => approvedBy(undecided, [...votesOf(undecided), ...votesOf(undecided)])],
  [
    'one vote told twice, as another voter',
    ({ undecided, honest }) => {
      const [vote] = votesOf(undecided) as [ToldVote]
      return approvedBy(undecided, [vote, { ...vote, principal: votesOf(honest)[1]?.principal ?? strangerId }])
    },
  ],
  [
    'a veto flipped to an approval',
    ({ vetoed }) => {
      return approvedBy(
        vetoed,
        votesOf(vetoed).flatMap((vote) => [{ ...vote, stance: 'approve' as const, seats: [group] }]),
      )
    },
  ],
  [
    'an approval flipped to a veto',
    ({ honest }) => {
      const [vote] = votesOf(honest) as [ToldVote]
      return { ...honest, events: [{ ...vote, stance: 'veto', seats: [], held: [group], to: 'rejected' }] }
    },
  ],
  [
    'a vote for other seats',
    ({ honest }, dice) =>
      bentVote(honest, dice, (vote) => ({ ...vote, seats: [otherGroup], held: [group, otherGroup] })),
  ],
  [
    'a rule for seats that were not voted for',
    ({ honest }) => underRule(honest, { stages: [{ binding: true, rule: seatsOf(otherGroup, 2) }] }),
  ],
  [
    'a voter’s key replaced, and the vote signed with it',
    ({ honest, own }, dice) => bentVote(honest, dice, (vote) => invented(honest, unsigned(vote), dice.oneOf(own))),
  ],
  [
    'an approval invented, signed with a key of the owner',
    (loot, dice) => {
      const vote = missing(loot, dice)
      return approvedBy(loot.undecided, [
        ...votesOf(loot.undecided),
        invented(loot.undecided, vote, dice.oneOf(loot.own), { nonce: `forged-nonce-${dice.below(1e9)}0000000` }),
      ])
    },
  ],
  [
    'a voter added, with a key of their own',
    (loot, dice) => {
      const vote = { ...missing(loot, dice), principal: strangerId }
      return approvedBy(loot.undecided, [
        ...votesOf(loot.undecided),
        invented(loot.undecided, vote, dice.oneOf(loot.own)),
      ])
    },
  ],
  [
    'a person added, who need not sign',
    (loot, dice) => {
      const vote = { ...without(missing(loot, dice)), principal: strangerId, kind: 'human' as const }
      return approvedBy(loot.undecided, [...votesOf(loot.undecided), vote])
    },
  ],
  [
    'a person added who is said to have signed',
    (loot, dice) => {
      const vote = { ...missing(loot, dice), principal: strangerId, kind: 'human' as const }
      return approvedBy(loot.undecided, [
        ...votesOf(loot.undecided),
        invented(loot.undecided, vote, dice.oneOf(loot.own)),
      ])
    },
  ],
  [
    'a signature of another request',
    ({ undecided, elsewhere }) => {
      const [, second] = votesOf(elsewhere) as [ToldVote, ToldVote]
      return approvedBy(undecided, [...votesOf(undecided), second])
    },
  ],
  ['another request’s signatures for all of it', ({ honest, elsewhere }) => approvedBy(honest, votesOf(elsewhere))],
  [
    'a request renamed to the one that was signed for',
    ({ honest, elsewhere }) => ({
      ...elsewhere,
      request: { ...elsewhere.request, content: honest.request.content },
    }),
  ],
  [
    'a signature of another time',
    ({ honest }, dice) =>
      bentVote(honest, dice, (vote) => ({
        ...vote,
        at: new Date(Date.parse(vote.at) + 311_000 + dice.below(1e6)).toISOString(),
      })),
  ],
  [
    'a signature of another time, for the whole request',
    ({ honest }) => {
      const later = (text: string) => new Date(Date.parse(text) + 86_400_000).toISOString()
      const { request } = honest
      return {
        ...honest,
        request: { ...request, createdAt: later(request.createdAt), expiresAt: later(request.expiresAt) },
        events: votesOf(honest).map((vote) => ({ ...vote, at: later(vote.at) })),
      }
    },
  ],
  ['a signature taken off', ({ honest }, dice) => bentVote(honest, dice, unsigned)],
  ['a signature taken off, and never asked for', ({ honest }, dice) => bentVote(honest, dice, without)],
  [
    'a signature damaged',
    ({ honest }, dice) =>
      bentVote(honest, dice, (vote) => ({ ...vote, signature: (vote.signature ?? '').slice(0, -6) + 'AAAAAA' })),
  ],
  [
    'signatures of two votes exchanged',
    ({ honest }) => {
      const [one, two] = votesOf(honest) as [ToldVote, ToldVote]
      return {
        ...honest,
        events: [
          { ...one, signature: two.signature ?? '' },
          { ...two, signature: one.signature ?? '' },
        ],
      }
    },
  ],
  [
    'a signature with no algorithm',
    ({ honest }, dice) =>
      bentVote(honest, dice, (vote) => {
        const [, payload, sig] = (vote.signature ?? '').split('.')
        const header = Buffer.from(
          JSON.stringify({ ...voteHeader, alg: dice.oneOf(['none', 'HS256', 'RS512']) }),
        ).toString('base64url')
        return { ...vote, signature: `${header}.${payload}.${sig}` }
      }),
  ],
  [
    'a rule that asks for fewer',
    ({ undecided }) => {
      const weak = underRule(undecided, { stages: [{ binding: true, rule: seatsOf(group, 1) }] })
      return approvedBy(weak, votesOf(undecided))
    },
  ],
  [
    'a rule that asks for no signature',
    (loot, dice) => {
      const weak = underRule(loot.undecided, { stages: weaker(loot, 2, []) })
      return approvedBy(weak, [...votesOf(loot.undecided), { ...without(missing(loot, dice)), principal: strangerId }])
    },
  ],
  [
    'a rule that asks for no signature, of nobody',
    (loot) => {
      const weak = underRule(loot.honest, { stages: weaker(loot, 1, []) })
      return approvedBy(weak, [{ ...without(votesOf(loot.honest)[0] as ToldVote), principal: strangerId }])
    },
  ],
  [
    'a rule that counts differently',
    ({ honest }, dice) => {
      const options = honest.policy.options as Record<string, unknown>
      const flag = dice.oneOf([
        'requesterMayVote',
        'distinctPeople',
        'naturalPersons',
        'recheckEligibility',
        'vetoNeedsAssurance',
      ])
      return underRule(honest, { options: { ...options, [flag]: options[flag] !== true } })
    },
  ],
  [
    'a rule under which a veto is ignored',
    ({ vetoed, honest }) => {
      const soft = underRule(vetoed, { options: { ...vetoed.policy.options, veto: 'ignored' } })
      return approvedBy(soft, [
        ...votesOf(vetoed).map((vote) => ({ ...vote, to: 'open' as const })),
        ...votesOf(honest),
      ])
    },
  ],
  [
    'another rule, and the content erased so that it does not show',
    ({ undecided }) => {
      const digest = digestOf(undecided)
      const weak = underRule(undecided, { stages: [{ binding: true, rule: seatsOf(group, 1) }] })
      return approvedBy({ ...weak, request: { ...weak.request, content: null, digest } }, votesOf(undecided))
    },
  ],
  [
    'another content under the digest that was signed',
    ({ honest }) => ({
      ...honest,
      request: {
        ...honest.request,
        digest: digestOf(honest),
        content: { name: 'something else', description: null, metadata: {} },
      },
    }),
  ],
  [
    'another content and its digest',
    ({ honest }, dice) => ({
      ...honest,
      request: { ...honest.request, content: { name: `other-${dice.below(1e6)}`, description: null, metadata: {} } },
    }),
  ],
  [
    'another request under the same votes',
    ({ honest }) => ({ ...honest, request: { ...honest.request, id: strangerId } }),
  ],
  ['another organization', ({ honest }) => ({ ...honest, organization: strangerId })],
  [
    'an agent renamed to one that nobody knows',
    ({ honest }, dice) => bentVote(honest, dice, (vote) => ({ ...vote, principal: strangerId })),
  ],
  [
    'a seat that is said to be a principal’s own',
    ({ honest, undecided }) => {
      const [, second] = votesOf(honest) as [ToldVote, ToldVote]
      const rule = {
        kind: 'threshold',
        atLeast: 1,
        of: [seatsOf(group, 2), { ...seatsOf(group, 1), from: { kind: 'principal', id: second.principal } }],
      }
      return approvedBy(underRule(undecided, { stages: [{ binding: true, rule }] }), votesOf(undecided))
    },
  ],
  [
    'a decision that the votes did not make',
    ({ undecided }) => {
      const votes = votesOf(undecided)
      return {
        ...undecided,
        events: votes.map((vote) => ({ ...vote, from: 'open', to: 'approved', toStage: 1, lapsed: {} })),
      }
    },
  ],
  [
    'a stage passed by a vote that was not cast',
    ({ undecided }) => ({ ...undecided, decision: { status: 'approved', isFinal: true } }),
  ],
  [
    'a cancellation told as an approval',
    ({ undecided }) => ({
      ...undecided,
      events: [
        ...votesOf(undecided),
        {
          kind: 'request.stage-closed',
          at: undecided.request.createdAt,
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
  [
    'the requester voting for themselves',
    (loot, dice) => {
      const vote = { ...missing(loot, dice), principal: loot.undecided.request.requester }
      return approvedBy(loot.undecided, [
        ...votesOf(loot.undecided),
        invented(loot.undecided, vote, dice.oneOf(loot.own)),
      ])
    },
  ],
  [
    'a vote cast under another rule, whose digest is told to be the same',
    ({ honest }) => {
      const digest = digestOf(honest)
      const content = JSON.parse(contentOf(honest) ?? '{}') as Record<string, unknown>
      return {
        ...underRule(honest, { stages: [{ binding: true, rule: seatsOf(group, 1) }] }),
        request: { ...honest.request, digest, content },
      }
    },
  ],
  [
    'who asked renamed, so that their own vote counts, and the content erased so that it does not show',
    ({ ownVote }) => {
      const request = { ...ownVote.request, requester: strangerId, content: null, digest: digestOf(ownVote) }
      return approvedBy({ ...ownVote, request }, votesOf(ownVote))
    },
  ],
  [
    'a vote under another rule, whose digest is told to be the same, and the content erased',
    ({ undecided }) => {
      const weak = underRule(undecided, { stages: [{ binding: true, rule: seatsOf(group, 1) }] })
      const request = { ...weak.request, content: null, digest: digestOf(undecided) }
      return approvedBy({ ...weak, request }, votesOf(undecided))
    },
  ],
  [
    'advice told as votes in the binding stage, the first one closed by command',
    ({ advised }) => {
      const told = approvedBy(
        advised,
        votesOf(advised).map((vote) => ({ ...vote, stage: 1 })),
      )
      const last = (told.events as readonly ToldVote[]).map((vote) =>
        vote.toStage === undefined ? vote : { ...vote, toStage: 2 },
      )
      return { ...told, events: [closedAt(advised.request.createdAt), ...last] }
    },
  ],
  [
    'a withdrawal told before the approval that it withdrew, with other times',
    ({ withdrawn }) => {
      const [approval, withdrawal, other] = votesOf(withdrawn) as [ToldVote, ToldVote, ToldVote]
      return approvedBy(withdrawn, [withdrawal, { ...approval, at: withdrawal.at }, other])
    },
  ],
  [
    'a withdrawal told before the approval that it withdrew, each at its time',
    ({ withdrawn }) => {
      const [approval, withdrawal, other] = votesOf(withdrawn) as [ToldVote, ToldVote, ToldVote]
      return approvedBy(withdrawn, [withdrawal, approval, other])
    },
  ],
  [
    'a request told to be made after its votes, and so with more time',
    ({ honest }, dice) => {
      const move = (text: string) => new Date(Date.parse(text) + 60_000 + dice.below(1e7)).toISOString()
      const { request } = honest
      return {
        ...honest,
        request: { ...request, createdAt: move(request.createdAt), expiresAt: move(request.expiresAt) },
      }
    },
  ],
  [
    'an agent told to have a security key',
    ({ keyless }) =>
      approvedBy(
        keyless,
        votesOf(keyless).map((vote) => ({ ...vote, assurance: ['signature', 'securityKey'] as const })),
      ),
  ],
]

function closedAt(at: string): ToldMove {
  return {
    kind: 'request.stage-closed',
    at,
    actor: { kind: 'system' },
    seq: 0,
    stage: 0,
    from: 'open',
    to: 'open',
    toStage: 1,
  }
}

export const forgeryKinds = forgeries.length
