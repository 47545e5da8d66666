/** Receipts of operations behind nested quorums, and what security keys answer in them: the vectors after those of `make.ts`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pemOf } from '../../helpers/signing.ts'
import {
  adasKey,
  approvalBy,
  bensKey,
  byTwoKeys,
  custodyOptions,
  custodyTime,
  custodyTold,
  decides,
  denies,
  only,
  ownKeyOf,
  quorumOf,
} from '../../receipts/custody-told.ts'
import { answered, evidenceOf, securityKeyOf, type BentAnswer } from '../../receipts/security-keys.ts'
import { digestOf, isVote, type Told, type ToldVote } from '../../receipts/told.ts'
import { claimsOf, signed, voteHeader, type Voter } from '../../receipts/voters.ts'

export interface KeysGiven {
  readonly voterKeys?: readonly { readonly id: string; readonly file: string }[]
  readonly unsigned?: readonly string[]
  readonly ownKeys?: true
}

export interface Writing {
  readonly folder: string
  /** Agents that sign, with keys in `voter-1.pem` and `voter-2.pem`. */
  readonly agents: readonly Voter[]
  /** With the code of the failure; null where the receipt verifies. */
  readonly add: (because: string, told: Told, code: string | null, given?: KeysGiven) => Promise<void>
  /** The same told, with one thing else in the receipt than in its leaves. */
  readonly addBent: (
    because: string,
    told: Told,
    code: string,
    bend: (vote: Record<string, unknown>) => void,
  ) => Promise<void>
}

const adas = { id: 'ada', file: 'security-key-1.pem' }
const bens = { id: 'ben', file: 'security-key-2.pem' }
const bothKeys: KeysGiven = { voterKeys: [adas, bens] }

/** One approval by Ada, as the rule asks, with her answer bent. */
function byAda(bent: BentAnswer = {}, vote: Partial<ToldVote> = {}, key = adasKey): Told {
  const asked = custodyTold(only('ada', 'securityKey'), [
    approvalBy(1, 'ada', ['securityKey'], { ...decides, ...vote }),
  ])
  const [cast] = asked.events as [ToldVote]
  return { ...asked, events: [{ ...cast, evidence: evidenceOf(asked, cast, key, bent) }] }
}

/** The same by Ben, whose key is of U2F. */
function byBen(bent: BentAnswer = {}): Told {
  const asked = custodyTold(only('ben', 'securityKey'), [approvalBy(1, 'ben', ['securityKey'], decides)])
  const [cast] = asked.events as [ToldVote]
  return { ...asked, events: [{ ...cast, evidence: evidenceOf(asked, cast, bensKey, bent) }] }
}

const bytesOf = (text: string) => Buffer.from(text, 'base64url')
const hex = (digits: string) => Buffer.from(digits, 'hex')
const kept = (of: Readonly<Record<string, Buffer | string>>): BentAnswer => ({
  kept: Object.fromEntries(Object.entries(of).map(([name, value]) => [name, Buffer.from(value).toString('base64url')])),
})
const coseOf = (bytes: Buffer) => ({ x: bytes.subarray(10, 42), y: bytes.subarray(45) })
const { x, y } = coseOf(bytesOf(adasKey.cose))

/** Writes these vectors, and the files of keys that they name. */
export async function custody(writing: Writing): Promise<void> {
  writeFileSync(join(writing.folder, adas.file), pemOf(adasKey.publicKey))
  writeFileSync(join(writing.folder, bens.file), pemOf(bensKey.publicKey))
  await decided(writing)
  await rules(writing)
  await keysGiven(writing)
  await answers(writing)
  await clientData(writing)
  await signatures(writing)
  await told(writing)
}

