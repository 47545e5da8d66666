import { deleteKey, lockKey, updateKey, type KeyChange } from '../../store/fortanix-keys.ts'
import { requireMember } from '../account-rights.ts'
import type { AppPermission } from '../app.ts'
import { refuse } from '../crypto/refuse.ts'
import { factsOf, tellKey } from '../keys/tell-key.ts'
import type { Operation } from '../perform.ts'
import type { GroupPermission } from '../policies.ts'
import { requireKeyManagement, requireVisibleKey } from '../rights.ts'
import { touchingKey } from './use-key.ts'

interface Named {
  readonly id: string
}

type Ending = Pick<Operation<Named, null>, 'check'>

const ending = (permission: GroupPermission & AppPermission): Ending => ({
  async check(_ctx, tx, caller, named) {
    const member = await requireMember(tx, caller)
    const key = await requireVisibleKey(tx, member, await lockKey(tx, member.orgId, named))
    await requireKeyManagement(tx, member, key, [permission])
    return touchingKey(key, permission)
  },
})

/** Takes a key out of the account, with all that was encrypted with it. */
export const deleteKeyOperation: Operation<Named, null> = {
  ...ending('DELETE_SOBJECTS'),
  async run(ctx, tx, caller, named) {
    const member = await requireMember(tx, caller)
    const key = await requireVisibleKey(tx, member, await lockKey(tx, member.orgId, named))
    await deleteKey(tx, member.orgId, key.id)
    const facts = { group: key.group_id }
    await tellKey(ctx, tx, member, key, { kind: 'key.deleted', at: ctx.clock.now(), facts })
    return null
  },
}

/** Forgets what a key is made of, and keeps that it was there. */
export const destroyKeyOperation = changing('DESTROY_SOBJECTS', () => ({
  state: 'Destroyed',
  material: null,
  public_key: null,
}))

export interface ToRevoke extends Named {
  readonly isCompromised: boolean
}

/** From now on the key makes nothing new; what it made can be opened and verified. */
export const revokeKeyOperation = changing('REVOKE_SOBJECTS', ({ isCompromised }: ToRevoke) => ({
  state: isCompromised ? 'Compromised' : 'Deactivated',
}))

/** Keeps the public half alone. */
export const removePrivateOperation = changing('DELETE_KEY_MATERIAL', (_input: Named, hasPublicKey) => {
  if (!hasPublicKey) refuse('The key has no public half.')
  return { material: null }
})

function changing<Input extends Named>(
  permission: GroupPermission & AppPermission,
  changeOf: (input: Input, hasPublicKey: boolean) => Omit<KeyChange, 'updated_at'>,
): Operation<Input, null> {
  return {
    ...ending(permission),
    async run(ctx, tx, caller, input) {
      const member = await requireMember(tx, caller)
      const key = await requireVisibleKey(tx, member, await lockKey(tx, member.orgId, input))
      if (key.state === 'Destroyed') refuse('The key is destroyed.')
      const change = { ...changeOf(input, key.public_key !== null), updated_at: ctx.clock.now() }
      const changed = await updateKey(tx, member.orgId, key.id, change)
      await tellKey(ctx, tx, member, changed, {
        kind: 'key.changed',
        at: change.updated_at,
        facts: factsOf(ctx, changed),
      })
      return null
    },
  }
}
