import { createHash } from 'node:crypto'
import { readCanonical, writeCanonical } from '../proof/canonical-json.ts'
import type { LeafContent, ProvenLeaf, ReceiptName, ReceiptRequest, SaltedText } from '../proof/statement.ts'
import { failure, type Failure } from './failure.ts'
import type { ReadReceipt } from './read-receipt.ts'

/** The receipt says what its leaves say, and they stand where they can (docs/receipt.md, "What to check", 6). */
export function checkLeaves(receipt: ReadReceipt): Failure | null {
  return (
    checkSubject(receipt) ??
    checkRequest(receipt) ??
    checkPolicy(receipt) ??
    checkVotes(receipt) ??
    checkChanges(receipt) ??
    checkNames(receipt) ??
    checkOrder(receipt)
  )
}

function checkSubject({ statement }: ReadReceipt): Failure | null {
  const { subject, predicate } = statement
  const { id, digest } = predicate.request
  return isSame(subject[0], { name: id, digest: { sha256: digest } })
    ? null
    : failure('leaf-mismatch', 'The subject of the statement is not the request.')
}

function checkRequest({ statement, contentOf }: ReadReceipt): Failure | null {
  const { organization, request, policy } = statement.predicate
  const { id, createdAt, leaf, person, content: _, ...facts } = request
  const content = contentOf(leaf)
  return (
    checkLeaf(organization, content, { kind: ['request.created'], subject: id, at: createdAt }, 'request') ??
    (isActor(content, request.requester)
      ? null
      : failure('leaf-mismatch', 'The request was not made by its requester.')) ??
    checkFacts(content, { ...facts, policyDigest: policy.digest, ...personFact(person) }, 'request') ??
    checkGrant(request)
  )
}

/** Nobody is given a role by a request that is told to be about another. */
function checkGrant({ grant, beneficiary, requester }: ReceiptRequest): Failure | null {
  return grant === undefined || grant.principal === (beneficiary ?? requester)
    ? null
    : failure('leaf-mismatch', 'The request changes a role of somebody whom it is not for.')
}

function checkPolicy({ statement, contentOf }: ReadReceipt): Failure | null {
  const { organization, request, policy } = statement.predicate
  const { id, leaf, digest, stages, options, name } = policy
  const content = contentOf(leaf)
  const { facts } = content
  if (id !== request.policy) return failure('leaf-mismatch', 'The policy is not that of the request.')
  const said = membersOf(facts, ['policyDigest', 'stages', 'options'])
  return (
    checkLeaf(organization, content, { kind: ['template.created', 'template.updated'], subject: id }, 'policy') ??
    (isSame(said, { policyDigest: digest, stages, options })
      ? null
      : failure('leaf-mismatch', 'policy differs from its leaf.')) ??
    checkSalted(content, 'name', name, 'policy.name')
  )
}

function checkVotes({ statement, contentOf }: ReadReceipt): Failure | null {
  const { organization, request, votes } = statement.predicate
  for (const [index, vote] of votes.entries()) {
    const path = `votes[${index}]`
    const { at, principal, kind, person, signature, evidence, reason, leaf, publicKey: _, ...facts } = vote
    const content = contentOf(leaf)
    const signed = {
      ...(signature !== undefined && { signature: sha256(signature) }),
      ...(evidence !== undefined && { evidence: sha256(writeCanonical(evidence)) }),
    }
    const wrong =
      (vote.seq === index + 1 ? null : failure('leaf-mismatch', `${path} is vote ${vote.seq} and not ${index + 1}.`)) ??
      (vote.digest === request.digest ? null : failure('leaf-mismatch', `${path} is on another content.`)) ??
      checkLeaf(organization, content, { kind: ['vote.cast'], subject: request.id, at }, path) ??
      (isActor(content, principal) && content.actor.kind === kind
        ? null
        : failure('leaf-mismatch', `${path} was not cast by its principal.`)) ??
      checkFacts(content, { ...facts, ...personFact(person), ...signed, policy: request.policy }, path) ??
      checkSalted(content, 'reason', reason, `${path}.reason`)
    if (wrong !== null) return wrong
  }
  return null
}

function checkChanges({ statement, contentOf }: ReadReceipt): Failure | null {
  const { organization, request, changes } = statement.predicate
  for (const [index, change] of changes.entries()) {
    const path = `changes[${index}]`
    const { kind, at, actor, leaf, ...told } = change
    const { digest, policy } = request
    const facts = kind === 'request.terms-changed' ? told : { ...told, digest, policy }
    const content = contentOf(leaf)
    const wrong =
      checkLeaf(organization, content, { kind: [kind], subject: request.id, at }, path) ??
      (isSame(actor, content.actor) ? null : failure('leaf-mismatch', `${path} was done by somebody else.`)) ??
      checkFacts(content, facts, path)
    if (wrong !== null) return wrong
  }
  return null
}

