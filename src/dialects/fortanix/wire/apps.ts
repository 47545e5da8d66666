import { appPermissions, type ShownApp } from '../../../custody/app.ts'
import type { NewApp } from '../../../custody/apps.ts'
import type { Creator } from '../../../custody/creator.ts'
import type { AppSecret } from '../../../custody/operations/app-secret.ts'
import type { AppInput } from '../../../custody/operations/update-app.ts'
import type { AppGroup } from '../../../store/fortanix-apps.ts'
import { readBody, readOptionalBody, type Members } from '../../shared/members.ts'
import { renderCreator } from './creator.ts'
import { renderTime } from './times.ts'

const maxName = 256
const roles = ['crypto', 'admin'] as const

/** @throws AppError INVALID_MEMBER */
export function parseNewApp(body: unknown): NewApp {
  return readBody(body, (members) => {
    refuseCredential(members)
    return {
      name: members.neededText('name', { max: maxName }),
      description: members.text('description'),
      appType: members.text('app_type', { max: maxName }) ?? 'default',
      role: members.choice('role', roles) ?? 'crypto',
      groups: groupsIn(members, 'add_groups'),
      defaultGroup: members.uuid('default_group'),
    }
  })
}

/** What is absent stays. @throws AppError INVALID_MEMBER */
export function parseApp(id: string, body: unknown): AppInput {
  return readOptionalBody(body, (members) => {
    refuseCredential(members)
    const name = members.text('name', { min: 1, max: maxName })
    const description = members.text('description')
    const isEnabled = members.optionalFlag('enabled')
    const defaultGroup = members.uuid('default_group')
    return {
      id,
      ...(name !== null && { name }),
      ...(description !== null && { description }),
      ...(isEnabled !== null && { isEnabled }),
      ...(defaultGroup !== null && { defaultGroup }),
      addGroups: groupsIn(members, 'add_groups'),
      modGroups: groupsIn(members, 'mod_groups'),
      delGroups: members.uuids('del_groups'),
    }
  })
}

function refuseCredential(members: Members): void {
  if (members.has('credential')) members.complain('credential', 'is made by the server, and is a secret')
}

/** `{group: [permission, …]}`. */
function groupsIn(members: Members, name: string): readonly AppGroup[] {
  const groups = members.byUuid(name, (permissions, id) => {
    const wanted = permissions.choices(id, appPermissions)
    return appPermissions.filter((permission) => wanted.includes(permission))
  })
  return [...(groups ?? [])].map(([groupId, permissions]) => ({ groupId, permissions }))
}

/** `group_permissions=true` in a query. */
export function wantsPermissions(query: unknown): boolean {
  return (query as Readonly<Record<string, unknown>>)['group_permissions'] === 'true'
}

/** @param withPermissions what it may in each of its groups; without, a list of these */
export function renderApp({ app, groups }: ShownApp, withPermissions: boolean): object {
  const permitted = groups.map(({ groupId, permissions }) => [groupId, permissions])
  return {
    acct_id: app.org_id,
    app_id: app.principal_id,
    app_type: app.app_type,
    name: app.name,
    ...(app.description !== null && { description: app.description }),
    enabled: app.is_enabled,
    auth_type: 'Secret',
    role: app.role,
    groups: withPermissions ? (Object.fromEntries(permitted) as object) : groups.map(({ groupId }) => groupId),
    ...(app.default_group !== null && { default_group: app.default_group }),
    created_at: renderTime(app.created_at),
    creator: renderCreator(app.creator as Creator),
  }
}

export function renderAppSecret({ id, secret }: AppSecret): object {
  return { app_id: id, credential: { secret } }
}
