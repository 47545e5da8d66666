import { appendLeaf } from '../../audit/append.ts'
import { secretHmac } from '../../audit/leaf-hmac.ts'
import { seal, unseal } from '../../config/secrets.ts'
import { hashOfClientSecret, newClientSecret } from '../../identity/credentials/client-secret.ts'
import { updateCredential } from '../../store/credentials.ts'
import { findAppWithSecret, findPoliciesNaming } from '../../store/fortanix-apps.ts'
import { endCustodySessions } from '../../store/fortanix-sessions.ts'
import { requireMember } from '../account-rights.ts'
import { requireManagedApp, touchingApp, type ShownApp } from '../app.ts'
import { leafActorOf } from '../caller.ts'
import type { Operation } from '../perform.ts'

interface Named {
  readonly id: string
}

export interface AppSecret {
  readonly id: string
  readonly secret: string
}

/**
 * Whoever has the secret of an app approves as the app: the policies that name it have a say beside those of its groups, as in
 * any change of who approves.
 */
const touchingSecret = (isSensitive: boolean): Pick<Operation<Named, unknown>, 'check'> => ({
  async check(_ctx, tx, caller, { id }) {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    const { groups } = await requireManagedApp(tx, member, id)
    const ids = groups.map(({ groupId }) => groupId)
    const { account, groups: asking } = await findPoliciesNaming(tx, orgId, id)
    const touched = touchingApp(orgId, id, ids, isSensitive)
    return {
      ...touched,
      account: account ? ['policy'] : [],
      groups: [...touched.groups, ...asking.map((group) => ({ id: group, concern: 'policy' as const }))],
    }
  },
})

/** Reads the secret that an app signs in with. */
export const readAppSecretOperation: Operation<Named, AppSecret> = {
  ...touchingSecret(true),

  async run(ctx, tx, caller, { id }) {
    const member = await requireMember(tx, caller)
    const sealed = (await findAppWithSecret(tx, id))?.sealed ?? null
    if (sealed === null) throw new Error(`app ${id} has no secret`)
    await appendLeaf(ctx, tx, {
      orgId: member.orgId,
      kind: 'app.secret-read',
      subjectId: id,
      actor: leafActorOf(member),
      at: ctx.clock.now(),
      facts: {},
    })
    return { id, secret: unseal(ctx.keys.atRest, sealed).toString() }
  },
}

/** Gives an app another secret; whoever has the one before is shut out. */
export const resetAppSecretOperation: Operation<Named, ShownApp> = {
  ...touchingSecret(false),

  async run(ctx, tx, caller, { id }) {
    const member = await requireMember(tx, caller)
    const { orgId } = member
    const [secret, at] = [newClientSecret(), ctx.clock.now()]
    const sealed = seal(ctx.keys.atRest, Buffer.from(secret))
    const hash = hashOfClientSecret(secret)
    await updateCredential(tx, orgId, 'client-secret', id, { hash, sealed, changed_at: at })
    await endCustodySessions(tx, { principalId: id }, null, at)
    const facts = { secretHmac: secretHmac(ctx.keys.atRest.held, hash) }
    const leaf = { orgId, subjectId: id, actor: leafActorOf(member), at, facts }
    await appendLeaf(ctx, tx, { ...leaf, kind: 'app.secret-reset' })
    return await requireManagedApp(tx, member, id)
  },
}
