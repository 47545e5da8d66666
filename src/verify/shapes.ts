import { boolean, check, identifier, isObject, list, object, oneOf, text, type Check } from '../kernel/check.ts'
import { inTotoStatement, receiptType } from '../proof/statement.ts'

/** The shapes of docs/receipt.md: every object has exactly the members listed there. */

const anyNumber = { min: 0, max: Number.MAX_SAFE_INTEGER }

const integer = check(
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  'must be a whole number from 0 to 2^53 - 1',
)
const digest = check(isDigest, 'must be 64 lower-case hexadecimal digits')
const instant = check(isInstant, 'must be an instant like 2026-01-31T12:00:00.000Z')
const hash = check(isHash, 'must be the base64 of 32 bytes')
// Of the last character only two bits belong to the 16 bytes.
const nonce = check(
  (value) => typeof value === 'string' && /^[\w-]{21}[AQgw]$/.test(value),
  'must be the base64url of 16 bytes',
)
const personOrNull = check(
  (value) => value === null || (typeof value === 'string' && value !== ''),
  'must be an id or null',
)
const ids = distinct(list(identifier, anyNumber))
const status = oneOf('open', 'approved', 'rejected', 'canceled', 'expired')
const assurance = distinct(list(oneOf('stepUp', 'password', 'securityKey', 'signature'), anyNumber))
const stance = oneOf('approve', 'veto', 'withdraw')
const lapsed = recordOf(both(list(identifier, { min: 1, max: anyNumber.max }), ids))
const salted = object({ salt: text, text })

const personActor = object({ kind: oneOf('human', 'agent'), id: identifier, apiKey: identifier }, ['apiKey'])
const otherActor = object({ kind: oneOf('admin-key', 'system') })
const actor: Check = (value, path) =>
  isObject(value) && (value['kind'] === 'human' || value['kind'] === 'agent')
    ? personActor(value, path)
    : otherActor(value, path)

const leaf = object({ index: integer, content: text, path: list(hash, { min: 0, max: 64 }) })

/** Rules and options are looked at by the kernel. */
const untouched: Check = () => []

const request = object({
  id: identifier,
  dialect: text,
  policy: identifier,
  requester: identifier,
  person: personOrNull,
  createdAt: instant,
  expiresAt: instant,
  digest,
  content: check((value) => value === null || typeof value === 'string', 'must be text or null'),
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

const vote = object(
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
    votes: list(vote, anyNumber),
    changes: list(change, anyNumber),
    decision,
    names: object({ principals: list(name, anyNumber), groups: list(name, anyNumber) }),
    log: object({ origin: text, checkpoint: text }),
  }),
})

export const leafShape = object(
  {
    v: check((value) => value === 1, 'must be 1'),
    org: identifier,
    kind: text,
    subject: identifier,
    actor,
    at: instant,
    nonce,
    facts: check(isObject, 'must be an object'),
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
  description: check((value) => value === null || typeof value === 'string', 'must be text or null'),
  metadata: recordOf(text),
  policyId: identifier,
  policyDigest: digest,
  requesterId: identifier,
  revision: integer,
})

/** Header and payload of a voter's signature. */
export const signatureHeaderShape = object({ alg: oneOf('RS256'), typ: oneOf('quorate-vote+jws') })

export const signaturePayloadShape = object({
  iss: text,
  org: text,
  request: text,
  digest: text,
  stance: text,
  seats: list(text, anyNumber),
  iat: integer,
  nonce: check(
    (value) => typeof value === 'string' && /^[A-Za-z0-9_-]{16,128}$/.test(value),
    'must be 16 to 128 characters of base64url',
  ),
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

function recordOf(item: Check): Check {
  return (value, path) =>
    isObject(value)
      ? Object.entries(value).flatMap(([member, each]) => item(each, `${path}.${member}`))
      : [{ path, reason: 'must be an object' }]
}

/** A list in which nothing comes twice. */
function distinct(of: Check): Check {
  return (value, path) => {
    const problems = of(value, path)
    if (problems.length > 0 || new Set(value as unknown[]).size === (value as unknown[]).length) return problems
    return [{ path, reason: 'must not name anything twice' }]
  }
}

function both(first: Check, second: Check): Check {
  return (value, path) => {
    const problems = first(value, path)
    return problems.length > 0 ? problems : second(value, path)
  }
}
