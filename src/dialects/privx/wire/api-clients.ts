import type { ClientPair } from '../../../config/privx-clients.ts'
import type { ApiClientInput, ShownApiClient } from '../../../identity/role-store/api-clients.ts'
import type { ClientSlice } from '../../../store/api-clients.ts'
import { byName, parseListQuery } from './lists.ts'
import { readBody } from '../../shared/members.ts'
import { parseRolesOf } from './roles.ts'
import { renderTime } from '../../shared/times.ts'

/** @throws AppError INVALID_MEMBER */
export function parseApiClient(body: unknown): ApiClientInput {
  return readBody(body, (members) => ({
    name: members.neededText('name', { max: 512 }),
    roles: parseRolesOf(members),
  }))
}

export interface ClientSearch {
  /** Null for any. */
  readonly keywords: string | null
  readonly slice: ClientSlice
}

/** @throws AppError INVALID_MEMBER */
export function parseClientList(query: unknown): ClientSearch {
  return { keywords: null, slice: parseListQuery(query, byName) }
}

/** The stock Go client sends in the body what other lists have in the query, which wins. @throws AppError INVALID_MEMBER */
export function parseClientSearch(query: unknown, body: unknown): ClientSearch {
  const { keywords, ...asked } = readBody(body ?? {}, (members) => ({
    keywords: members.text('keywords') ?? '',
    sortkey: members.text('sortkey') ?? '',
    sortdir: members.text('sortdir') ?? '',
    offset: members.integer('offset', { max: Number.MAX_SAFE_INTEGER })?.toString() ?? '',
    limit: members.integer('limit')?.toString() ?? '',
  }))
  const slice = parseListQuery({ ...asked, ...(query as object) }, byName)
  return { keywords: keywords === '' ? null : keywords, slice }
}

/** With its secrets: only an administrator is shown this. `id` is what it signs in with, unless the configuration says otherwise. */
export function renderApiClient({ client, secret, grants }: ShownApiClient, oauthClient: ClientPair | null): object {
  return {
    id: client.id,
    name: client.name,
    secret,
    ...(client.client_id !== client.id && { client_id: client.client_id }),
    oauth_client_id: oauthClient?.id ?? '',
    oauth_client_secret: oauthClient?.secret ?? '',
    roles: grants.map(({ group_id, group_name }) => ({ id: group_id, name: group_name })),
    created: renderTime(client.created_at),
    updated: renderTime(client.changed_at),
  }
}