const nameOf: Readonly<Record<string, string>> = {
  'user.created': 'displayName',
  'agent.registered': 'name',
  'api-client.created': 'name',
  'app.created': 'name',
  'group.created': 'name',
}

const namedPrincipals = ['user.created', 'agent.registered', 'api-client.created', 'app.created']

function checkNames({ statement, contentOf }: ReadReceipt): Failure | null {
  const { organization, names } = statement.predicate
  const check = (list: readonly ReceiptName[], kinds: readonly string[], path: string): Failure | null => {
    if (new Set(list.map(({ id }) => id)).size < list.length)
      return failure('leaf-mismatch', `${path} names an id twice.`)
    for (const { id, name, salt, leaf } of list) {
      const content = contentOf(leaf)
      const wrong =
        checkLeaf(organization, content, { kind: kinds, subject: id }, path) ??
        checkSalted(content, nameOf[content.kind] as string, { salt, text: name }, path)
      if (wrong !== null) return wrong
    }
    return null
  }
  return (
    check(names.principals, namedPrincipals, 'names.principals') ??
    check(names.groups, ['group.created'], 'names.groups')
  )
}

function checkOrder({ statement }: ReadReceipt): Failure | null {
  const { request, policy, votes, changes } = statement.predicate
  const indexes = (list: readonly { readonly leaf: ProvenLeaf }[]) => list.map(({ leaf }) => leaf.index)
  const before = [policy.leaf.index, request.leaf.index]
  return isIncreasing([...before, ...indexes(votes)]) && isIncreasing([...before, ...indexes(changes)])
    ? null
    : failure('leaf-mismatch', 'The entries of the log are not in the order of the receipt.')
}

function checkLeaf(
  organization: string,
  content: LeafContent,
  expected: { readonly kind: readonly string[]; readonly subject: string; readonly at?: string },
  path: string,
): Failure | null {
  const { kind, subject, at = content.at } = expected
  const isRight =
    content.org === organization && kind.includes(content.kind) && content.subject === subject && content.at === at
  return isRight ? null : failure('leaf-mismatch', `The leaf of ${path} is of something else.`)
}

function checkFacts(content: LeafContent, expected: object, path: string): Failure | null {
  return isSame(content.facts, expected) ? null : failure('leaf-mismatch', `${path} differs from its leaf.`)
}

function checkSalted(
  { committed }: LeafContent,
  name: string,
  salted: SaltedText | undefined,
  path: string,
): Failure | null {
  if (salted === undefined || committed?.[name] === sha256(`${salted.salt}\0${salted.text}`)) return null
  return failure('bad-digest', `${path} is not the text that its leaf commits to.`)
}

/** Digests of what is decided on and of the rule (7). */
export function checkDigests({ statement }: ReadReceipt, expectedPolicy: string | null): Failure | null {
  const { request, policy } = statement.predicate
  const { stages, options } = policy
  if (sha256(writeCanonical({ stages, options })) !== policy.digest) {
    return failure('bad-digest', 'policy.digest is not that of the stages and options.')
  }
  if (request.content !== null) {
    if (sha256(request.content) !== request.digest) {
      return failure('bad-digest', 'request.digest is not that of the content.')
    }
    const content = readCanonical(request.content) as Readonly<Record<string, unknown>>
    const grants = Object.entries(content['metadata'] as object).filter(([, value]) => typeof value === 'object')
    const { grant } = request
    if (!isSame(Object.fromEntries(grants), grant === undefined ? {} : { grant })) {
      return failure('leaf-mismatch', 'The content is of another change of a role than the request.')
    }
    const said = membersOf(content, ['dialect', 'policyId', 'policyDigest', 'requesterId'])
    const { dialect, policy: policyId, requester: requesterId } = request
    if (!isSame(said, { dialect, policyId, policyDigest: policy.digest, requesterId })) {
      return failure('leaf-mismatch', 'The content is of another request than the receipt.')
    }
  }
  return expectedPolicy === null || expectedPolicy === policy.digest
    ? null
    : failure('other-policy', `The rule has the digest ${policy.digest}.`)
}

function isActor({ actor }: LeafContent, id: string): boolean {
  return (actor.kind === 'human' || actor.kind === 'agent') && actor.id === id
}

function membersOf(of: Readonly<Record<string, unknown>>, names: readonly string[]): object {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(of, name)).map((name) => [name, of[name]]))
}

function personFact(person: string | null): object {
  return person === null ? {} : { person }
}

function isIncreasing(indexes: readonly number[]): boolean {
  return indexes.every((index, at) => at === 0 || index > (indexes[at - 1] ?? Infinity))
}

/** Two values that came out of canonical JSON. */
function isSame(a: object, b: object): boolean {
  return writeCanonical(a) === writeCanonical(b)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
