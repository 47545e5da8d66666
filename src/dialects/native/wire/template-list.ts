import type { PolicyPage, PolicyQuery } from '../../../approvals/list-policies.ts'
import { idOrName } from './ids.ts'
import { cappedAt, parsePage } from './pages.ts'
import { chosenParameters, textParameter } from './query.ts'
import { refuse, type JsonObject } from './read.ts'
import { templateStatus } from './templates.ts'

type Filter = PolicyQuery['filter']
type Order = PolicyQuery['order'][number]

const statuses: Readonly<Record<string, Filter['statuses'][number]>> = {
  ACTIVE: 'active',
  PENDING_DEPRECATION: 'pending-deprecation',
  DEPRECATED: 'deprecated',
}
const sortKeys: Readonly<Record<string, Order['by']>> = {
  VERSION: 'version',
  UPDATED_AT: 'updated_at',
  CREATED_AT: 'created_at',
}
const directions: Readonly<Record<string, Order['direction']>> = { ASC: 'asc', DESC: 'desc' }
const searchModes = { CONTAINS: { shortest: 3 }, EXACT: { shortest: 1 } } as const

/** Reads the query of a template list (contract §1.5). @throws AppError with the codes of that row */
export function parseTemplateQuery(query: JsonObject): PolicyQuery {
  return { ...parsePage(query, cappedAt(1000)), filter: parseFilter(query), order: parseOrder(query) }
}

function parseFilter(query: JsonObject): Filter {
  const name = parseSearch(query)
  const space = textParameter(query, 'spaceIdentifier', 'INVALID_SPACE_IDENTIFIER')
  const sent = chosenParameters(query, 'status', statuses, 'INVALID_STATUS')
  return {
    name,
    space: space === null ? undefined : idOrName(space),
    statuses: sent.length === 0 ? ['active'] : sent,
  }
}

function parseSearch(query: JsonObject): Filter['name'] {
  const { search, searchMode: mode = 'CONTAINS' } = query
  if (search !== undefined && typeof search !== 'string') return refuse('INVALID_SEARCH', 'search')
  if (mode !== 'CONTAINS' && mode !== 'EXACT') return refuse('INVALID_SEARCH_MODE', 'searchMode')
  if (search === undefined) return undefined
  if (search.length < searchModes[mode].shortest) return refuse('INVALID_SEARCH_LENGTH', 'search')
  return mode === 'EXACT' ? { is: search } : { contains: search }
}

function parseOrder(query: JsonObject): PolicyQuery['order'] {
  const keys = chosenParameters(query, 'sortBy', sortKeys, 'INVALID_SORT_BY')
  const sent = chosenParameters(query, 'sortDirection', directions, 'INVALID_SORT_DIRECTION')
  if (sent.length > 0 && keys.length === 0) refuse('SORT_DIRECTION_WITHOUT_SORT_BY', 'sortDirection')
  if (sent.length > keys.length) refuse('SORT_DIRECTION_LENGTH_MISMATCH', 'sortDirection')
  return keys.map((by, index) => ({ by, direction: sent[index] ?? 'asc' }))
}

/** Renders a page of TemplateSummary (contract §2.2, §2.10). */
export function renderTemplatePage({ policies, total }: PolicyPage, { page, limit }: PolicyQuery): object {
  return {
    data: policies.map((policy) => ({
      id: policy.id,
      name: policy.name,
      version: String(policy.version),
      ...(policy.description !== null && { description: policy.description }),
      status: templateStatus[policy.status],
      createdAt: policy.created_at.toISOString(),
      updatedAt: policy.updated_at.toISOString(),
    })),
    pagination: { total, page, limit },
  }
}
