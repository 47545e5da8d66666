/**
 * Writes the test vectors of receipts beside itself, byte for byte the same every time: `node test/vectors/receipts/make.ts`.
 * The keys are for this alone.
 */
import { createHash, createPrivateKey, createPublicKey, createSign, type KeyObject } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCanonical, writeCanonical } from '../../../src/proof/canonical-json.ts'
import { cosigner } from '../../../src/proof/cosignature.ts'
import { ed25519Signer, signNote, verifierKeyText, type NoteSigner } from '../../../src/proof/note.ts'
import type { Receipt, ReceiptGrant, ReceiptVote, Statement } from '../../../src/proof/statement.ts'
import { randomTold, organization } from '../../receipts/random-told.ts'
import {
  digestOf,
  fileOf,
  fileOfStatement,
  fileTelling,
  isVote,
  policyDigestOf,
  receiptOf,
  statementOf,
  type Notary,
  type Told,
  type ToldEvent,
  type ToldTerms,
  type ToldVote,
} from '../../receipts/told.ts'
import { answered, randomKeyOf } from '../../receipts/security-keys.ts'
import { claimsOf, jwsOf, signed, voterOfPem, type Voter } from '../../receipts/voters.ts'
import { custody } from './custody.ts'

const folder = import.meta.dirname
const name = `quorate.example/log/${organization}`
const signer = ed25519Signer(name, keyOf('log'))
const stranger = ed25519Signer(name, keyOf('stranger'))
const elsewhere = ed25519Signer('quorate.example/log/01900000-0000-7000-8000-0000000000e1', keyOf('log'))
const stamp = () => new Date('2026-11-21T13:00:00.000Z')
const witness = cosigner('witness.example', keyOf('witness'), stamp)
const otherWitness = cosigner('other-witness.example', keyOf('other witness'), stamp)
const notary: Notary = { signer, others: 2 }
const voters = [1, 2].map((number) =>
  voterOfPem(`agent-${number}`, readFileSync(join(folder, `voter-${number}.private.pem`), 'utf8')),
) as [Voter, Voter]

interface Vector {
  readonly file: string
  readonly keys: readonly string[]
  readonly witnessKeys: readonly string[]
  readonly voterKeys: readonly { readonly id: string; readonly file: string }[]
  readonly unsigned: readonly string[]
  readonly ownKeys?: true
  readonly policy: string | null
  readonly verdict: 'verified' | 'refused'
  readonly code: string | null
  readonly because: string
}

type Given = Partial<Pick<Vector, 'witnessKeys' | 'voterKeys' | 'unsigned' | 'ownKeys' | 'policy'>> & {
  keys?: readonly NoteSigner[]
}

/** With the public keys of both agents. */
const withVoterKeys: Given = {
  voterKeys: voters.map(({ id }, index) => ({ id, file: `voter-${index + 1}.pem` })),
}

const vectors: Vector[] = []

function add(because: string, text: string, code: string | null, { keys = [signer], ...given }: Given = {}): void {
  const slug = because
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  const file = `${String(vectors.length + 1).padStart(2, '0')}-${slug}.json`
  writeFileSync(join(folder, file), text)
  vectors.push({
    file,
    keys: keys.map(keyText),
    witnessKeys: [],
    voterKeys: [],
    unsigned: [],
    policy: null,
    ...given,
    verdict: code === null ? 'verified' : 'refused',
    code,
    because,
  })
}

function keyText({ key }: NoteSigner): string {
  return verifierKeyText(key.name, key.type, key.publicKey)
}