async function decided({ add }: Writing): Promise<void> {
  const nested = quorumOf(
    2,
    quorumOf(1, only('ada', 'securityKey'), only('ben', 'securityKey', 'password')),
    quorumOf(2, only('cleo', 'password'), only('dan'), quorumOf(1, only('app-1'), only('eve'))),
  )
  const byApp = { kind: 'agent', person: null } as const
  await add('An operation approved by a security key of FIDO2', byAda(), null)
  await add('An operation approved by a security key of U2F', byBen(), null)
  await add('Approved by two security keys and a password', byTwoKeys, null)
  await add(
    'A password, which is the word of the server',
    custodyTold(only('ada', 'password'), [approvalBy(1, 'ada', ['password'], decides)]),
    null,
  )
  await add(
    'Nested quorums, an application among them',
    answered(
      custodyTold(nested, [
        approvalBy(1, 'cleo', ['password']),
        approvalBy(2, 'ben', ['password', 'securityKey']),
        approvalBy(3, 'app-1', [], { ...byApp, ...decides }),
      ]),
      ownKeyOf,
    ),
    null,
  )
  await add(
    'Nested quorums with one approval too few',
    answered(
      custodyTold(nested, [
        approvalBy(1, 'cleo', ['password']),
        approvalBy(2, 'ben', ['password', 'securityKey'], decides),
      ]),
      ownKeyOf,
    ),
    'rule-violated',
  )
  await add(
    'One approval for every place that its voter has',
    answered(
      custodyTold(quorumOf(2, quorumOf(1, only('ada', 'securityKey'), only('ben')), only('ada', 'securityKey')), [
        approvalBy(1, 'ada', ['securityKey'], decides),
      ]),
      ownKeyOf,
    ),
    null,
  )
  await add('Denied', custodyTold(only('ada', 'securityKey'), [approvalBy(1, 'ada', [], denies)]), null)
}

async function rules({ add }: Writing): Promise<void> {
  const two = quorumOf(2, only('ada'), only('ben'))
  const first = approvalBy(1, 'ada', [])
  await add('Denied by who approved before', custodyTold(two, [first, approvalBy(2, 'ada', [], denies)]), null)
  await add(
    'Denied, and approved after it',
    custodyTold(two, [approvalBy(1, 'ada', [], denies), approvalBy(2, 'ben', [], { from: 'rejected', ...decides })]),
    'rule-violated',
  )
  await add(
    'Approved twice by one, where an approval stands',
    custodyTold(two, [first, approvalBy(2, 'ada', []), approvalBy(3, 'ben', [], decides)]),
    'rule-violated',
  )
  await add(
    'Withdrawn, where an approval stands',
    custodyTold(two, [
      first,
      approvalBy(2, 'ada', [], { stance: 'withdraw', seats: [] }),
      approvalBy(3, 'ada', []),
      approvalBy(4, 'ben', [], decides),
    ]),
    'rule-violated',
  )
  await add(
    'Withdrawn, where an approval stands, and denied by another',
    custodyTold(two, [
      first,
      approvalBy(2, 'ada', [], { stance: 'withdraw', seats: [] }),
      approvalBy(3, 'ben', [], denies),
    ]),
    'rule-violated',
  )
  const under = (options: object, rule = two): Told => {
    const told = custodyTold(rule, [first, approvalBy(2, 'ben', [], decides)])
    return { ...told, policy: { ...told.policy, options: { ...custodyOptions, ...options } } }
  }
  await add('Approvals that stand, told as a text', under({ approvesOnce: 'true' }), 'malformed')
  await add('Approvals that do not stand, told', under({ approvesOnce: false }), 'malformed')
  await add('Approvals that stand, and a veto that may be withdrawn', under({ veto: 'withdrawable' }), 'malformed')
  await add('Approvals that stand, and a veto that is only recorded', under({ veto: 'ignored' }), 'malformed')
  await add('Approvals that stand, and seats that lapse', under({ recheckEligibility: true }), 'malformed')
  await add('Approvals that stand, and single votes', under({ singleVote: true }), 'malformed')
  const asPersons = (events: readonly ToldVote[]): Told => {
    const told = under({ naturalPersons: true }, quorumOf(2, only('ada'), only('app-1')))
    return { ...told, events }
  }
  const byApp = approvalBy(2, 'app-1', [], { kind: 'agent', person: 'person-ada', ...decides })
  await add('Approved twice by one person, once as their agent', asPersons([first, byApp]), 'rule-violated')
}

