import type { ClientPair } from '../../../config/privx-clients.ts'
import type { ApiClientInput, ShownApiClient } from '../../../identity/role-store/api-clients.ts'
import { readBody } from '../../shared/members.ts'
import { parseHeldRole } from './roles.ts'
import { renderTime } from '../../shared/times.ts'

/** @throws AppError INVALID_MEMBER */
export function parseApiClient(body: unknown): ApiClientInput {
  return readBody(body, (members) => ({
    name: members.neededText('name', { max: 512 }),
    roles: members.list('roles', parseHeldRole).filter((role) => role !== null),
  }))
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
