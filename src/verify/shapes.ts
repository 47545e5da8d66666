import { isObject } from '../kernel/check.ts'
import type { Assurance } from '../kernel/rule.ts'
import { inTotoStatement, receiptType, type ReceiptVote } from '../proof/statement.ts'
import { both, boolean, distinct, identifier, is, list, object, oneOf, recordOf, text, type Form } from './form.ts'

/** The shapes of docs/receipt.md: every object has exactly the members listed there. */

const integer = is(
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  'must be a whole number from 0 to 2^53 - 1',
)
const digest = is(isDigest, 'must be 64 lower-case hexadecimal digits')
const instant = is(isInstant, 'must be an instant like 2026-01-31T12:00:00.000Z')
const hash = is(isHash, 'must be the base64 of 32 bytes')
const personOrNull = is(
  (value) => value === null || (typeof value === 'string' && value !== ''),
  'must be an id or null',
)
const ids = distinct(identifier)
const status = oneOf('open', 'approved', 'rejected', 'canceled', 'expired')
const assurance = distinct(oneOf('stepUp', 'password', 'securityKey', 'signature'))
const stance = oneOf('approve', 'veto', 'withdraw')
const lapsed = recordOf(distinct(identifier, { min: 1 }))
const salted = object({ salt: text, text })

const personActor = object({ kind: oneOf('human', 'agent'), id: identifier, apiKey: identifier }, ['apiKey'])
const otherActor = object({ kind: oneOf('admin-key', 'system') })
const actor: Form = (value) =>
  isObject(value) && (value['kind'] === 'human' || value['kind'] === 'agent') ? personActor(value) : otherActor(value)

const leaf = object({ index: integer, content: text, path: list(hash, { min: 0, max: 64 }) })

/** Rules and options are looked at by the kernel. */
const untouched: Form = (value) => (value === undefined ? { path: '', reason: 'must be there' } : null)

const request = object({
  id: identifier,
  dialect: text,
  policy: identifier,
  requester: identifier,
  person: personOrNull,
  createdAt: instant,
  expiresAt: instant,
  digest,
  content: is((value) => value === null || typeof value === 'string', 'must be text or null'),
  leaf,
})

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

const voteMembers = object(
  {
    ...voteFacts,
    at: instant,
    principal: identifier,
    kind: oneOf('human', 'agent'),
    person: personOrNull,
    signature: text,
    publicKey: text,
    reason: salted,
    leaf,
  },
  ['held', 'lapsed', 'toStage', 'signature', 'publicKey', 'reason'],
)
const vote = both(voteMembers, provenByItsKind)

const changeFacts = { seq: integer, stage: integer, from: status, to: status, toStage: integer }

const change = object(
  {
    ...changeFacts,
    kind: oneOf('request.stage-closed', 'request.canceled', 'request.expired'),
    at: instant,
    actor,
    leaf,
  },
  ['toStage'],
)

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
    expiresAt: instant,
  },
  ['person'],
)

export const voteFactsShape = object({ ...voteFacts, policy: identifier, person: identifier, signature: digest }, [
  'held',
  'lapsed',
  'toStage',
  'person',
  'signature',
])

export const changeFactsShape = object({ ...changeFacts, digest, policy: identifier }, ['toStage'])

export const contentShape = object({
  dialect: text,
  name: text,
  description: is((value) => value === null || typeof value === 'string', 'must be text or null'),
  metadata: recordOf(text),
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

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(value)
}
