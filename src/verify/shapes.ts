import { isObject } from '../kernel/check.ts'
import type { Assurance } from '../kernel/rule.ts'
import { inTotoStatement, receiptType, type ReceiptChange, type ReceiptVote } from '../proof/statement.ts'
import { both, boolean, distinct, identifier, is, list, object, oneOf, recordOf, text, type Form } from './form.ts'

/** The shapes of docs/receipt.md: every object has exactly the members listed there. */

const integer = is(
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  'must be a whole number from 0 to 2^53 - 1',
)
const digest = is(isDigest, 'must be 64 lower-case hexadecimal digits')
const instant = is(isInstant, 'must be an instant like 2026-01-31T12:00:00.000Z')
const hash = is(isHash, 'must be the base64 of 32 bytes')
// Of the last character only two bits belong to the 16 bytes.
const nonce = is(
  (value) => typeof value === 'string' && /^[\w-]{21}[AQgw]$/.test(value),
  'must be the base64url of 16 bytes',
)
const personOrNull = is(
  (value) => value === null || (typeof value === 'string' && value !== ''),
  'must be an id or null',
)
const ids = distinct(identifier)
const status = oneOf('open', 'approved', 'rejected', 'canceled', 'expired')
const assurance = distinct(oneOf('stepUp', 'password', 'securityKey', 'signature'))
const stance = oneOf('approve', 'veto', 'withdraw')
const bytes = is((value) => typeof value === 'string' && isBase64url(value), 'must be base64url, and not empty')
const nonceOfChallenge = is(
  (value) => typeof value === 'string' && isBase64url(value) && value.length === 43,
  'must be the base64url of 32 bytes',
)
const lapsed = recordOf(distinct(identifier, { min: 1 }))
const salted = object({ salt: text, text })

const principalActor = object({ kind: oneOf('human', 'agent'), id: identifier, apiKey: identifier }, ['apiKey'])
const namedActor = object({ kind: oneOf('person'), id: identifier })
const otherActor = object({ kind: oneOf('admin-key', 'system') })
const actor: Form = (value) => {
  switch (Object(value)['kind']) {
    case 'human':
    case 'agent':
      return principalActor(value)
    case 'person':
      return namedActor(value)
    default:
      return otherActor(value)
  }
}

const leaf = object({ index: integer, content: text, path: list(hash, { min: 0, max: 64 }) })

/** Rules and options are looked at by the kernel. */
const untouched: Form = (value) => (value === undefined ? { path: '', reason: 'must be there' } : null)

const grantKind = oneOf('permanent', 'time-restricted', 'floating')
// A role may be asked for until after the last year that an instant has.
const terms = { grantKind, startsAt: text, endsAt: text, floatingHours: integer }
const optionalTerms = ['startsAt', 'endsAt', 'floatingHours']
const grantPlace = {
  operation: oneOf('grant', 'remove'),
  principal: identifier,
  group: identifier,
  limits: object({ kinds: list(grantKind), maxFloatingHours: integer, maxRestrictedDays: integer }),
  isRevocable: boolean,
}
const removal = object(grantPlace)
const giving = object({ ...grantPlace, ...terms }, optionalTerms)
const grant: Form = (value) => (Object(value)['operation'] === 'remove' ? removal(value) : giving(value))

/** Whom a request is for, and what it does to a role, as it and its leaf tell it. */
const concern = { beneficiary: identifier, beneficiaryPerson: identifier, grant }

const request = object(
  {
    id: identifier,
    dialect: text,
    policy: identifier,
    requester: identifier,
    person: personOrNull,
    ...concern,
    createdAt: instant,
    expiresAt: instant,
    digest,
    content: is((value) => value === null || typeof value === 'string', 'must be text or null'),
    leaf,
  },
  Object.keys(concern),
)

const policy = object({ id: identifier, digest, stages: untouched, options: untouched, name: salted, leaf }, ['name'])

const voteFacts = {
  seq: integer,
  stance,
  stage: integer,
  seats: ids,
  held: ids,
  assurance,
  digest,
  lapsed,
  terms: object(terms, optionalTerms),
  from: status,
  to: status,
  toStage: integer,
}

/** What each kind of principal can prove of a vote at all. */
export const provableBy: Readonly<Record<ReceiptVote['kind'], readonly Assurance[]>> = {
  human: ['stepUp', 'password', 'securityKey'],
  agent: ['signature'],
}

const provenByItsKind = is((value) => {
  const { kind, assurance: proofs } = value as ReceiptVote
  return proofs.every((proof) => provableBy[kind].includes(proof))
}, 'names a proof that its kind of principal cannot give')

