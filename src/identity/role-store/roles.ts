import { appendLeaf } from '../../audit/append.ts'
import { canonicalJson, type LeafActor } from '../../audit/leaf.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { Db, Tx } from '../../store/open.ts'
import {
  findRoleNamed,
  insertRole,
  lockRole,
  markRoleDeleted,
  updateRole,
  type RoleColumns,
  type RoleRow,
} from '../../store/roles.ts'
import { leafActorOf, type Caller } from '../actor.ts'
import { administer } from '../administer.ts'
import { endGrantsOf } from '../grants/end-grant.ts'

export interface RoleInput {
  readonly name: string
  /** Empty for none. */
  readonly comment: string
  /** Without duplicates. */
  readonly permissions: readonly string[]
  /** What is kept only to be shown again. */
  readonly shown: Readonly<Record<string, unknown>>
}

/** @returns its id @throws AppError REQUESTOR_NOT_AUTHORIZED, ACCESS_ROLE_ALREADY_EXISTS */
export async function createRole(ctx: Ctx, caller: Caller, input: RoleInput): Promise<string> {
  return await administer(ctx, caller, async (tx, actor) => {
    await refuseTaken(tx, actor.orgId, input.name, null)
    const role = { orgId: actor.orgId, id: ctx.newId(), input, isSystem: false }
    await addRole(ctx, tx, leafActorOf(actor), role)
    return role.id
  })
}

export interface NewRole {
  readonly orgId: string
  readonly id: string
  readonly input: RoleInput
  readonly isSystem: boolean
}

export async function addRole(
  ctx: Pick<Ctx, 'clock' | 'keys'>,
  tx: Tx,
  actor: LeafActor,
  role: NewRole,
): Promise<void> {
  const { orgId, id, input, isSystem } = role
  const at = ctx.clock.now()
  const columns = columnsOf(input, isSystem)
  await insertRole(tx, { org_id: orgId, id, ...columns, created_at: at, updated_at: at })
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'group.created',
    subjectId: id,
    actor,
    at,
    facts: { dialect: 'privx', permissions: input.permissions },
    privateText: textsIn(input, isSystem),
  })
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, ACCESS_ROLE_NOT_FOUND, ACCESS_ROLE_ALREADY_EXISTS, ACCESS_ROLE_IS_SYSTEM */
export async function changeRole(ctx: Ctx, caller: Caller, id: string | null, input: RoleInput): Promise<void> {
  await administer(ctx, caller, async (tx, actor) => {
    const { orgId } = actor
    const role = await requireRole(tx, orgId, id)
    const isSystem = isSystemRole(role)
    if (isSystem && !isSameRole(role, input)) throw new AppError('ACCESS_ROLE_IS_SYSTEM')
    await refuseTaken(tx, orgId, input.name, role.id)
    const at = ctx.clock.now()
    const columns = columnsOf(input, isSystem)
    await updateRole(tx, orgId, role.id, columns, at)
    await appendLeaf(ctx, tx, {
      orgId,
      kind: 'group.changed',
      subjectId: role.id,
      actor: leafActorOf(actor),
      at,
      facts: { permissions: input.permissions },
      privateText: textsIn(input, isSystem),
    })
  })
}

/**
 * Takes the role from everyone and out of use. Its name stays, for what refers to it.
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, ACCESS_ROLE_NOT_FOUND, ACCESS_ROLE_IS_SYSTEM
 */
export async function deleteRole(ctx: Ctx, caller: Caller, id: string | null): Promise<void> {
  await administer(ctx, caller, async (tx, actor) => {
    const { orgId } = actor
    const role = await requireRole(tx, orgId, id)
    if (isSystemRole(role)) throw new AppError('ACCESS_ROLE_IS_SYSTEM')
    const [at, by] = [ctx.clock.now(), leafActorOf(actor)]
    await endGrantsOf(ctx, tx, { orgId, of: { groupId: role.id }, actor: by, because: 'role-deleted', at })
    await markRoleDeleted(tx, orgId, role.id, at)
    await appendLeaf(ctx, tx, { orgId, kind: 'group.deleted', subjectId: role.id, actor: by, at, facts: {} })
  })
}

export function isSystemRole({ attributes }: Pick<RoleRow, 'attributes'>): boolean {
  return attributes['system'] === true
}

async function requireRole(tx: Tx, orgId: string, id: string | null): Promise<RoleRow> {
  const role = id === null ? undefined : await lockRole(tx, orgId, id)
  if (role === undefined) throw new AppError('ACCESS_ROLE_NOT_FOUND')
  return role
}

async function refuseTaken(db: Db, orgId: string, name: string, except: string | null): Promise<void> {
  const taken = await findRoleNamed(db, orgId, name)
  if (taken !== undefined && taken.id !== except) {
    throw new AppError('ACCESS_ROLE_ALREADY_EXISTS', undefined, { field: 'name' })
  }
}

function columnsOf(input: RoleInput, isSystem: boolean): RoleColumns {
  const { name, comment, permissions } = input
  const attributes = JSON.stringify(attributesOf(input, isSystem))
  return { name, description: comment === '' ? null : comment, permissions, attributes }
}

/** As leaves commit to them. */
function textsIn(input: RoleInput, isSystem: boolean) {
  const { name, description } = columnsOf(input, isSystem)
  return { name, description, attributes: canonicalJson(attributesOf(input, isSystem)) }
}

function attributesOf({ shown }: RoleInput, isSystem: boolean) {
  return { ...shown, ...(isSystem && { system: true }) }
}

function isSameRole(role: RoleRow, { name, permissions }: RoleInput): boolean {
  return role.name === name && role.permissions.toSorted().join() === permissions.toSorted().join()
}
