import type { ToldRequest } from './replay-requests.ts'
import type { ToldLeaf } from './told-leaf.ts'
import type { ToldRow } from './told-table.ts'

/** The operation that a request is for, as the leaves of the request tell of it up to now. */
export interface ToldOperation {
  /** Without its query. */
  readonly path: unknown
  readonly row: ToldRow
  /** What came with approvals, by who approved. */
  readonly contributions: ReadonlyMap<string, ToldRow>
}

/** Takes in the next leaf of the request. @param told null until it is told that there is an operation */
export function replayOperation(
  told: ToldOperation | null,
  leaf: ToldLeaf,
  request: ToldRequest,
): ToldOperation | null {
  if (leaf.kind === 'operation.requested') return told ?? asked(leaf, request)
  return told === null ? null : changed(told, leaf)
}

function asked({ facts, at }: ToldLeaf, request: ToldRequest): ToldOperation {
  const { kind, id } = facts['requester'] as Approver
  const [subjects, reviewers] = [facts['subjects'] as readonly Approver[], facts['reviewers'] as readonly Approver[]]
  return {
    path: facts['path'],
    contributions: new Map(),
    row: {
      requester_kind: kind,
      requester_id: id,
      method: facts['method'],
      subjects,
      subject_ids: subjects.map((subject) => subject.id),
      reviewers,
      reviewer_ids: reviewers.map((reviewer) => reviewer.id),
      execution: 'waiting',
      created_at: at,
      expires_at: request.row['expires_at'],
      is_sensitive: facts['isSensitive'],
      result_status: null,
      result: null,
      executed_at: null,
      is_result_viewed: false,
    },
  }
}

interface Approver {
  readonly kind: string
  readonly id: string
}

function changed(told: ToldOperation, leaf: ToldLeaf): ToldOperation {
  const { kind, facts, at, actor } = leaf
  const now = (row: ToldRow): ToldOperation => ({ ...told, row: { ...told.row, ...row } })
  switch (kind) {
    case 'vote.cast':
      return facts['to'] === 'rejected' ? now({ execution: 'denied' }) : told
    case 'operation.contributed': {
      const sent = [actor.id ?? '', { body: facts['bodyHmac'] }] as const
      return { ...told, contributions: new Map([...told.contributions, sent]) }
    }
    case 'operation.due':
      return now({ execution: 'due', expires_at: new Date(facts['expiresAt'] as string) })
    case 'operation.executed':
      return now({
        execution: facts['execution'],
        result_status: facts['status'],
        result: facts['resultHmac'],
        executed_at: at,
      })
    case 'operation.result-read':
      return now({ is_result_viewed: true })
    default:
      return told
  }
}