const anyEvidence = { nonce: nonceOfChallenge, credentialId: bytes, publicKey: bytes, origin: text }
const fido2Evidence = object({
  ...anyEvidence,
  kind: oneOf('fido2'),
  clientDataJSON: bytes,
  authenticatorData: bytes,
  signature: bytes,
  rpId: text,
})
const u2fEvidence = object({
  ...anyEvidence,
  kind: oneOf('u2f'),
  clientData: bytes,
  signatureData: bytes,
  appId: text,
})
const evidence: Form = (value) => (Object(value)['kind'] === 'u2f' ? u2fEvidence(value) : fido2Evidence(value))

const voteMembers = object(
  {
    ...voteFacts,
    at: instant,
    principal: identifier,
    kind: oneOf('human', 'agent'),
    person: personOrNull,
    signature: text,
    publicKey: text,
    evidence,
    reason: salted,
    leaf,
  },
  ['held', 'lapsed', 'terms', 'toStage', 'signature', 'publicKey', 'evidence', 'reason'],
)
const vote = both(voteMembers, provenByItsKind)

const changeFacts = { seq: integer, stage: integer, from: status, to: status, toStage: integer }

const move = object(
  {
    ...changeFacts,
    kind: oneOf('request.stage-closed', 'request.canceled', 'request.expired'),
    at: instant,
    actor,
    leaf,
  },
  ['toStage'],
)
const termsFacts = { seq: integer, ...terms }
const termsChange = object(
  { ...termsFacts, kind: oneOf('request.terms-changed'), at: instant, actor, leaf },
  optionalTerms,
)
const change: Form = (value) => (Object(value)['kind'] === 'request.terms-changed' ? termsChange(value) : move(value))

const decision = object({
  status: oneOf('approved', 'rejected', 'canceled', 'expired'),
  isFinal: boolean,
  at: instant,
  seq: integer,
  leaf: integer,
})

const name = object({ id: identifier, name: text, salt: text, leaf })

/** A statement of the version that we know. */
export const statementShape = object({
  _type: oneOf(inTotoStatement),
  subject: list(object({ name: identifier, digest: object({ sha256: digest }) }), { min: 1, max: 1 }),
  predicateType: oneOf(receiptType),
  predicate: object({
    organization: identifier,
    request,
    policy,
    votes: list(vote),
    changes: list(change),
    decision,
    names: object({ principals: list(name), groups: list(name) }),
    log: object({ origin: text, checkpoint: text }),
  }),
})

export const leafShape = object(
  {
    v: is((value) => value === 1, 'must be 1'),
    org: identifier,
    kind: text,
    subject: identifier,
    actor,
    at: instant,
    nonce,
    facts: is(isObject, 'must be an object'),
    committed: recordOf(digest),
  },
  ['committed'],
)

export const requestFactsShape = object(
  {
    dialect: text,
    digest,
    policy: identifier,
    policyDigest: digest,
    requester: identifier,
    person: identifier,
    ...concern,
    expiresAt: instant,
  },
  ['person', ...Object.keys(concern)],
)

export const voteFactsShape = object(
  { ...voteFacts, policy: identifier, person: identifier, signature: digest, evidence: digest },
  ['held', 'lapsed', 'terms', 'toStage', 'person', 'signature', 'evidence'],
)

const moveFactsShape = object({ ...changeFacts, digest, policy: identifier }, ['toStage'])
const termsFactsShape = object(termsFacts, optionalTerms)

export function changeFactsShape(kind: ReceiptChange['kind']): Form {
  return kind === 'request.terms-changed' ? termsFactsShape : moveFactsShape
}

export const contentShape = object({
  dialect: text,
  name: text,
  description: is((value) => value === null || typeof value === 'string', 'must be text or null'),
  // That an object is the grant of the request is looked at with the digests.
  metadata: recordOf(is((value) => typeof value === 'string' || isObject(value), 'must be text')),
  policyId: identifier,
  policyDigest: digest,
  requesterId: identifier,
  revision: integer,
})

function isDigest(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function isInstant(value: unknown): boolean {
  if (typeof value !== 'string' || !/^(19[7-9]\d|[2-9]\d{3})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value))
    return false
  const time = new Date(value)
  return !Number.isNaN(time.getTime()) && time.toISOString() === value
}

function isBase64url(value: string): boolean {
  return value !== '' && Buffer.from(value, 'base64url').toString('base64url') === value
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value)
}