async function keysGiven({ add, agents }: Writing): Promise<void> {
  await add('Security keys, and the keys of both given', byTwoKeys, null, bothKeys)
  await add('Security keys that have to be given, and are', byTwoKeys, null, { ...bothKeys, ownKeys: true })
  await add('Security keys that have to be given, and are not', byTwoKeys, 'voter-key-missing', { ownKeys: true })
  await add('Security keys, and one of them given', byTwoKeys, 'voter-key-missing', { voterKeys: [adas] })
  const oneOfTwo = { voterKeys: [adas], unsigned: ['ben'] }
  await add('Security keys, one of them given and one on the word of the server', byTwoKeys, null, oneOfTwo)
  await add('One of two security keys that have to be given', byTwoKeys, 'voter-key-missing', {
    ...oneOfTwo,
    ownKeys: true,
  })
  await add('Security keys exchanged', byTwoKeys, 'bad-voter-signature', {
    voterKeys: [
      { ...adas, id: 'ben' },
      { ...bens, id: 'ada' },
    ],
  })
  await add('One of several keys of a voter', byAda(), null, { voterKeys: [{ ...bens, id: 'ada' }, adas] })
  await add('A key of another kind given for a security key', byAda(), 'bad-voter-signature', {
    voterKeys: [{ id: 'ada', file: 'voter-1.pem' }],
  })
  await add('A key given of somebody who did not vote', byAda(), 'voter-key-missing', { voterKeys: [bens] })
  const password = custodyTold(quorumOf(2, only('ada', 'securityKey'), only('cleo', 'password')), [
    approvalBy(1, 'ada', ['securityKey']),
    approvalBy(2, 'cleo', ['password'], decides),
  ])
  const mixed = answered(password, ownKeyOf)
  await add('A password beside a security key that is given', mixed, 'bad-voter-signature', { voterKeys: [adas] })
  await add('A password beside a security key that is given, and may stand', mixed, null, {
    voterKeys: [adas],
    unsigned: ['cleo'],
    ownKeys: true,
  })
  await add(
    'A denial beside keys that are given',
    custodyTold(only('ada'), [approvalBy(1, 'ada', [], denies)]),
    'bad-voter-signature',
    { voterKeys: [adas] },
  )
  const erased = (told: Told): Told => ({
    ...told,
    request: { ...told.request, content: null, digest: digestOf(told) },
  })
  await add('A security key, the content erased', erased(byAda()), null)
  await add('A security key that is given, the content erased', erased(byAda()), 'content-missing', {
    voterKeys: [adas],
  })
  const unasked = custodyTold(only('ada'), [approvalBy(1, 'ada', ['securityKey'], decides)])
  await add('A security key that nobody asked for', answered(unasked, ownKeyOf), null, { ownKeys: true })

  const signing = custodyTold(only('agent-1', 'signature'), [
    approvalBy(1, 'agent-1', ['signature'], { kind: 'agent', person: null, ...decides }),
  ])
  const byAgent = signed(signing, agents)
  const rsa = { id: 'agent-1', file: 'voter-1.pem' }
  await add('A key of another kind given for an agent', byAgent, 'bad-voter-signature', {
    voterKeys: [{ ...adas, id: 'agent-1' }],
  })
  const [vote] = signing.events as [ToldVote]
  const parts = [voteHeader, claimsOf(signing, vote)].map((part) => Buffer.from(JSON.stringify(part)))
  const input = parts.map((part) => part.toString('base64url')).join('.')
  const signature = `${input}.${adasKey.sign(Buffer.from(input)).toString('base64url')}`
  await add(
    'A vote of an agent that a key of another kind signed',
    { ...signing, events: [{ ...vote, signature }] },
    'bad-voter-signature',
    { voterKeys: [{ ...adas, id: 'agent-1' }] },
  )
  await add('A key of another kind given for an agent, beside its own', byAgent, null, {
    voterKeys: [{ ...adas, id: 'agent-1' }, rsa],
  })
}

