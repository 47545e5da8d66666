import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { findApp } from '../../store/fortanix-apps.ts'
import { lockCustodyGroup } from '../../store/fortanix-groups.ts'
import { findKey, insertKey, type KeyRow } from '../../store/fortanix-keys.ts'
import type { Tx } from '../../store/open.ts'
import { transact } from '../../store/unit-of-work.ts'
import { requireMember, type Member } from '../account-rights.ts'
import type { CustodyCaller } from '../caller.ts'
import { creatorOf } from '../creator.ts'
import { generateKey } from '../crypto/generate.ts'
import { importKey } from '../crypto/import.ts'
import type { KeyMaterial, KeyShape } from '../crypto/key-material.ts'
import { requireVisibleGroup } from '../group-rights.ts'
import { policyOfGroup } from '../policies.ts'
import { requireKeysIn } from '../rights.ts'
import { defaultOperations, type KeyOperation } from './key-operations.ts'
import { columnsOf } from './stored-key.ts'
import { factsOf, tellKey } from './tell-key.ts'

export interface NewKey {
  readonly name: string
  readonly description: string | null
  /** Null for the one that an app makes its keys in. */
  readonly groupId: string | null
  /** Null for those of its kind. */
  readonly operations: readonly KeyOperation[] | null
  readonly isEnabled: boolean
}

/**
 * Makes a key of the server's own. What is random takes its time, and is made outside of any transaction.
 * @throws AppError CRYPTO_INPUT_INVALID, GROUP_NOT_FOUND, REQUESTOR_NOT_AUTHORIZED, APPROVAL_REQUIRED, KEY_ALREADY_EXISTS
 */
export async function createKey(ctx: Ctx, caller: CustodyCaller, key: NewKey, shape: KeyShape): Promise<KeyRow> {
  await transact(ctx, null, async (tx) => await requireMayMake(tx, caller, key))
  const material = await generateKey(shape)
  return await keep(ctx, caller, key, material, 'FortanixHSM')
}

/** Takes in a key that was made elsewhere. @throws as `createKey`, and KEY_MATERIAL_INVALID */
export async function takeKey(
  ctx: Ctx,
  caller: CustodyCaller,
  key: NewKey,
  kind: KeyShape['kind'],
  value: Buffer,
): Promise<KeyRow> {
  return await keep(ctx, caller, key, importKey(kind, value), 'External')
}

async function requireMayMake(tx: Tx, caller: CustodyCaller, { groupId: wanted }: NewKey) {
  const member = await requireMember(tx, caller)
  const groupId = wanted ?? (await ownGroup(tx, member))
  if (groupId === null) throw new AppError('INVALID_MEMBER', 'group_id is needed.', { field: 'group_id' })
  // A group is not taken out of use while keys come into it.
  await lockCustodyGroup(tx, member.orgId, groupId)
  const group = await requireVisibleGroup(tx, member, groupId)
  await requireKeysIn(tx, member, groupId, ['CREATE_SOBJECTS'])
  // Only where it is named: nobody can ask for it, so that no key would ever come into a group that protects all (divergences.md).
  if (policyOfGroup(group)?.protects?.includes('CREATE_SOBJECTS') === true) throw new AppError('APPROVAL_REQUIRED')
  return { member, groupId }
}

async function ownGroup(tx: Tx, { orgId, principalId, role }: Member): Promise<string | null> {
  if (role !== 'app') return null
  return (await findApp(tx, orgId, principalId))?.default_group ?? null
}

async function keep(
  ctx: Ctx,
  caller: CustodyCaller,
  key: NewKey,
  material: KeyMaterial,
  origin: string,
): Promise<KeyRow> {
  return await transact(ctx, null, async (tx) => {
    const { member, groupId } = await requireMayMake(tx, caller, key)
    const { orgId } = member
    const [id, at] = [ctx.newId(), ctx.clock.now()]
    await insertKey(tx, {
      org_id: orgId,
      id,
      group_id: groupId,
      name: key.name,
      description: key.description,
      ...columnsOf(ctx, material),
      operations: [...(key.operations ?? defaultOperations[material.kind])],
      is_enabled: key.isEnabled,
      state: 'Active',
      origin,
      creator: JSON.stringify(creatorOf(member)),
      created_at: at,
      updated_at: at,
    })
    const made = await findKey(tx, orgId, { id })
    if (made === undefined) throw new Error('the key that was made is gone')
    const { name, description } = key
    const facts = { ...factsOf(ctx, made), origin }
    await tellKey(ctx, tx, member, made, { kind: 'key.created', at, facts, privateText: { name, description } })
    return made
  })
}
