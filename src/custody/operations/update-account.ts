import { appendLeaf } from '../../audit/append.ts'
import { AppError } from '../../errors.ts'
import { lockAccount, renameOrganization, updateAccount, type AccountRow } from '../../store/fortanix-accounts.ts'
import { requireAdministrator } from '../account-rights.ts'
import { leafActorOf } from '../caller.ts'
import type { Operation } from '../perform.ts'
import { requireApprovers, type AccountConcern, type AccountPolicy } from '../policies.ts'
import { tellPolicy } from '../tell-policy.ts'

/** What is undefined stays. */
export interface AccountInput {
  readonly name?: string
  readonly description?: string
  readonly requestSeconds?: number
  readonly retainsExpired?: boolean
  readonly logsExpired?: boolean
  readonly checksSensitive?: boolean
  /** Null takes it away. */
  readonly policy?: AccountPolicy | null
  /** What of it is touched that this server keeps nothing of, but which a policy may protect. */
  readonly alsoTouches?: readonly AccountConcern[]
}

/** Contract fortanix §4.2, §4.4. */
export const updateAccountOperation: Operation<AccountInput & { readonly id: string }, AccountRow> = {
  async check(_ctx, tx, caller, { id, policy, alsoTouches = [] }) {
    const { orgId } = await requireAdministrator(tx, caller)
    if (id !== orgId) throw new AppError('ACCOUNT_NOT_FOUND')
    await lockAccount(tx, orgId)
    if (policy !== undefined && policy !== null) await requireApprovers(tx, orgId, policy.policy)
    return {
      orgId,
      subjects: [{ kind: 'account', id }],
      account: policy === undefined ? alsoTouches : [...alsoTouches, 'policy'],
      groups: [],
      isSensitive: false,
    }
  },

  async run(ctx, tx, caller, { id, policy, name, description, ...settings }) {
    const admin = await requireAdministrator(tx, caller)
    const at = ctx.clock.now()
    const { requestSeconds, retainsExpired, logsExpired, checksSensitive } = settings
    await updateAccount(tx, id, {
      updated_at: at,
      ...(description !== undefined && { description }),
      ...(requestSeconds !== undefined && { request_seconds: requestSeconds }),
      ...(retainsExpired !== undefined && { retains_expired: retainsExpired }),
      ...(logsExpired !== undefined && { logs_expired: logsExpired }),
      ...(checksSensitive !== undefined && { checks_sensitive: checksSensitive }),
      ...(policy !== undefined && {
        policy: policy === null ? null : JSON.stringify(policy.policy),
        protects: [...(policy?.protects ?? [])],
      }),
    })
    if (name !== undefined) await renameOrganization(tx, id, name)
    await appendLeaf(ctx, tx, {
      orgId: id,
      kind: 'account.changed',
      subjectId: id,
      actor: leafActorOf(admin),
      at,
      facts: {
        ...(requestSeconds !== undefined && { requestSeconds }),
        ...(retainsExpired !== undefined && { retainsExpired }),
        ...(logsExpired !== undefined && { logsExpired }),
        ...(checksSensitive !== undefined && { checksSensitive }),
      },
      privateText: { name, description },
    })
    if (policy !== undefined) await tellPolicy(ctx, tx, admin, { kind: 'account', id }, policy)
    const account = await lockAccount(tx, id)
    if (account === undefined) throw new Error(`account ${id} is gone`)
    return account
  },
}