async function answers({ add }: Writing): Promise<void> {
  const bad = async (because: string, bent: BentAnswer) => await add(because, byAda(bent), 'bad-voter-signature')
  const other = '01900000-0000-7000-8000-0000000000e1'
  await bad('An answer for another request', { vote: { requestId: 'operation-2' } })
  await bad('An answer in another organization', { vote: { orgId: other } })
  await bad('An answer on another content', { vote: { digest: '0'.repeat(64) } })
  await bad('An answer under another rule', { vote: { policyDigest: '0'.repeat(64) } })
  await bad('An answer of another person', { vote: { personId: 'person-ben' } })
  await bad('An answer with another nonce', kept({ nonce: Buffer.alloc(32) }))
  await bad('An answer to a challenge of nothing but chance', {
    clientData: { challenge: Buffer.alloc(32).toString('base64url') },
  })
  await bad('An answer for another id', { signedFor: 'evil.example' })
  await bad('An answer for another id, as is told', { kept: { rpId: 'evil.example' } })
  await bad('An answer with nobody present', { flags: 0 })
  await bad('An answer with somebody known and nobody present', { flags: 4 })
  await bad('An answer that is too short', { start: (start) => start.subarray(0, 36) })
  await bad('An answer of the hash alone', { start: (start) => start.subarray(0, 32) })
  await add(
    'An answer with extensions',
    byAda({ flags: 0x81, start: (start) => Buffer.concat([start, hex('a0')]) }),
    null,
  )
  await add('An answer with somebody present and known', byAda({ flags: 5 }), null)
  await add(
    'An answer for an application id',
    byAda({ signedFor: 'https://approve.example', kept: { rpId: 'https://approve.example' } }),
    null,
  )
  await add(
    'An answer of U2F for another application',
    byBen({ signedFor: 'https://evil.example' }),
    'bad-voter-signature',
  )
  await add('An answer of U2F with nobody present', byBen({ flags: 2 }), 'bad-voter-signature')
  await add(
    'An answer of U2F without a signature',
    byBen(kept({ signatureData: hex('0100000007') })),
    'bad-voter-signature',
  )
  await add(
    'An answer of U2F without a counter',
    byBen(kept({ signatureData: hex('01000000') })),
    'bad-voter-signature',
  )
  await add('An answer of U2F by a key that has answered FIDO2', byAda({}, {}, { ...adasKey, kind: 'u2f' }), null)
}