/** PKCS #8 of an Ed25519 key whose secret is the hash of a text. */
function keyOf(text: string): KeyObject {
  const seed = createHash('sha256').update(`test vectors of receipts: ${text}`).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

const at = (seconds: number) => new Date(Date.parse('2026-11-21T12:00:00.000Z') + seconds * 1000).toISOString()
const seats = (id: string, atLeast: number, ...assurance: string[]) => {
  return { kind: 'seats', atLeast, from: { kind: 'group', id }, ...(assurance.length > 0 && { assurance }) }
}
const all = (...of: object[]) => ({ kind: 'threshold', atLeast: of.length, of })
const binding = (rule: object) => ({ binding: true, rule })
const advisory = (rule: object) => ({ binding: false, rule })

const defaults = {
  veto: 'withdrawable',
  requesterMayVote: true,
  distinctPeople: false,
  naturalPersons: false,
  recheckEligibility: true,
  vetoNeedsAssurance: true,
}

function telling(
  stages: readonly object[],
  options: object,
  events: readonly ToldEvent[],
  more: Partial<Told> = {},
): Told {
  return {
    organization,
    request: {
      id: 'request-1',
      dialect: 'native',
      policy: 'policy-1',
      requester: 'ada',
      person: 'person-ada',
      createdAt: at(0),
      expiresAt: at(3600),
      content: { name: 'ship-it', description: null, metadata: {} },
    },
    policy: { id: 'policy-1', stages, options: { ...defaults, ...options } },
    events,
    names: [],
    ...more,
  }
}

/** A vote of a person for the group that the vectors are about, unless told otherwise. */
function vote(seq: number, principal: string, bent: Partial<ToldVote> = {}): ToldVote {
  return {
    seq,
    at: at(seq),
    principal,
    kind: principal.startsWith('agent') ? 'agent' : 'human',
    person: `person-${principal}`,
    stance: 'approve',
    stage: 0,
    seats: ['security'],
    assurance: [],
    from: 'open',
    to: 'open',
    ...bent,
  }
}

const approves = { to: 'approved', toStage: 1, lapsed: {} } as const
const no = (stance: 'veto' | 'withdraw', bent: Partial<ToldVote> = {}): Partial<ToldVote> => {
  return { stance, seats: [], held: ['security'], ...bent }
}
const byAgent = { assurance: ['signature'], person: null } as const
const two = [binding(seats('security', 2))]
const plain = telling(two, {}, [vote(1, 'ben'), vote(2, 'cleo', approves)])
const signedTwo = telling([binding(seats('security', 2, 'signature'))], {}, [
  vote(1, 'agent-1', byAgent),
  vote(2, 'agent-2', { ...byAgent, ...approves }),
])
const closing = { kind: 'request.stage-closed', actor: { kind: 'human', id: 'ada' }, from: 'open', to: 'open' } as const
const cancel = {
  kind: 'request.canceled',
  at: at(9),
  actor: { kind: 'human', id: 'ada' },
  from: 'open',
  to: 'canceled',
} as const
const expiry = {
  kind: 'request.expired',
  at: at(3600),
  actor: { kind: 'system' },
  stage: 0,
  from: 'open',
  to: 'expired',
} as const

const write = async (told: Told, by: Notary = notary) => await fileTelling(told, by)

async function good(): Promise<void> {
  const ok = async (because: string, told: Told, given: Given = {}) => add(because, await write(told), null, given)
  await ok('Approved by two', plain)
  await ok('With the rule that was expected', plain, { policy: policyDigestOf(plain.policy) })
  await ok(
    'Approved after a veto, changes and withdrawals',
    telling(two, {}, [
      vote(1, 'ben', no('veto', { to: 'rejected' })),
      vote(2, 'cleo', { from: 'rejected', to: 'rejected' }),
      vote(3, 'ben', no('withdraw', { from: 'rejected' })),
      vote(4, 'cleo', no('withdraw')),
      vote(5, 'ben'),
      vote(6, 'cleo', approves),
    ]),
  )
  await ok('Rejected for good', telling(two, { veto: 'final' }, [vote(1, 'ben', no('veto', { to: 'rejected' }))]))
  await ok('Rejected as long as the veto stands', telling(two, {}, [vote(1, 'ben', no('veto', { to: 'rejected' }))]))
  await ok(
    'Approved over a veto that is only recorded',
    telling(two, { veto: 'ignored' }, [vote(1, 'ben', no('veto')), vote(2, 'cleo'), vote(3, 'dan', approves)]),
  )
  await ok('Canceled', telling(two, {}, [vote(1, 'ben'), { ...cancel, seq: 1, stage: 0 }]))
  await ok('Expired without a vote', telling(two, {}, [{ ...expiry, seq: 0 }]))
  await ok(
    'Expired while a veto stood',
    telling(two, {}, [vote(1, 'ben', no('veto', { to: 'rejected' })), { ...expiry, from: 'rejected', seq: 1 }]),
  )
  const crossed = [binding(all(seats('security', 1), seats('finance', 1)))]
  await ok(
    'People who each fill one seat',
    telling(crossed, { distinctPeople: true }, [
      vote(1, 'ben', { seats: ['security', 'finance'] }),
      vote(2, 'cleo', { ...approves }),
    ]),
  )
  await ok(
    'An agent counts as the person who answers for it',
    telling(two, { naturalPersons: true }, [
      vote(1, 'agent-1', { person: 'person-ben' }),
      vote(2, 'ben', { lapsed: {} }),
      vote(3, 'cleo', approves),
    ]),
  )
  await ok('Who asked has no vote', telling(two, { requesterMayVote: false }, plain.events))
  await ok(
    'An approval lapsed before the decision',
    telling(two, {}, [
      vote(1, 'ben'),
      vote(2, 'cleo', { lapsed: { ben: ['security'] } }),
      vote(3, 'dan', { ...approves, lapsed: { ben: ['security'] } }),
    ]),
  )
  await ok(
    'An approval that stands although the seat was lost',
    telling(two, { recheckEligibility: false }, [vote(1, 'ben'), vote(2, 'cleo', { to: 'approved', toStage: 1 })]),
  )
  const staged = [advisory(seats('security', 2)), binding(seats('security', 1, 'stepUp')), binding(seats('finance', 1))]
  await ok(
    'Stages, the first closed by command',
    telling(staged, {}, [
      vote(1, 'ben'),
      { ...closing, at: at(2), seq: 1, stage: 0, toStage: 1 },
      vote(2, 'ben', { stage: 1, assurance: ['stepUp'], toStage: 2, lapsed: {} }),
      vote(3, 'cleo', { stage: 2, seats: ['finance'], to: 'approved', toStage: 3, lapsed: {} }),
    ]),
  )
  const named = [binding({ kind: 'seats', atLeast: 1, from: { kind: 'principal', id: 'ben' } })]
  await ok('A seat for one by name', telling(named, {}, [vote(1, 'ben', { ...approves, seats: ['ben'] })]))
  await ok(
    'Names, a reason, and texts of every kind',
    telling(
      two,
      {},
      [vote(1, 'ben', { reason: { salt: 'salt-1', text: 'Geprüft: "ok" \\ \u0007\n' } }), vote(2, 'cleo', approves)],
      {
        policy: { ...plain.policy, name: { salt: 'salt-2', text: 'Zwei von Security' } },
        request: {
          ...plain.request,
          content: {
            name: 'ship-it',
            description: '𝄞',
            metadata: { '\uFB33': 'BMP', '😀': 'not', é: '\u007f', '': '' },
          },
        },
        names: [
          { id: 'ben', kind: 'user.created', name: 'Ben', salt: 'salt-3' },
          { id: 'agent-1', kind: 'agent.registered', name: 'deploy-bot', salt: 'salt-4' },
          { id: 'security', kind: 'group.created', name: 'Security', salt: 'salt-5' },
        ],
      },
    ),
  )
  const erased = (told: Told): Told => ({
    ...told,
    request: { ...told.request, content: null, digest: digestOf(told) },
  })
  await ok('The content erased', erased(plain))
  const signedFile = signed(signedTwo, voters)
  await ok('Signed by the agents who voted', signedFile, withVoterKeys)
  await ok(
    'Signed in two stages',
    signed(
      telling([binding(seats('security', 1, 'signature')), binding(seats('security', 1, 'signature'))], {}, [
        vote(1, 'agent-1', { ...byAgent, toStage: 1, lapsed: {} }),
        vote(2, 'agent-1', { ...byAgent, stage: 1, to: 'approved', toStage: 2, lapsed: {} }),
      ]),
      voters,
    ),
    withVoterKeys,
  )
  await ok(
    'One signed and one on the word of the server',
    signed(telling(two, {}, [vote(1, 'agent-1', byAgent), vote(2, 'cleo', approves)]), voters),
    { ...withVoterKeys, unsigned: ['cleo'] },
  )
  await ok(
    'Signed although nobody asked, and no key given',
    signed(telling(two, {}, [vote(1, 'agent-1', byAgent), vote(2, 'cleo', approves)]), voters),
  )
  add('Cosigned by a witness', await write(plain, { ...notary, witnesses: [witness, otherWitness] }), null, {
    witnessKeys: [keyText(witness)],
  })
  add('The first entries of a log', await write(plain, { signer, others: 0 }), null)
  const bots = voters.map((voter, index) => ({ ...voter, id: `bot${index + 1}` }))
  for (const number of [3, 64, 89, 203]) {
    const told = answered(signed(randomTold(11, number), bots), randomKeyOf)
    const votes = told.events.filter(isVote)
    const unsigned = votes.filter(({ signature }) => signature === undefined).map(({ principal }) => principal)
    const isSigned = unsigned.length < votes.length
    add(`A random one, number ${number}`, await write(told), null, {
      voterKeys: isSigned ? bots.map(({ id }, index) => ({ id, file: `voter-${index + 1}.pem` })) : [],
      unsigned: [...new Set(unsigned)].toSorted(),
      policy: policyDigestOf(told.policy),
    })
  }
}

async function bad(): Promise<void> {
  const file = await write(plain)
  const no_ = async (because: string, code: string, told: Told, given: Given = {}) =>
    add(because, await write(told), code, given)

  // The file.
  add('Cut short', file.slice(0, -10), 'malformed')
  add('Without its last line feed', file.slice(0, -1), 'malformed')
  add('With a blank', file.replace('","payloadType', '", "payloadType'), 'malformed')
  add(
    'With the members in another order',
    `${JSON.stringify({ payloadType: 'application/vnd.in-toto+json', ...(JSON.parse(file) as object) })}\n`,
    'malformed',
  )
  add('With another media type', file.replace('in-toto+json', 'in-toto-json'), 'malformed')
  add(
    'Base64 with an unused bit set',
    withPayload(file, (payload) => loosened(payload)),
    'malformed',
  )
  add(
    'One bit of the payload flipped',
    withPayload(file, (payload) => `${payload.slice(0, 400)}${payload[400] === 'A' ? 'B' : 'A'}${payload.slice(401)}`),
    'malformed',
  )
  add('Signed with a key that is not given', await write(plain, { signer: stranger, others: 2 }), 'unknown-key')
  add(
    'Signed with another key under the right id',
    file.replace(sigOf(file), sigOf(await write(plain, { signer: stranger, others: 2 }))),
    'bad-signature',
  )
  add('Cross-key: checked with the key of another organization', file, 'unknown-key', { keys: [elsewhere] })

  // The statement, signed by the log.
  const bent = async (because: string, code: string, bend: (statement: Bent) => void, given: Given = {}) => {
    const statement = readCanonical(writeCanonical(statementOf(await receiptOf(plain, notary)))) as Bent
    bend(statement)
    add(because, fileOfStatement(statement, signer), code, given)
  }
  const payload = writeCanonical(statementOf(await receiptOf(plain, notary)))
  add('JSON with a blank', sealedText(payload.replace(',', ', ')), 'malformed')
  add('A number written otherwise', sealedText(payload.replace('"seq":2', '"seq":2.0')), 'malformed')
  add('A member named twice', sealedText(payload.replace('"seq":2', '"seq":2,"seq":2')), 'malformed')
  await bent('Another version of the predicate', 'unknown-version', (it) => {
    it['predicateType'] = 'urn:quorate:receipt:v2'
  })
  await bent('Another version of the statement', 'unknown-version', (it) => {
    it['_type'] = 'https://in-toto.io/Statement/v2'
  })
  await bent('An unknown member', 'malformed', (it) => {
    it.predicate['note'] = 'trust me'
  })
  await bent('A member missing', 'malformed', (it) => {
    delete it.predicate['changes']
  })
  await bent('The subject is another request', 'leaf-mismatch', (it) => {
    it.subject[0]!.name = 'request-2'
  })
  await bent('A vote flipped in the receipt alone', 'leaf-mismatch', (it) => {
    it.predicate.votes[0]!['stance'] = 'veto'
  })
  await bent('A voter renamed in the receipt alone', 'leaf-mismatch', (it) => {
    it.predicate.votes[0]!['principal'] = 'dan'
  })
  await bent('An entry changed', 'not-in-log', (it) => {
    const { leaf } = it.predicate.votes[0] as unknown as ReceiptVote
    Object.assign(leaf, { content: leaf.content.replace('"ben"', '"dan"') })
  })
  await bent('An entry at another place', 'not-in-log', (it) => {
    Object.assign(it.predicate.votes[0]!['leaf'] as object, { index: 0 })
  })
  await bent('A path that leads elsewhere', 'not-in-log', (it) => {
    const { path } = it.predicate.votes[0]!['leaf'] as { path: string[] }
    path.reverse()
  })
  await bent('Votes in another order', 'leaf-mismatch', (it) => {
    it.predicate.votes.reverse()
  })
  await bent('A vote left out', 'leaf-mismatch', (it) => {
    it.predicate.votes.shift()
  })
  await bent('The last vote left out', 'undecided', (it) => {
    it.predicate.votes.pop()
  })
  await bent('A vote told twice', 'leaf-mismatch', (it) => {
    it.predicate.votes.push(it.predicate.votes[1] as Record<string, unknown>)
  })
  await bent('The digest of another rule', 'leaf-mismatch', (it) => {
    ;(it.predicate['policy'] as Record<string, unknown>)['digest'] = '0'.repeat(64)
  })
  await bent('The content of another request', 'bad-digest', (it) => {
    const request = it.predicate['request'] as Record<string, string>
    request['content'] = (request['content'] ?? '').replace('ship-it', 'sink-it')
  })
  await bent('A checkpoint of another tree', 'not-in-log', (it) => {
    Object.assign(it.predicate['log'] as object, { checkpoint: otherCheckpoint })
  })
  await bent('A checkpoint that the log did not sign', 'bad-checkpoint', (it) => {
    const log = it.predicate['log'] as Record<string, string>
    log['checkpoint'] = (log['checkpoint'] ?? '').replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`)
  })
  await no_('Cross-organization: of an organization whose log this is not', 'bad-checkpoint', {
    ...plain,
    organization: '01900000-0000-7000-8000-0000000000e1',
  })

  // Everything made anew to fit, as the owner of the server can.
  const told = (events: readonly ToldEvent[], options = {}, stages: readonly object[] = two) =>
    telling(stages, options, events)
  await no_('Undecided', 'undecided', { ...told([vote(1, 'ben')]), decision: { status: 'approved' } })
  await no_('Approved by one of two', 'rule-violated', told([vote(1, 'ben', approves)]))
  await no_('One voter twice', 'rule-violated', told([vote(1, 'ben'), vote(2, 'ben', approves)]))
  await no_('A number of a vote left out', 'leaf-mismatch', told([vote(1, 'ben'), vote(3, 'cleo', approves)]))
  await no_(
    'A vote after the decision',
    'rule-violated',
    told([...plain.events, vote(3, 'dan', { from: 'approved', to: 'approved', stage: 1 })]),
  )
  await no_(
    'A vote at the deadline',
    'rule-violated',
    told([vote(1, 'ben'), vote(2, 'cleo', { ...approves, at: at(3600) })]),
  )
  await no_('Expired before the deadline', 'rule-violated', told([{ ...expiry, at: at(3599), seq: 0 }]))
  await no_(
    'Approved while a veto stands',
    'rule-violated',
    told([
      vote(1, 'ben', no('veto', { to: 'rejected' })),
      vote(2, 'cleo', { from: 'rejected' }),
      vote(3, 'dan', approves),
    ]),
  )
  await no_(
    'Who asked voted where they may not',
    'rule-violated',
    told([vote(1, 'ada'), vote(2, 'cleo', approves)], { requesterMayVote: false }),
  )
  await no_(
    'An agent of who asked voted where it may not',
    'rule-violated',
    told([vote(1, 'agent-1', { person: 'person-ada' }), vote(2, 'cleo', approves)], {
      requesterMayVote: false,
      naturalPersons: true,
    }),
  )
  await no_(
    'One person in two seats that want two people',
    'rule-violated',
    told([vote(1, 'ben', { ...approves, seats: ['security', 'finance'] })], { distinctPeople: true }, [
      binding(all(seats('security', 1), seats('finance', 1))),
    ]),
  )
  await no_(
    'One person and their agent counted as two',
    'rule-violated',
    told([vote(1, 'agent-1', { person: 'person-ben' }), vote(2, 'ben', approves)], { naturalPersons: true }),
  )
  await no_(
    'A lapsed approval counted',
    'rule-violated',
    told([vote(1, 'ben'), vote(2, 'cleo', { ...approves, lapsed: { ben: ['security'] } })]),
  )
  await no_(
    'Nobody looked who still held their seats',
    'rule-violated',
    told([vote(1, 'ben'), vote(2, 'cleo', { to: 'approved', toStage: 1 })]),
  )
  await no_(
    'A seat lapsed of somebody who did not vote',
    'rule-violated',
    told([vote(1, 'ben'), vote(2, 'cleo', { ...approves, lapsed: { dan: ['security'] } })]),
  )
  await no_(
    'A proof missing',
    'rule-violated',
    told([vote(1, 'ben', approves)], {}, [binding(seats('security', 1, 'stepUp'))]),
  )
  await no_(
    'A veto without the proof that it needs',
    'rule-violated',
    told([vote(1, 'ben', no('veto', { to: 'rejected' }))], { veto: 'final' }, [
      binding(seats('security', 1, 'stepUp')),
    ]),
  )
  await no_(
    'A seat that the rule does not have',
    'rule-violated',
    told([vote(1, 'ben', { ...approves, seats: ['finance'] })], {}, [binding(seats('security', 1))]),
  )
  await no_(
    'A binding stage closed by command',
    'rule-violated',
    told(
      [{ ...closing, at: at(1), seq: 0, stage: 0, toStage: 1 }, vote(1, 'ben', { ...approves, stage: 1, toStage: 2 })],
      {},
      [binding(seats('security', 1)), binding(seats('security', 1))],
    ),
  )
  await no_('A final veto told as one that may be withdrawn', 'rule-violated', {
    ...told([vote(1, 'ben', no('veto', { to: 'rejected' }))], { veto: 'final' }),
    decision: { isFinal: false },
  })
  await no_('A decision by another entry', 'rule-violated', { ...plain, decision: { seq: 1 } })
  await no_(
    'A rule that nobody could fulfil',
    'malformed',
    told(plain.events, {}, [
      binding({ kind: 'threshold', atLeast: 3, of: [seats('security', 1), seats('finance', 1)] }),
    ]),
  )
  await no_('Another rule than was expected', 'other-policy', plain, { policy: '0'.repeat(64) })

  // Voters' signatures.
  const honest = signed(signedTwo, voters)
  const first = honest.events[0] as ToldVote
  const resigned = (claims: object, bentVote: Partial<ToldVote> = {}): Told => {
    const { signature: _, ...unsigned } = first
    const again = { ...unsigned, ...bentVote, signature: jwsOf(voters[0].privateKey, claimsOf(honest, first, claims)) }
    return { ...honest, events: [again, ...honest.events.slice(1)] }
  }
  await no_('Signed votes without a key to check them', 'voter-key-missing', honest)
  await no_('Signed votes with the key of one voter only', 'voter-key-missing', honest, {
    voterKeys: [{ id: 'agent-1', file: 'voter-1.pem' }],
  })
  await no_('Signed votes with the keys exchanged', 'bad-voter-signature', honest, {
    voterKeys: [
      { id: 'agent-1', file: 'voter-2.pem' },
      { id: 'agent-2', file: 'voter-1.pem' },
    ],
  })
  await no_(
    'The server’s copy of a key is another',
    'bad-voter-signature',
    {
      ...honest,
      events: [{ ...first, publicKey: readFileSync(join(folder, 'voter-2.pem'), 'utf8') }, ...honest.events.slice(1)],
    },
    withVoterKeys,
  )
  await no_('A signature for another request', 'bad-voter-signature', resigned({ request: 'request-2' }), withVoterKeys)
  await no_(
    'A signature for another digest',
    'bad-voter-signature',
    resigned({ digest: '0'.repeat(64) }),
    withVoterKeys,
  )
  await no_('A signature for another stance', 'bad-voter-signature', resigned({ stance: 'veto' }), withVoterKeys)
  await no_('A signature for other seats', 'bad-voter-signature', resigned({ seats: ['finance'] }), withVoterKeys)
  await no_(
    'A signature of another time',
    'bad-voter-signature',
    resigned({ iat: Date.parse(at(312)) / 1000 }),
    withVoterKeys,
  )
  await no_('A signature with a member too many', 'bad-voter-signature', resigned({ note: 'x' }), withVoterKeys)
  await no_(
    'A signature used twice',
    'bad-voter-signature',
    { ...honest, events: [first, { ...first, seq: 2, at: first.at }, { ...(honest.events[1] as ToldVote), seq: 3 }] },
    withVoterKeys,
  )
  await no_('A vote that says it is signed and is not', 'bad-voter-signature', signedTwo, withVoterKeys)
  await no_('A vote that nobody signed, and keys given', 'bad-voter-signature', plain, withVoterKeys)
  await no_(
    'Signed votes, the content erased and the rule not known',
    'content-missing',
    signed({ ...signedTwo, request: { ...signedTwo.request, content: null, digest: digestOf(signedTwo) } }, voters),
    withVoterKeys,
  )
  add(
    'No signature of a witness that is named',
    await write(plain, { ...notary, witnesses: [otherWitness] }),
    'witness-missing',
    { witnessKeys: [keyText(witness)] },
  )
  const texts = { names: [{ id: 'ben', kind: 'user.created', name: 'Ben', salt: 'salt' }] } as const
  const named = await receiptOf({ ...plain, ...texts }, notary)
  const renamed: Receipt = {
    ...named,
    names: { ...named.names, principals: named.names.principals.map((one) => ({ ...one, name: 'Bob' })) },
  }
  add('Another name than its entry commits to', fileOf(renamed, signer), 'bad-digest')

  // What only one check stands against.
  const rotated = ed25519Signer(name, keyOf('rotated'))
  const moved = ed25519Signer(`elsewhere.example/log/${organization}`, keyOf('log'))
  const receipt = await receiptOf(plain, notary)
  const withCheckpoint = (checkpoint: string, origin = name): Receipt => ({ ...receipt, log: { origin, checkpoint } })
  const body = receipt.log.checkpoint.slice(0, receipt.log.checkpoint.indexOf('\n\n') + 1)
  const both = { keys: [signer, rotated] }
  add(
    'A checkpoint signed by another key than the receipt',
    fileOf(withCheckpoint(signNote(body, [rotated])), signer),
    'bad-checkpoint',
    both,
  )
  add(
    'A checkpoint under the old key and the new one',
    fileOf(withCheckpoint(signNote(body, [rotated, signer])), signer),
    null,
    both,
  )
  const movedBody = body.replace(name, moved.key.name)
  add(
    'A checkpoint of another log of the organization',
    fileOf(withCheckpoint(signNote(movedBody, [moved, signer]), name), signer),
    'bad-checkpoint',
    { keys: [signer, moved] },
  )
  add(
    'A checkpoint of another log, and the origin is told to be it',
    fileOf(withCheckpoint(signNote(movedBody, [moved, signer]), moved.key.name), signer),
    'bad-checkpoint',
    { keys: [signer, moved] },
  )
  add(
    'A checkpoint with a further line',
    fileOf(withCheckpoint(signNote(`${body}more\n`, [signer])), signer),
    'bad-checkpoint',
  )
  add(
    'A checkpoint with the same line twice',
    fileOf(withCheckpoint(receipt.log.checkpoint + receipt.log.checkpoint.slice(body.length + 1)), signer),
    'bad-checkpoint',
  )
  add('A rule written after the request', await write(plain, { ...notary, isPolicyLate: true }), 'leaf-mismatch')
  await bent('Another deadline in the receipt alone', 'leaf-mismatch', (it) => {
    ;(it.predicate['request'] as Record<string, string>)['expiresAt'] = at(7200)
  })
  await bent('Another requester in the receipt alone', 'leaf-mismatch', (it) => {
    ;(it.predicate['request'] as Record<string, string>)['requester'] = 'eve'
  })
  await bent('Other options in the receipt alone', 'leaf-mismatch', (it) => {
    const policy = it.predicate['policy'] as Record<string, unknown>
    policy['options'] = { ...(policy['options'] as object), veto: 'ignored' }
  })
  await bent('A name of the rule that nothing commits to', 'bad-digest', (it) => {
    Object.assign(it.predicate['policy'] as object, { name: { salt: 's', text: 'Four eyes' } })
  })
  await bent('A reason that nothing commits to', 'bad-digest', (it) => {
    it.predicate.votes[0]!['reason'] = { salt: 's', text: 'Fine.' }
  })
  const canceled = await receiptOf(told([{ ...cancel, seq: 0, stage: 0 }]), notary)
  const byEve = {
    ...canceled,
    changes: canceled.changes.map((one) => ({ ...one, actor: { kind: 'human', id: 'eve' } as const })),
  }
  add('A cancellation by somebody else in the receipt alone', fileOf(byEve, signer), 'leaf-mismatch')
  await no_(
    'A status before a vote that was not so',
    'rule-violated',
    told([
      vote(1, 'ben', no('veto', { to: 'rejected' })),
      vote(2, 'ben', no('withdraw')),
      vote(3, 'ben'),
      vote(4, 'cleo', approves),
    ]),
  )
  await no_(
    'A status after a vote that was not so',
    'rule-violated',
    told([vote(1, 'ben', { to: 'rejected' }), vote(2, 'cleo', approves)]),
  )
  await no_(
    'A stage that was not passed',
    'rule-violated',
    told([vote(1, 'ben', { toStage: 1 }), vote(2, 'cleo', approves)]),
  )
  await no_(
    'A vote in a stage that is not open',
    'rule-violated',
    told([vote(1, 'ben', { stage: 1 }), vote(2, 'cleo', approves)]),
  )
  await no_(
    'Expired by somebody’s hand',
    'rule-violated',
    told([{ ...expiry, actor: { kind: 'human', id: 'ada' }, seq: 0 }]),
  )
  await no_(
    'A stage with a name',
    'malformed',
    told(plain.events, {}, [{ ...binding(seats('security', 2)), name: 'Security' }]),
  )
  await no_('No binding stage', 'malformed', told(plain.events, {}, [advisory(seats('security', 2))]))
  await no_(
    'A vote for nobody’s seat',
    'rule-violated',
    told([vote(1, 'ben', { seats: [] }), vote(2, 'cleo', { ...approves })], {}, [binding(seats('security', 1))]),
  )
  await no_(
    'A vote that says it is signed where nobody asked',
    'bad-voter-signature',
    told([vote(1, 'agent-1', byAgent), vote(2, 'cleo', approves)]),
  )
  const human = { ...signedTwo, events: signedTwo.events.map((event) => ({ ...event, kind: 'human' }) as ToldVote) }
  await no_('A person who signed', 'malformed', signed(human, voters), withVoterKeys)
  await no_(
    'A withdrawn approval counted',
    'rule-violated',
    told([vote(1, 'ben'), vote(2, 'ben', no('withdraw')), vote(3, 'cleo', approves)]),
  )
  await no_('Canceled at the deadline', 'rule-violated', told([{ ...cancel, at: at(3600), seq: 0, stage: 0 }]))
  const crossedGreedy = [binding(all(seats('security', 1), seats('finance', 1), seats('legal', 1)))]
  const wide = { seats: ['security', 'finance', 'legal'] }
  add(
    'Three people whose seats fit in one way only',
    await write(
      told(
        [
          vote(1, 'ben', wide),
          vote(2, 'cleo', { seats: ['security', 'finance'] }),
          vote(3, 'dan', { ...approves, seats: ['security'] }),
        ],
        { distinctPeople: true },
        crossedGreedy,
      ),
    ),
    null,
  )
  await no_(
    'Three people of whom two fit one seat only',
    'rule-violated',
    told(
      [
        vote(1, 'ben', wide),
        vote(2, 'cleo', { seats: ['security'] }),
        vote(3, 'dan', { ...approves, seats: ['security'] }),
      ],
      { distinctPeople: true },
      crossedGreedy,
    ),
  )
  add('Half a character', sealedText(payload.replace('"ben"', '"\\ud800"')), 'malformed')
  add('A number beyond all integers', sealedText(payload.replace('"seq":2', '"seq":9007199254740993')), 'malformed')
  add('Nothing but nesting', sealedText('['.repeat(20_000) + ']'.repeat(20_000)), 'malformed')
  add('An empty file', '', 'malformed')
}

/** The first of two signed votes with a signature of its own making. */
function withSignature(jws: string, publicKey?: string): Told {
  const honest = signed(signedTwo, voters)
  const { publicKey: _, ...first } = honest.events[0] as ToldVote
  const bent = { ...first, signature: jws, ...(publicKey !== undefined && { publicKey }) }
  return { ...honest, events: [bent, ...honest.events.slice(1)] }
}

/** The claims that the first of two signed votes has, bent. */
function claimsOfFirst(bentClaims: object = {}): Record<string, unknown> {
  return claimsOf(signedTwo, signedTwo.events[0] as ToldVote, bentClaims) as Record<string, unknown>
}

/** What a voter's signature covers, and which proofs there are. */
async function signatures(): Promise<void> {
  const no_ = async (because: string, code: string, told: Told, given: Given = withVoterKeys) =>
    add(because, await write(told), code, given)
  const claiming = (claims: object) => withSignature(jwsOf(voters[0].privateKey, claims))
  await no_(
    'A signature under another rule',
    'bad-voter-signature',
    claiming(claimsOfFirst({ policyDigest: '0'.repeat(64) })),
  )
  await no_('A signature in another stage', 'bad-voter-signature', claiming(claimsOfFirst({ stage: 1 })))
  for (const left of ['stage', 'policyDigest']) {
    const { [left]: _, ...claims } = claimsOfFirst()
    await no_(`A signature that does not say its ${left}`, 'bad-voter-signature', claiming(claims))
  }
  const expecting = (told: Told): Given => ({ ...withVoterKeys, policy: policyDigestOf(told.policy) })
  const erased = (told: Told, digest = digestOf(told)): Told => {
    return { ...told, request: { ...told.request, content: null, digest } }
  }
  const honest = signed(signedTwo, voters)
  await no_('Signed, the content erased and the rule known', 'content-missing', erased(honest), expecting(honest))
  await no_(
    'Who asked renamed, so that their own vote counts, and the content erased',
    'content-missing',
    ownVoteTold(),
    expecting(ownVoteTold()),
  )
  await no_('The content erased, and a voter’s key given', 'content-missing', erased(plain), {
    ...withVoterKeys,
    unsigned: ['ben', 'cleo'],
  })
  await no_(
    'The content erased where the rule asks for signatures, and nobody voted',
    'content-missing',
    erased(telling([binding(seats('security', 2, 'signature'))], {}, [{ ...expiry, seq: 0 }])),
    {},
  )
  const proving = (principal: string, ...assurance: ToldVote['assurance'][number][]) =>
    signed(
      telling([binding(seats('security', 1, ...assurance))], {}, [vote(1, principal, { ...approves, assurance })]),
      voters,
    )
  await no_('An agent with a security key', 'malformed', proving('agent-1', 'signature', 'securityKey'))
  await no_('An agent that was asked for its password', 'malformed', proving('agent-1', 'password'), {})
  await no_('An agent with a fresh proof', 'malformed', proving('agent-1', 'stepUp'), {})
  const secured = [binding(seats('security', 1, 'securityKey', 'password'))]
  const proved = telling(secured, {}, [vote(1, 'ben', { ...approves, assurance: ['securityKey', 'password'] })])
  add('A person with a security key and a password', await write(answered(proved, randomKeyOf)), null)
}

/** A vote of who asked, which cannot be; told of another requester. */
function ownVoteTold(): Told {
  const stages = [binding(seats('security', 1, 'signature'))]
  const own = telling(stages, { requesterMayVote: false }, [vote(1, 'agent-1', { ...byAgent, ...approves })])
  const asked: Told = { ...own, request: { ...own.request, requester: 'agent-1', person: null } }
  const told = signed(asked, voters)
  return { ...told, request: { ...own.request, content: null, digest: digestOf(asked) } }
}

/** Texts that a terminal would obey. */
async function wildTexts(): Promise<void> {
  const reason = { salt: 'salt', text: '\u009B2J\u202EOK\u2028\u200B\u{E0041}' }
  const told = telling(two, {}, [vote(1, 'ben', { reason }), vote(2, 'cleo', approves)])
  add('A reason that would move the cursor', await write(told), null)
}

/** Times that go on with the log, and some that do not. */
async function moments(): Promise<void> {
  const reversed = async (because: string, events: readonly ToldEvent[], stages: readonly object[] = two) =>
    add(because, await write(telling(stages, {}, events)), 'time-reversed')
  await reversed('A vote from before the last one', [
    vote(1, 'ben', { at: at(5) }),
    vote(2, 'cleo', { ...approves, at: at(4) }),
  ])
  await reversed('A vote from before the request', [vote(1, 'ben', { at: at(-1) }), vote(2, 'cleo', approves)])
  await reversed('A cancellation from before the last vote', [
    vote(1, 'ben', { at: at(10) }),
    { ...cancel, at: at(9), seq: 1, stage: 0 },
  ])
  await reversed(
    'A vote from before the closing of the last stage',
    [
      { ...closing, at: at(5), seq: 0, stage: 0, toStage: 1 },
      vote(1, 'ben', { at: at(4), stage: 1, to: 'approved', toStage: 2, lapsed: {} }),
    ],
    [advisory(seats('security', 2)), binding(seats('security', 1))],
  )
  const atOnce = [vote(1, 'ben', { at: at(0) }), vote(2, 'cleo', { ...approves, at: at(0) })]
  add('Everything at one instant', await write(telling(two, {}, atOnce)), null)

  const agents = [binding(seats('security', 2, 'signature'))]
  const no_ = no('withdraw', byAgent)
  const changing = (times: readonly [number, number, number]) => {
    const told = telling(agents, {}, [
      vote(1, 'agent-1', { ...no_, at: at(times[0]) }),
      vote(2, 'agent-1', { ...byAgent, at: at(times[1]) }),
      vote(3, 'agent-2', { ...byAgent, ...approves, at: at(times[2]) }),
    ])
    return signed(told, voters)
  }
  const turned = changing([100, 20, 120])
  const later = turned.events.map((event, index) => ({ ...event, at: at(100 + index) }))
  add(
    'A withdrawal told before the approval that it withdrew',
    await write({ ...turned, events: later }),
    'bad-voter-signature',
    withVoterKeys,
  )
  add('Two votes signed in one second', await write(changing([100, 100, 100])), null, withVoterKeys)
}

/** What has one form only, in others. */
async function exactForms(): Promise<void> {
  const file = await write(plain)
  add('A byte order mark before all', `\ufeff${file}`, 'malformed')
  add('A payload that is no JSON, of a stranger', sealedText('{', stranger), 'unknown-key')
  await payloads()
  await keysOfVoters()
  await checkpointLines()
}

async function payloads(): Promise<void> {
  const header = JSON.stringify({ alg: 'RS256', typ: 'quorate-vote+jws' })
  const claims = JSON.stringify(claimsOfFirst())
  const iat = String(claimsOfFirst()['iat'])
  const cases: readonly (readonly [because: string, isGood: boolean, payload: string, header?: string])[] = [
    ['White space and escapes in what is signed', true, claims.replace('{"iss"', ' {\r\n\t"\\u0069ss" ').concat('\n')],
    ['A seat signed for twice', true, claims.replace('["security"]', '["security","security"]')],
    ['A claim twice, the last one right', false, claims.replace('{', '{"iss":"x",')],
    ['A claim twice, once with an escape', false, claims.replace('{', '{"\\u0069ss":"agent-1",')],
    ['A header member twice', false, claims, header.replace('{', '{"alg":"none",')],
    ['Seconds with a fraction of nothing', false, claims.replace(iat, `${iat}.0`)],
    ['Seconds with an exponent', false, claims.replace(iat, `${iat}e0`)],
    ['Seconds with a leading zero', false, claims.replace(iat, `0${iat}`)],
    ['Seconds as a text', false, claims.replace(iat, `"${iat}"`)],
    ['Seconds beyond all integers', false, claims.replace(iat, `${iat}0000000000`)],
    ['A stage that is less than nothing', false, claims.replace('"stage":0', '"stage":-0')],
    ['A claim that is an object', false, claims.replace('{', '{"iss":{},')],
    ['A claim of nothing but nesting', false, claims.replace('{', `{"iss":${'['.repeat(900)}${']'.repeat(900)},`)],
    ['Seats within seats', false, claims.replace('["security"]', '["security",["security"]]')],
    ['Half a character in what is signed', false, claims.replace('["security"]', '["security","\\udc00"]')],
    ['A byte order mark in what is signed', false, `\ufeff${claims}`],
    ['A control character in what is signed', false, claims.replace('"security"', '"secu\trity"')],
    ['A comma too many', false, claims.replace('}', ',}')],
    ['A comment', false, claims.replace('{', '{/**/')],
    ['What is not JSON but nearly', false, claims.replace('"stage":0', '"stage":NaN')],
    ['A form feed for a blank', false, `${claims}\f`],
    ['More than 65,536 characters', false, `${claims}${' '.repeat(49_000)}`],
  ]
  for (const [because, isGood, payload, head = header] of cases) {
    const told = withSignature(jwsOfTexts(head, Buffer.from(payload)))
    add(because, await write(told), isGood ? null : 'bad-voter-signature', withVoterKeys)
  }
  const latin = withSignature(jwsOfTexts(header, Buffer.from(claims.replace('security', 'sécurity'), 'latin1')))
  add('Latin-1 in what is signed', await write(latin), 'bad-voter-signature', withVoterKeys)
}

function jwsOfTexts(header: string, payload: Buffer): string {
  const input = `${Buffer.from(header).toString('base64url')}.${payload.toString('base64url')}`
  return `${input}.${createSign('RSA-SHA256').update(input).sign(voters[0].privateKey, 'base64url')}`
}

/** Keys beside signatures: nothing else is known of the voter, and the rule asks for nothing. */
async function keysOfVoters(): Promise<void> {
  const pem = readFileSync(join(folder, 'voter-1.pem'), 'utf8')
  const told = telling([binding(seats('security', 1))], {}, [vote(1, 'agent-1', { ...byAgent, ...approves })])
  const [event] = signed(told, voters).events as [ToldVote]
  const withKey = async (because: string, publicKey: string, isGood = false, signature = event.signature ?? '') =>
    add(
      because,
      await write({ ...told, events: [{ ...event, publicKey, signature }] }),
      isGood ? null : 'bad-voter-signature',
    )
  const [modulus, exponent] = numbersOf(voters[0])
  await withKey('A key without its last line feed', pem.trimEnd(), true)
  await withKey('A key with two line feeds at its end', `${pem}\n`)
  await withKey('A key with a blank line before', `\n${pem}`)
  await withKey('A key with words before', `Key of agent-1:\n${pem}`)
  await withKey('A key with line ends of two characters', pem.replaceAll('\n', '\r\n'))
  await withKey('A key in one line', pemOfDer(spkiOf(modulus, exponent), 9_999))
  await withKey('A key in lines of 76 characters', pemOfDer(spkiOf(modulus, exponent), 76))
  await withKey('A key with a blank in a line', pem.replace('\nMII', '\n MII'))
  await withKey('Two keys', pem + readFileSync(join(folder, 'voter-2.pem'), 'utf8'))
  await withKey(
    'A key without the NULL of its algorithm',
    pemOfDer(spkiOf(modulus, exponent, '300b06092a864886f70d010101')),
  )
  await withKey('A key with bytes behind it', pemOfDer(Buffer.concat([spkiOf(modulus, exponent), Buffer.of(0, 0)])))
  await withKey('A key with a zero before its exponent', pemOfDer(spkiOf(modulus, exponent, rsaAlgorithm, 1)))
  // Powers that whoever owns the server can take themselves.
  const known = (bits: number) => {
    const input = (event.signature ?? '').replace(/\.[^.]*$/, '')
    return `${input}.${paddedHash(input, bits / 8).toString('base64url')}`
  }
  await withKey('A key with the exponent 1', pemOfDer(spkiOf(modulus, 1n)), false, known(2048))
  await withKey('A key with an even exponent', pemOfDer(spkiOf(modulus, 2n)))
  await withKey('A key with an exponent of 65 bits', pemOfDer(spkiOf(modulus, 2n ** 64n + 1n)))
  await withKey('A key with an even modulus', pemOfDer(spkiOf(modulus - 1n, exponent)))
  await withKey('A key of 2,047 bits', pemOfDer(spkiOf(2n ** 2046n + 1n, 3n)))
  await withKey('A key of 16,385 bits', pemOfDer(spkiOf(2n ** 16_384n + 1n, 3n)))
  const ed25519 = createPublicKey(keyOf('log')).export({ type: 'spki', format: 'pem' }) as string
  await withKey('A key that is no RSA key', ed25519)
}

async function checkpointLines(): Promise<void> {
  const receipt = await receiptOf(plain, notary)
  const line = async (because: string, text: string, isGood = false) => {
    const log = { origin: name, checkpoint: `${receipt.log.checkpoint}${text}\n` }
    add(because, fileOf({ ...receipt, log }, signer), isGood ? null : 'bad-checkpoint')
  }
  await line('A signature of somebody unknown', '— a!~x AAAAAAA=', true)
  const names: readonly (readonly [string, string])[] = [
    ['an accent', 'é'],
    ['a plus sign', '+'],
    ['a quotation mark', '"'],
    ['a backslash', '\\'],
    ['a delete character', '\u007f'],
    ['a control character', '\u0085'],
    ['a byte order mark', '\ufeff'],
    ['a blank of another kind', '\u00a0'],
    ['a blank of no width', '\u200b'],
    ['an override of direction', '\u202e'],
    ['an end of line of another kind', '\u2028'],
    ['a tab', '\t'],
  ]
  for (const [what, character] of names) await line(`A key’s name with ${what}`, `— a${character}b AAAAAAA=`)
  await line('A signature of four bytes', '— a AAAAAA==')
  await line('A signature line of three parts', '— a AAAAAAA= x')
  await line('A signature line with a hyphen', '- a AAAAAAA=')
  await line('A signature that is not canonical base64', '— a AAAAAAB=')
}

const rsaAlgorithm = '300d06092a864886f70d0101010500'

function numbersOf({ publicKey }: Voter): [modulus: bigint, exponent: bigint] {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const whole = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`)
  return [whole(n), whole(e)]
}

/** DER of an RSA key that nothing has looked at. @param zeros bytes too many before the exponent */
function spkiOf(modulus: bigint, exponent: bigint, algorithm = rsaAlgorithm, zeros = 0): Buffer {
  const integer = (value: bigint, more = 0) => {
    const digits = value.toString(16)
    const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
    return derOf(2, Buffer.concat([Buffer.alloc(more + ((bytes[0] ?? 0) >> 7)), bytes]))
  }
  const numbers = derOf(0x30, Buffer.concat([integer(modulus), integer(exponent, zeros)]))
  return derOf(0x30, Buffer.concat([Buffer.from(algorithm, 'hex'), derOf(3, Buffer.concat([Buffer.of(0), numbers]))]))
}

function derOf(tag: number, content: Buffer): Buffer {
  const { length } = content
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.of(tag, ...(length < 128 ? [length] : long)), content])
}

function pemOfDer(der: Buffer, width = 64): string {
  const lines = der.toString('base64').match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`
}

/** EMSA-PKCS1-v1_5 (RFC 8017, 9.2) with SHA-256. */
function paddedHash(text: string, bytes: number): Buffer {
  const hash = createHash('sha256').update(text).digest()
  const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), hash])
  return Buffer.concat([Buffer.of(0, 1), Buffer.alloc(bytes - 3 - info.length, 0xff), Buffer.of(0), info])
}

type Giving = Extract<ReceiptGrant, { operation: 'grant' }>

const single = {
  veto: 'final',
  requesterMayVote: false,
  recheckEligibility: false,
  vetoNeedsAssurance: false,
  singleVote: true,
}
/** Two seats in the first step, one of which is enough or not; and one in the second. */
const steps = (atLeast: number) => [
  binding({ kind: 'threshold', atLeast, of: [seats('security', 1), seats('finance', 1)] }),
  binding(seats('legal', 1)),
]
/** A role for Ben, asked for by Ada. */
const forBen: Giving = {
  operation: 'grant',
  principal: 'ben',
  group: 'database',
  grantKind: 'floating',
  floatingHours: 8,
  limits: { kinds: ['floating', 'time-restricted'], maxFloatingHours: 24, maxRestrictedDays: 30 },
  isRevocable: true,
}
const concerning = (concern: Partial<Told['request']>, told: Told): Told => {
  const { beneficiary: _, beneficiaryPerson: __, grant: ___, ...request } = told.request
  return { ...told, request: { ...request, dialect: 'privx', expiresAt: '9999-12-31T23:59:59.999Z', ...concern } }
}
const benefit = { beneficiary: 'ben', beneficiaryPerson: 'person-ben', grant: forBen } as const
/** Two steps of a request for Ben, decided by single votes. */
const role = (events: readonly ToldEvent[], stages: readonly object[] = steps(2), options: object = {}): Told =>
  concerning(benefit, telling(stages, { ...single, ...options }, events))
const newTerms = { grantKind: 'time-restricted', startsAt: at(0), endsAt: at(86_400) } as const
const changing = (seq: number, who: string, bent: Partial<ToldTerms> = {}): ToldTerms => ({
  kind: 'request.terms-changed',
  at: at(seq),
  actor: { kind: 'human', id: who },
  seq,
  ...newTerms,
  ...bent,
})

/** Single votes, whom a request is for, and the role that it is about. */
async function roles(): Promise<void> {
  const ok = async (because: string, told: Told) => add(because, await write(told), null)
  const no_ = async (because: string, told: Told, code = 'rule-violated') => add(because, await write(told), code)
  const both = { seats: ['security'], held: ['security', 'finance'] } as const
  const first = vote(1, 'cleo', both)
  const second = vote(2, 'dan', { seats: ['finance'], toStage: 1 })
  const third = vote(3, 'cleo', { stage: 1, seats: ['legal'], to: 'approved', toStage: 2 })
  const events = [first, second, third]
  const onTerms = { ...first, terms: newTerms }
  await ok('A role given in two steps, each voter once in each', role(events))
  await ok(
    'A seat that a voter held was full, and they took the next one',
    role([vote(1, 'cleo'), vote(2, 'dan', { seats: ['finance'], held: ['security', 'finance'], toStage: 1 }), third]),
  )
  const denied = no('veto', { seats: ['security'], held: ['security', 'finance'], to: 'rejected' })
  await ok('A role denied, which takes a seat too', role([vote(1, 'cleo', denied)]))
  await ok(
    'A single veto that is only recorded',
    role(
      [
        vote(1, 'cleo', { ...denied, held: ['security'], to: 'open' }),
        vote(2, 'dan', { toStage: 1 }),
        { ...third, principal: 'eve' },
      ],
      [binding(seats('security', 1)), binding(seats('legal', 1))],
      { veto: 'ignored' },
    ),
  )
  await ok(
    'A role asked for by who wants it',
    concerning({ requester: 'ben', person: null, grant: forBen }, telling(steps(2), single, events)),
  )
  const { operation: _, grantKind: __, floatingHours: ___, ...place } = forBen
  await ok(
    'A role taken away',
    concerning({ ...benefit, grant: { ...place, operation: 'remove' } }, telling(steps(2), single, events)),
  )
  await ok(
    'Terms changed by an approval, and again by the last one',
    role([onTerms, changing(1, 'cleo'), second, { ...third, terms: newTerms }, changing(3, 'cleo', { at: third.at })]),
  )
  await ok(
    'Somebody for whom it is voted where they may',
    role([vote(1, 'ben', both), second, third], steps(2), { requesterMayVote: true }),
  )
  await ok('For somebody, and about no role', concerning({ beneficiary: 'dan' }, plain))
  const erased = role(events)
  await ok('A role, the content erased', {
    ...erased,
    request: { ...erased.request, content: null, digest: digestOf(erased) },
  })

  await no_(
    'A voter twice in a step',
    role([first, vote(2, 'cleo', { seats: ['finance'], held: ['security', 'finance'], toStage: 1 }), third]),
  )
  await no_(
    'A voter twice in a step, the first time against',
    role([vote(1, 'cleo', { ...denied, to: 'open' }), vote(2, 'cleo', { ...both, toStage: 1 }), third], steps(1), {
      veto: 'ignored',
    }),
  )
  await no_(
    'A person twice in a step, once as their agent',
    role(
      [
        vote(1, 'agent-1', { ...both, person: 'person-cleo' }),
        vote(2, 'cleo', { seats: ['finance'], toStage: 1 }),
        third,
      ],
      steps(2),
      { naturalPersons: true },
    ),
  )
  await no_(
    'A seat that was full',
    role([first, vote(2, 'dan'), vote(3, 'eve', { seats: ['finance'], toStage: 1 }), { ...third, seq: 4 }]),
  )
  await no_(
    'A veto by who holds only a seat that was full',
    role([first, vote(2, 'dan', { ...denied, held: ['security'] })]),
  )
  await no_('A veto for no seat', role([vote(1, 'dan', no('veto', { to: 'rejected' }))]))
  await no_(
    'A veto for a later seat than the first that was free',
    role([vote(1, 'dan', { ...denied, seats: ['finance'] })]),
  )
  await no_(
    'A later seat although an earlier one was free',
    role([
      vote(1, 'cleo', { seats: ['finance'], held: ['security', 'finance'] }),
      vote(2, 'dan', { toStage: 1 }),
      third,
    ]),
  )
  await no_(
    'Two seats by one vote',
    role([vote(1, 'cleo', { seats: ['security', 'finance'], toStage: 1 }), { ...third, seq: 2 }]),
  )
  await no_(
    'A seat, and another that the rule does not have',
    role([vote(1, 'cleo', { ...both, seats: ['security', 'it'] }), second, third]),
  )
  await no_(
    'A single vote withdrawn',
    role([
      first,
      vote(2, 'cleo', no('withdraw')),
      vote(3, 'dan', { seats: ['finance'], toStage: 1 }),
      { ...third, seq: 4 },
    ]),
  )
  await no_(
    'A withdrawal where nobody voted',
    role([
      vote(1, 'eve', no('withdraw', { seats: ['security'], held: [] })),
      { ...first, seq: 2 },
      { ...second, seq: 3 },
      { ...third, seq: 4 },
    ]),
  )
  await no_(
    'A seat that is not among those held',
    role([vote(1, 'cleo', { ...both, held: ['finance'] }), second, third]),
  )
  await ok(
    'A seat of another stage, which is not among those held in this one',
    telling([binding(all(seats('security', 1), seats('finance', 1))), binding(seats('legal', 1))], {}, [
      vote(1, 'ben', { seats: ['security', 'legal'], held: ['security', 'finance'] }),
      vote(2, 'cleo', { seats: ['finance'], lapsed: {}, toStage: 1 }),
      vote(3, 'dan', { stage: 1, seats: ['legal'], lapsed: {}, to: 'approved', toStage: 2 }),
    ]),
  )
  await no_('Who asked voted on a role', role([vote(1, 'ada', both), second, third]))
  await no_('Whom it is for voted', role([vote(1, 'ben', both), second, third]))
  await no_(
    'Whom it is for voted by their agent',
    role([vote(1, 'agent-1', { ...both, person: 'person-ben' }), second, third], steps(2), { naturalPersons: true }),
  )
  await no_(
    'Single votes and a veto that may be withdrawn',
    role(events, steps(2), { veto: 'withdrawable' }),
    'malformed',
  )
  await no_('Single votes and seats that lapse', role(events, steps(2), { recheckEligibility: true }), 'malformed')
  await no_(
    'Single votes and a seat twice in a step',
    role(events, [binding(all(seats('security', 1), seats('security', 1)))]),
    'malformed',
  )
  await no_('Single votes that are not', role(events, steps(2), { singleVote: false }), 'malformed')
  await no_('Single votes as a text', role(events, steps(2), { singleVote: 'True' }), 'malformed')

  await no_(
    'A role for another than the request is for',
    concerning({ ...benefit, grant: { ...forBen, principal: 'eve' } }, role(events)),
    'leaf-mismatch',
  )
  await no_('A role for another than who asked', concerning({ grant: forBen }, role(events)), 'leaf-mismatch')
  await no_(
    'A role on no terms',
    concerning({ ...benefit, grant: { ...place, operation: 'grant' } as unknown as ReceiptGrant }, role(events)),
    'malformed',
  )
  await no_(
    'A role taken away on terms',
    concerning({ ...benefit, grant: { ...forBen, operation: 'remove' } as unknown as ReceiptGrant }, role(events)),
    'malformed',
  )
  await no_('Terms changed by nobody’s approval', role([onTerms, second, changing(2, 'cleo'), third]))
  await no_(
    'Terms changed at another time than the approval',
    role([onTerms, changing(1, 'cleo', { at: at(2) }), second, third]),
  )
  await no_(
    'Terms changed by another approval than the last',
    role([onTerms, changing(2, 'cleo', { at: at(1) }), second, third]),
  )
  await no_(
    'Terms changed twice by one approval',
    role([onTerms, changing(1, 'cleo'), changing(1, 'cleo'), second, third]),
  )
  await no_('Terms changed before any vote', role([changing(0, 'cleo'), first, second, third]))
  await no_('Terms changed by a veto', role([vote(1, 'cleo', { ...denied, terms: newTerms }), changing(1, 'cleo')]))
  await no_(
    'Terms changed by an agent of the name',
    role([onTerms, changing(1, 'cleo', { actor: { kind: 'agent', id: 'cleo' } }), second, third]),
  )
  await no_(
    'Terms changed of a removal',
    concerning(
      { ...benefit, grant: { ...place, operation: 'remove' } },
      role([onTerms, changing(1, 'cleo'), second, third]),
    ),
  )
  await no_(
    'Terms changed of a request about no role',
    telling(two, {}, [vote(1, 'ben', { terms: newTerms }), changing(1, 'ben'), vote(2, 'cleo', approves)]),
  )
  await no_(
    'Terms of a kind that there is not',
    role([
      { ...first, terms: { ...newTerms, grantKind: 'for ever' as 'permanent' } },
      changing(1, 'cleo', { grantKind: 'for ever' as 'permanent' }),
      second,
      third,
    ]),
    'malformed',
  )
  await no_('Terms changed by an approval that says nothing of it', role([first, changing(1, 'cleo'), second, third]))
  await no_(
    'Terms changed to others than the approval says',
    role([onTerms, changing(1, 'cleo', { endsAt: at(99_999) }), second, third]),
  )
  await no_(
    'Terms changed to fewer than the approval says',
    role([{ ...first, terms: { ...newTerms, floatingHours: 1 } }, changing(1, 'cleo'), second, third]),
  )
  await no_('Terms that an approval says it changed, and nothing did', role([onTerms, second, third]))
  await no_(
    'Terms that the last approval says it changed, and nothing did',
    role([onTerms, changing(1, 'cleo'), second, { ...third, terms: newTerms }]),
  )

  // In the receipt alone.
  const bent = async (because: string, bend: (receipt: BentRole) => void, code: string | null = 'leaf-mismatch') => {
    const honest = role([onTerms, changing(1, 'cleo'), second, third])
    const receipt = readCanonical(writeCanonical(await receiptOf(honest, notary))) as BentRole & Receipt
    bend(receipt)
    add(because, fileOf(receipt, signer), code)
  }
  await bent('Terms changed told otherwise', ({ changes }) => (changes[0]!['endsAt'] = at(99_999)))
  await bent(
    'Terms changed told as of another kind',
    ({ changes }) => Object.assign(changes[0]!, { kind: 'request.canceled' }),
    'malformed',
  )
  await bent(
    'Terms changed with a status',
    ({ changes }) => Object.assign(changes[0]!, { from: 'open', to: 'open' }),
    'malformed',
  )
  await bent('Terms changed, and it is left out', ({ changes }) => changes.pop(), 'rule-violated')
  await bent('Terms changed, and it is left out of the receipt and of the vote', ({ changes, votes }) => {
    changes.pop()
    delete votes[0]!['terms']
  })
  await bent('Terms of a vote told otherwise', ({ changes, votes }) => {
    for (const told of [changes[0]!, votes[0]!['terms'] as object]) Object.assign(told, { endsAt: at(99_999) })
  })
  await bent('Whom it is for left out of the receipt', ({ request }) => delete request['beneficiary'])
  await bent('The person whom it is for told otherwise', ({ request }) => (request['beneficiaryPerson'] = 'person-eve'))
  await bent('The role told otherwise', ({ request }) => Object.assign(request['grant'] as object, { group: 'backup' }))
  await bent('The role left out of the receipt', ({ request }) => delete request['grant'])
  const told = (metadata: object): Told =>
    concerning({ content: { name: 'ship-it', description: null, metadata } }, role(events))
  await no_('A content with a role, of a request about none', told({ grant: forBen }), 'leaf-mismatch')
  await no_('A content with an object in it that is no role', told({ other: {} }), 'leaf-mismatch')
  await ok('A text that is called a grant', told({ grant: 'of a text' }))
  await no_('A content with a list in it', told({ grant: [] }), 'malformed')
  await no_(
    'An agent twice in a step, the second time for another person',
    role(
      [
        vote(1, 'agent-1', { ...denied, to: 'open', person: 'person-cleo' }),
        vote(2, 'agent-1', { ...both, person: 'person-eve', toStage: 1 }),
        third,
      ],
      steps(1),
      { naturalPersons: true, veto: 'ignored' },
    ),
  )
  const looked = [first, { ...second, lapsed: {} }, { ...third, lapsed: {} }]
  await no_(
    'Single votes and seats that lapse, and somebody looked',
    role(looked, steps(2), { recheckEligibility: true }),
    'malformed',
  )
  const doubled = { kind: 'threshold', atLeast: 1, of: [seats('it', 1), seats('finance', 1), seats('it', 1)] }
  await no_(
    'Single votes and a seat twice in a step, that nobody took',
    role(
      [vote(1, 'dan', { seats: ['finance'], toStage: 1 }), { ...third, seq: 2 }],
      [binding(doubled), ...steps(2).slice(1)],
    ),
    'malformed',
  )
}

/** What is judged at the edge of a limit or an option. */
async function edges(): Promise<void> {
  const proving = [binding(seats('security', 1, 'stepUp'))]
  const vetoed = [vote(1, 'ben', no('veto', { held: ['security'], to: 'rejected' }))]
  add(
    'A veto that proves nothing, where nothing is asked of it',
    await write(telling(proving, { veto: 'final', vetoNeedsAssurance: false }, vetoed)),
    null,
  )
  add(
    'A veto that proves nothing, where it is asked for',
    await write(telling(proving, { veto: 'final' }, vetoed)),
    'rule-violated',
  )
  for (const [bytes, code] of [
    [262_144, null],
    [262_145, 'bad-checkpoint'],
  ] as const) {
    const receipt = await receiptOf(plain, notary)
    const checkpoint = padded(receipt.log.checkpoint, bytes)
    add(`A note of ${bytes} bytes`, fileOf({ ...receipt, log: { ...receipt.log, checkpoint } }, signer), code)
  }
  add(
    'A seat named that is not among those held',
    await write(
      telling([binding(all(seats('security', 2), seats('finance', 1)))], {}, [
        vote(1, 'ben', { seats: ['security'], held: ['finance'] }),
        vote(2, 'cleo', { ...approves, seats: ['security', 'finance'] }),
      ]),
    ),
    'rule-violated',
  )
}

/** The note with one more signature, of somebody unknown, so that it has this many bytes. */
function padded(note: string, bytes: number): string {
  const room = bytes - Buffer.byteLength(`${note}—  \n`)
  const encoded = 4 * Math.floor((room - 1) / 4)
  return `${note}— ${'x'.repeat(room - encoded)} ${'A'.repeat(encoded)}\n`
}

interface BentRole {
  readonly request: Record<string, unknown>
  readonly changes: Record<string, unknown>[]
  readonly votes: Record<string, unknown>[]
}

interface Bent extends Record<string, unknown> {
  readonly subject: { name: string }[]
  readonly predicate: Record<string, unknown> & { readonly votes: Record<string, unknown>[] }
}

function withPayload(file: string, change: (payload: string) => string): string {
  const { payload } = JSON.parse(file) as { payload: string }
  return file.replace(payload, change(payload))
}

/** The same bytes in base64 that is not canonical; where they fill it, one character less. */
function loosened(payload: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const last = payload.replace(/=+$/, '').length - 1
  const next = alphabet[alphabet.indexOf(payload[last] ?? 'A') + 1] ?? 'A'
  return payload.endsWith('=') ? payload.slice(0, last) + next + payload.slice(last + 1) : payload.slice(0, -1)
}

function sigOf(file: string): string {
  return (JSON.parse(file) as { signatures: { sig: string }[] }).signatures[0]?.sig ?? ''
}

/** A text signed as it is, canonical or not. */
function sealedText(payload: string, by: NoteSigner = signer): string {
  const type = 'application/vnd.in-toto+json'
  const sig = by.sign(`DSSEv1 ${type.length} ${type} ${Buffer.byteLength(payload)} ${payload}`).toString('base64')
  const keyid = `${by.key.name}+${by.key.id.toString('hex')}`
  return `${JSON.stringify({ payload: Buffer.from(payload).toString('base64'), payloadType: type, signatures: [{ keyid, sig }] })}\n`
}

const otherCheckpoint = (await receiptOf(plain, { signer, others: 3 })).log.checkpoint
mkdirSync(folder, { recursive: true })
for (const file of readdirSync(folder)) if (/^\d+-.*\.json$/.test(file)) rmSync(join(folder, file))
await good()
await bad()
await signatures()
await wildTexts()
await moments()
await exactForms()
await roles()
await edges()
await custody({
  folder,
  agents: voters,
  add: async (because, told, code, given) => add(because, await write(told), code, given),
  async addBent(because, told, code, bend) {
    const statement = readCanonical(writeCanonical(statementOf(await receiptOf(told, notary)))) as Bent
    bend(statement.predicate.votes[0] as Record<string, unknown>)
    add(because, fileOfStatement(statement, signer), code)
  },
})
writeFileSync(join(folder, 'index.json'), `${JSON.stringify(vectors, null, 2)}\n`)
process.stdout.write(`${vectors.length} vectors\n`)
export type { Statement, Vector }
