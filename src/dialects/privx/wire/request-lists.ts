import { everythingIn, type RequestSearch } from '../../../access/read-requests.ts'
import { invalidMember } from '../../../errors.ts'
import type { AccessRequestOrder, Queue } from '../../../store/privx-requests.ts'
import { parseListQuery, queryText } from './lists.ts'
import { readBody } from '../../shared/members.ts'

const sortKeys = [
  'created',
  'id',
  'name',
  'updated',
  'status',
  'action',
  'requester',
  'target_user',
  'requested_role',
] as const

export interface RequestListQuery {
  readonly order: AccessRequestOrder
  readonly range: { readonly offset: number; readonly limit: number }
}

/** The newest first, unless it says otherwise (contract privx §3). */
export function parseRequestListQuery(query: unknown): RequestListQuery {
  const byDefault = { sortKey: 'created', isDescending: true } as const
  const { offset, limit, sortKey, isDescending } = parseListQuery(query, { sortKeys, byDefault })
  return { order: { key: sortKey, direction: isDescending ? 'desc' : 'asc' }, range: { offset, limit } }
}

const queues: Readonly<Record<string, Queue>> = {
  requests: { kind: 'made', onlyOpen: false },
  active_requests: { kind: 'made', onlyOpen: true },
  approvals: { kind: 'to-decide', onlyOpen: false },
  active_approvals: { kind: 'to-decide', onlyOpen: true },
  all: { kind: 'all' },
}

/** The filter that a list needs. */
export function parseQueue(query: unknown): RequestSearch {
  return everythingIn(queueOf(queryText(query, 'filter') ?? ''))
}

/** What to search for: a filter of the query wins over that of the body, since the stock Go client can send both. */
export function parseSearch(query: unknown, body: unknown): RequestSearch {
  return readBody(body ?? {}, (members) => {
    const ofBody = members.text('filter') ?? ''
    const filter = queryText(query, 'filter') ?? (ofBody === '' ? 'all' : ofBody)
    const keywords = members.text('keywords') ?? ''
    return {
      queue: queueOf(filter),
      keywords: keywords === '' ? null : keywords,
      from: members.time('start_time'),
      to: members.time('end_time'),
    }
  })
}

/** @throws AppError INVALID_MEMBER */
function queueOf(filter: string): Queue {
  const name = filter.toLowerCase()
  const queue = Object.hasOwn(queues, name) ? queues[name] : undefined
  if (queue === undefined) {
    const names = Object.keys(queues).join(', ')
    throw invalidMember('filter', `must be one of ${names}`)
  }
  return queue
}