async function clientData({ add }: Writing): Promise<void> {
  const bad = async (because: string, bent: BentAnswer, told = byAda) =>
    await add(because, told(bent), 'bad-voter-signature')
  const good = async (because: string, bent: BentAnswer, told = byAda) => await add(because, told(bent), null)
  const more = (text: string): BentAnswer => ({ written: (json) => json.replace('{', `{${text},`) })
  const nested = (depth: number) => `"deep":${'['.repeat(depth)}${']'.repeat(depth)}`
  await bad('An answer to a registration', { clientData: { type: 'webauthn.create' } })
  await bad('An answer of FIDO2 with the type of U2F', {
    clientData: { type: undefined, typ: 'navigator.id.getAssertion' },
  })
  await bad('An answer of U2F to a registration', { clientData: { typ: 'navigator.id.finishEnrollment' } }, byBen)
  await bad('An answer asked for elsewhere', { clientData: { origin: 'https://evil.example' } })
  await bad('An answer asked for elsewhere, as is told', { kept: { origin: 'https://evil.example' } })
  await bad('An answer asked for nowhere', { clientData: { origin: undefined } })
  await bad('An answer asked for by U2F elsewhere', { clientData: { origin: 'https://evil.example' } }, byBen)
  await bad('An answer asked for by a frame', { clientData: { crossOrigin: true } })
  await bad('An answer asked for by a frame, in other words', { clientData: { crossOrigin: null } })
  await bad('An answer asked for by a frame, as a number', { clientData: { crossOrigin: 0 } })
  await bad('An answer asked for below another page', { clientData: { topOrigin: 'https://approve.example' } })
  await good('An answer that says nothing of frames', { clientData: { crossOrigin: undefined } })
  await good(
    'An answer with unknown members',
    more('"n":1e999,"m":-0.5,"list":[1,{"a":null,"b":{}}],"__proto__":{"a":1}'),
  )
  await good('An answer with a number of many digits', more(`"n":${'9'.repeat(5_000)}`))
  await good('An answer with white space, escapes and another order', {
    written(json) {
      const members = Object.entries(JSON.parse(json) as object).toReversed()
      const lines = members.map(
        ([name, value]) => `\t"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}" : ${JSON.stringify(value)}`,
      )
      return ` {\r\n${lines.join(',\n')}\n} `
    },
  })
  await good('An answer of U2F with the key of a channel', more('"cid_pubkey":{"kty":"EC","crv":"P-256"}'), byBen)
  await good('An answer that nests as deep as it may', more(nested(63)))
  await bad('An answer that nests too deep', more(nested(64)))
  await bad('An answer of nothing but nesting', more(nested(20_000)))
  await bad('An answer with its origin twice', more('"origin":"https://approve.example"'))
  await bad(
    'An answer with its origin twice, once with an escape',
    more(String.raw`"\u006frigin":"https://approve.example"`),
  )
  await bad('An answer with a member twice further in', more('"a":[{"b":1,"c":2,"b":1}]'))
  await good('An answer with a name in two objects', more('"a":{"b":{"b":1},"c":{"b":1}},"b":["b","b"]'))
  await bad('An answer with half a character', more(String.raw`"a":"\ud800"`))
  await bad('An answer with half a character in a name', more(String.raw`"\ud800":1`))
  await good('An answer with a character of two halves', more(String.raw`"\ud83d\ude00":"😀"`))
  await bad('An answer with a byte order mark', { written: (json) => `\ufeff${json}` })
  await bad('An answer in Latin-1', { written: (json) => Buffer.from(json.replace('{', '{"é":1,'), 'latin1') })
  await bad('An answer that is a list', { written: (json) => `[${json}]` })
  await bad('An answer that is null', { written: () => 'null' })
  await bad('An answer with no number', more('"a":NaN'))
  await bad('An answer with no end', more('"a":-Infinity'))
  await bad('An answer with a comma too many', { written: (json) => json.replace('}', ',}') })
  await bad('An answer with a leading zero', more('"a":01'))
  await bad('An answer with a control character', more('"a":"\u0007"'))
  await bad('An answer with bytes behind it', { written: (json) => `${json}}` })
}

