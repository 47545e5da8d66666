import type { Form } from './form.ts'
import { readCanonical } from '../proof/canonical-json.ts'
import type { Envelope } from '../proof/dsse.ts'
import { inTotoStatement, receiptType, type LeafContent, type ProvenLeaf, type Statement } from '../proof/statement.ts'
import { failure, type Failure } from './failure.ts'
import { quoted } from './printed.ts'
import {
  changeFactsShape,
  contentShape,
  leafShape,
  requestFactsShape,
  statementShape,
  voteFactsShape,
} from './shapes.ts'

/** A receipt that has the right form. */
export interface ReadReceipt {
  readonly statement: Statement
  /** What each leaf of the receipt says. */
  readonly contentOf: (leaf: ProvenLeaf) => LeafContent
}

type Read = { readonly receipt: ReadReceipt } | { readonly failure: Failure }

/** Form alone: the statement and every leaf (docs/receipt.md, "What to check", 3). */
export function readReceipt({ payload }: Envelope): Read {
  const statement = readCanonical(payload)
  if (statement === undefined) return malformed('What is signed is not canonical JSON.')
  const version = foreignVersion(statement)
  if (version !== null) return version
  const problem = problemOf(statementShape, statement, 'statement')
  if (problem !== null) return problem

  const contents = new Map<ProvenLeaf, LeafContent>()
  for (const { leaf, path, facts } of leavesOf(statement as Statement)) {
    const content = readCanonical(leaf.content)
    const wrong =
      problemOf(leafShape, content, path) ??
      (facts && problemOf(facts, (content as LeafContent).facts, `${path}.facts`))
    if (wrong) return wrong
    contents.set(leaf, content as LeafContent)
  }
  const receipt: ReadReceipt = {
    statement: statement as Statement,
    contentOf(leaf) {
      const content = contents.get(leaf)
      if (content === undefined) throw new Error('a leaf of another receipt')
      return content
    },
  }
  const { content } = receipt.statement.predicate.request
  if (content !== null) {
    const wrong = problemOf(contentShape, readCanonical(content), 'predicate.request.content')
    if (wrong !== null) return wrong
  }
  return { receipt }
}

interface PlacedLeaf {
  readonly leaf: ProvenLeaf
  readonly path: string
  /** Null where the facts are not looked at. */
  readonly facts: Form | null
}

/** Every leaf of a receipt, with where it stands. */
export function leavesOf({ predicate }: Statement): readonly PlacedLeaf[] {
  const { request, policy, votes, changes, names } = predicate
  const named = (list: 'principals' | 'groups') =>
    names[list].map(({ leaf }, at) => ({ leaf, path: `names.${list}[${at}].leaf`, facts: null }))
  return [
    { leaf: request.leaf, path: 'request.leaf', facts: requestFactsShape },
    { leaf: policy.leaf, path: 'policy.leaf', facts: null },
    ...votes.map(({ leaf }, at) => ({ leaf, path: `votes[${at}].leaf`, facts: voteFactsShape })),
    ...changes.map(({ kind, leaf }, at) => ({ leaf, path: `changes[${at}].leaf`, facts: changeFactsShape(kind) })),
    ...named('principals'),
    ...named('groups'),
  ]
}

function foreignVersion(statement: unknown): { failure: Failure } | null {
  const { _type, predicateType } = Object(statement) as Partial<Statement>
  if (typeof _type === 'string' && _type !== inTotoStatement) {
    return { failure: failure('unknown-version', `The statement is of type ${quoted(_type)}.`) }
  }
  if (typeof predicateType === 'string' && predicateType !== receiptType) {
    return { failure: failure('unknown-version', `The predicate is of type ${quoted(predicateType)}.`) }
  }
  return null
}

function problemOf(form: Form, value: unknown, path: string): { failure: Failure } | null {
  if (value === undefined) return malformed(`${path} must be canonical JSON.`)
  const problem = form(value)
  return problem === null ? null : malformed(`${path}${problem.path} ${problem.reason}.`)
}

function malformed(detail: string): { failure: Failure } {
  return { failure: failure('malformed', detail) }
}
