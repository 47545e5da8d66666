import { appendLeaf } from '../audit/append.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { newClientSecret } from '../identity/credentials/client-secret.ts'
import { shutOut } from '../identity/credentials/shut-out.ts'
import { addApiClient } from '../identity/role-store/api-clients.ts'
import {
  deleteApp as forgetApp,
  findGroupsOfApps,
  insertApp,
  listApps as findApps,
  replaceAppGroups,
  type AppGroup,
  type AppRow,
  type AppSlice,
} from '../store/fortanix-apps.ts'
import { endCustodySessions } from '../store/fortanix-sessions.ts'
import { transact } from '../store/unit-of-work.ts'
import { lockFacts } from '../store/fact-locks.ts'
import { requireMember } from './account-rights.ts'
import {
  requireGroups,
  requireManagedApp,
  requireOwnGroups,
  requireVisibleApp,
  tellApp,
  touchingApp,
  type ShownApp,
} from './app.ts'
import { leafActorOf, type CustodyCaller } from './caller.ts'
import { creatorOf } from './creator.ts'
import { visibleGroups } from './group-rights.ts'
import { requireNoPolicy } from './policies.ts'

export interface NewApp {
  readonly name: string
  readonly description: string | null
  readonly appType: string
  readonly role: 'admin' | 'crypto'
  readonly groups: readonly AppGroup[]
  /** Null for the only group, if there is one. */
  readonly defaultGroup: string | null
}

/**
 * Makes a machine that signs in by its id and a secret.
 * @returns its id
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, GROUP_NOT_FOUND, APP_ALREADY_EXISTS, INVALID_MEMBER
 */
export async function createApp(ctx: Ctx, caller: CustodyCaller, input: NewApp): Promise<string> {
  return await transact(ctx, null, async (tx) => {
    const creator = await requireMember(tx, caller)
    const { orgId } = creator
    const groupIds = input.groups.map(({ groupId }) => groupId)
    await requireGroups(tx, creator, groupIds)
    await requireOwnGroups(tx, creator, input.groups)
    const defaultGroup = input.defaultGroup ?? (groupIds.length === 1 ? (groupIds[0] ?? null) : null)
    requireAmong(defaultGroup, input.groups)
    const [id, at] = [ctx.newId(), ctx.clock.now()]
    const client = { orgId, id, clientId: id, name: input.name, secret: newClientSecret() }
    await addApiClient(ctx, tx, leafActorOf(creator), client)
    const app: AppRow = {
      org_id: orgId,
      principal_id: id,
      name: input.name,
      description: input.description,
      app_type: input.appType,
      role: input.role,
      default_group: defaultGroup,
      is_enabled: true,
      creator: creatorOf(creator),
      created_at: at,
      updated_at: at,
    }
    await insertApp(tx, { ...app, creator: JSON.stringify(app.creator) })
    await replaceAppGroups(tx, orgId, id, input.groups)
    await tellApp(ctx, tx, creator, 'app.created', { app, groups: input.groups })
    return id
  })
}

/** @throws AppError INVALID_MEMBER */
export function requireAmong(defaultGroup: string | null, groups: readonly AppGroup[]): void {
  if (defaultGroup === null || groups.some(({ groupId }) => groupId === defaultGroup)) return
  throw new AppError('INVALID_MEMBER', 'default_group must be one of the groups of the app.', {
    field: 'default_group',
  })
}

/** Those that the caller sees. @throws AppError as `requireMember` does */
export async function listApps(
  ctx: Ctx,
  caller: CustodyCaller,
  slice: Omit<AppSlice, 'groupIds' | 'id'>,
): Promise<ShownApp[]> {
  const member = await requireMember(ctx.db, caller)
  const { orgId, role, principalId } = member
  const seen =
    role === 'app' ? { groupIds: null, id: principalId } : { groupIds: await visibleGroups(ctx.db, member), id: null }
  const apps = await findApps(ctx.db, orgId, { ...slice, ...seen })
  const groups = await findGroupsOfApps(
    ctx.db,
    orgId,
    apps.map(({ principal_id: id }) => id),
  )
  return apps.map((app) => ({ app, groups: groups.get(app.principal_id) ?? [] }))
}

/** @throws AppError APP_NOT_FOUND, and as `requireMember` does */
export async function readApp(ctx: Ctx, caller: CustodyCaller, id: string): Promise<ShownApp> {
  return await requireVisibleApp(ctx.db, await requireMember(ctx.db, caller), id)
}

/**
 * Removes an app for good. It cannot be asked for: whoever wants it takes it out of protected groups first.
 * @throws AppError APP_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED, APPROVAL_REQUIRED
 */
export async function deleteApp(ctx: Ctx, caller: CustodyCaller, id: string): Promise<void> {
  await transact(ctx, null, async (tx) => {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    await lockFacts(tx, orgId)
    const { groups } = await requireManagedApp(tx, member, id)
    const ids = groups.map(({ groupId }) => groupId)
    await requireNoPolicy(tx, orgId, touchingApp(orgId, id, ids))
    const actor = leafActorOf(member)
    const at = await shutOut(ctx, tx, { orgId, principalId: id, actor })
    await endCustodySessions(tx, { principalId: id }, null, at)
    await forgetApp(tx, orgId, id)
    await appendLeaf(ctx, tx, { orgId, kind: 'api-client.removed', subjectId: id, actor, at, facts: {} })
  })
}