async function signatures({ add }: Writing): Promise<void> {
  const bad = async (because: string, bent: BentAnswer) => await add(because, byAda(bent), 'bad-voter-signature')
  const stranger = securityKeyOf('stranger')
  await add('An answer by a key of somebody else, told as it is', byAda({}, {}, stranger), null)
  await add('An answer by a key of somebody else, where it is known', byAda({}, {}, stranger), 'bad-voter-signature', {
    voterKeys: [adas],
  })
  await add(
    'An answer by a key of somebody else, where it is known, of who need not sign',
    byAda({}, {}, stranger),
    'bad-voter-signature',
    { voterKeys: [adas], unsigned: ['ada'] },
  )
  await bad('An answer by another key than is told', { kept: { publicKey: stranger.cose } })
  await bad('A signature of two plain numbers', { signature: () => Buffer.alloc(64, 1) })
  await bad('A signature with a byte behind it', { signature: (made) => Buffer.concat([made, Buffer.of(0)]) })
  await bad('A signature with its length in two bytes', {
    signature: (made) => Buffer.concat([hex('3081'), made.subarray(1)]),
  })
  await bad('A signature with a zero before a number', { signature: withZero })
  await bad('A signature of zeros', { signature: () => hex('3006020100020100') })
  await bad('A signature of nothing', { signature: () => hex('3000') })
  await bad('A signature without its last byte', { signature: (made) => made.subarray(0, -1) })

  const ofKey = async (because: string, cose: Buffer) => await bad(because, kept({ publicKey: cose }))
  const start = hex('a5010203262001215820')
  await ofKey(
    'A security key with coordinates in another order',
    Buffer.concat([hex('a5010203262001225820'), y, hex('215820'), x]),
  )
  await ofKey(
    'A security key with another order of members',
    Buffer.concat([hex('a5030101022001'), hex('215820'), x, hex('225820'), y]),
  )
  await ofKey(
    'A security key with a member more',
    Buffer.concat([hex('a601020241000326200121'), hex('5820'), x, hex('225820'), y]),
  )
  await ofKey(
    'A security key with a length in two bytes',
    Buffer.concat([hex('a501020326200121590020'), x, hex('225820'), y]),
  )
  await ofKey('A security key with bytes behind it', Buffer.concat([start, x, hex('225820'), y, hex('00')]))
  await ofKey('A security key of another algorithm', Buffer.concat([hex('a5010203272001215820'), x, hex('225820'), y]))
  await ofKey('A security key on another curve', Buffer.concat([hex('a5010203262002215820'), x, hex('225820'), y]))
  await ofKey('A security key that is no point of the curve', Buffer.concat([start, x, hex('225820'), x]))
  await ofKey(
    'A security key of ones beyond the prime',
    Buffer.concat([start, Buffer.alloc(32, 0xff), hex('225820'), y]),
  )
  await ofKey('A security key of zeros', Buffer.concat([start, Buffer.alloc(32), hex('225820'), Buffer.alloc(32)]))
  await ofKey('A security key with half a point', Buffer.concat([hex('a4010203262001215820'), x]))
}

/** The same number with a byte more than it needs. */
function withZero(signature: Buffer): Buffer {
  const length = signature.readUInt8(3)
  const numbers = [hex('02'), Buffer.of(length + 1, 0), signature.subarray(4)]
  return Buffer.concat([Buffer.of(0x30, signature.readUInt8(1) + 1), ...numbers])
}

async function told({ add, addBent }: Writing): Promise<void> {
  const bad = async (because: string, told: Told, code = 'bad-voter-signature') => await add(because, told, code)
  const bare = custodyTold(only('ada', 'securityKey'), [approvalBy(1, 'ada', ['securityKey'], decides)])
  await bad('A security key without an answer', bare)
  await bad(
    'No security key where it is asked for',
    custodyTold(only('ada', 'securityKey'), [approvalBy(1, 'ada', [], decides)]),
    'rule-violated',
  )
  await bad(
    'A password where a security key is asked for',
    custodyTold(only('ada', 'securityKey'), [approvalBy(1, 'ada', ['password'], decides)]),
    'rule-violated',
  )
  await bad(
    'A security key where a password is asked for too',
    answered(
      custodyTold(only('ada', 'securityKey', 'password'), [approvalBy(1, 'ada', ['securityKey'], decides)]),
      ownKeyOf,
    ),
    'rule-violated',
  )
  const unsaid = custodyTold(only('ada'), [approvalBy(1, 'ada', [], decides)])
  const withAnswer = (told: Told, vote: Partial<ToldVote> = {}): Told => ({
    ...told,
    events: told.events
      .filter(isVote)
      .map((event) => ({ ...event, evidence: evidenceOf(told, event, adasKey), ...vote })),
  })
  await bad('An answer of a vote that says of none', withAnswer(unsaid))
  await bad(
    'An answer beside a veto',
    withAnswer(custodyTold(only('ada'), [approvalBy(1, 'ada', ['securityKey'], denies)])),
  )
  await bad(
    'An answer of an agent',
    withAnswer(custodyTold(only('ada'), [approvalBy(1, 'ada', [], { kind: 'agent', ...decides })])),
  )
  await bad(
    'An answer of nobody',
    withAnswer(custodyTold(only('ada'), [approvalBy(1, 'ada', ['securityKey'], { person: null, ...decides })])),
  )

  const twice = custodyTold(quorumOf(2, only('ada', 'securityKey'), only('ben', 'securityKey')), [
    approvalBy(1, 'ada', ['securityKey']),
    approvalBy(2, 'ben', ['securityKey'], { person: 'person-ada', ...decides }),
  ])
  const [one, two] = twice.events as [ToldVote, ToldVote]
  const evidence = evidenceOf(twice, one, adasKey)
  await bad('One answer for two voters', {
    ...twice,
    events: [
      { ...one, evidence },
      { ...two, evidence },
    ],
  })
  const again = evidenceOf(twice, two, adasKey)
  await add(
    'Two answers of one person for two voters',
    {
      ...twice,
      events: [
        { ...one, evidence },
        { ...two, evidence: again },
      ],
    },
    null,
  )
  const stages = [1, 2].map(() => ({ binding: true, rule: only('ada', 'securityKey') }))
  const staged: Told = {
    ...twice,
    policy: { ...twice.policy, stages },
    events: [
      approvalBy(1, 'ada', ['securityKey'], { toStage: 1 }),
      approvalBy(2, 'ada', ['securityKey'], { stage: 1, to: 'approved', toStage: 2 }),
    ],
  }
  await add('Two stages, an answer in each', answered(staged, ownKeyOf), null, { voterKeys: [adas] })
  const nonce = Buffer.alloc(32, 7).toString('base64url')
  const votes = staged.events.filter(isVote)
  await bad('Two stages and one answer', {
    ...staged,
    events: votes.map((vote) => ({ ...vote, evidence: evidenceOf(staged, vote, adasKey, { nonce }) })),
  })

  const malformed = async (because: string, bent: Readonly<Record<string, unknown>>, told = byAda) =>
    await add(because, told({ kept: bent }), 'malformed')
  const nonCanonical = (text: string) =>
    `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : String.fromCharCode(text.charCodeAt(text.length - 1) + 1)}`
  await malformed('An answer of a kind that there is not', { kind: 'totp' })
  await malformed('An answer of no kind', { kind: undefined })
  await malformed('An answer with a member more', { clientData: 'AA' })
  await malformed('An answer with a nonce of 31 bytes', { nonce: Buffer.alloc(31).toString('base64url') })
  const shortNonce = { nonce: Buffer.alloc(31).toString('base64url') }
  await add('An answer to a challenge with a nonce of 31 bytes', byAda(shortNonce), 'malformed')
  await add('An answer of U2F to a challenge with a nonce of 31 bytes', byBen(shortNonce), 'malformed')
  await malformed('An answer with a nonce that is padded', { nonce: `${Buffer.alloc(32).toString('base64url')}=` })
  await malformed('An answer with a nonce with an unused bit set', {
    nonce: nonCanonical(Buffer.alloc(32).toString('base64url')),
  })
  await malformed('An answer with no credential', { credentialId: '' })
  await malformed('An answer in the alphabet of base64', { credentialId: '+/+/' })
  await malformed('An answer with a list for a signature', { signature: ['AA'] })
  await malformed('An answer with a null for an origin', { origin: null })
  await malformed('An answer of U2F with an id', { rpId: 'approve.example' }, byBen)

  const evidenceIn = (vote: Record<string, unknown>) => vote['evidence'] as Record<string, unknown>
  await addBent('An answer changed in the receipt alone', byAda(), 'leaf-mismatch', (vote) => {
    evidenceIn(vote)['credentialId'] = 'AAAA'
  })
  await addBent('An answer left out of the receipt', byAda(), 'leaf-mismatch', (vote) => {
    delete vote['evidence']
  })
  await addBent('An answer put beside a vote in the receipt alone', unsaid, 'leaf-mismatch', (vote) => {
    vote['evidence'] = byAda().events.filter(isVote)[0]?.evidence
  })
  await bad(
    'A request by a person who is nobody there',
    { ...byAda(), askedBy: { kind: 'person', id: 'ada' } },
    'leaf-mismatch',
  )
  const late = byAda({}, { at: custodyTime(400) })
  await add('An answer of any time, since it tells none', late, null)
}
