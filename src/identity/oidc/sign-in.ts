import { appendLeaf } from '../../audit/append.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import { lockOrganization } from '../../store/organizations.ts'
import { findHumanByEmail, hasOrganizationAdmin } from '../../store/people.ts'
import type { Tx } from '../../store/open.ts'
import { transact } from '../../store/unit-of-work.ts'
import { defaultOrganization } from '../organization.ts'
import { makeAdmin, registerPerson } from '../register-person.ts'
import { issueTokenPair, type Device, type TokenPair } from '../token-pair.ts'
import type { Identity } from './identity-provider.ts'
import { browserBinding } from './flow-binding.ts'
import { completeSignIn, type FlowProof } from './sign-in-flow.ts'

/**
 * Signs in whoever the code stands for, as a member of the default organization; someone unknown is registered first.
 * With `browserSecret` only the browser that holds it can complete the sign-in that it started.
 * @throws AppError what `completeSignIn` throws; CALLER_USER_NOT_FOUND when they are disabled
 */
export async function signIn(
  ctx: Ctx,
  proof: FlowProof,
  device: Device,
  browserSecret: string | null = null,
): Promise<TokenPair> {
  const binding = browserSecret === null ? null : browserBinding(browserSecret)
  const identity = await completeSignIn(ctx, { purpose: 'login', binding, foreign: 'PKCE_CODE_NOT_FOUND' }, proof)
  return await transact(ctx, null, async (tx) => {
    const orgId = defaultOrganization.id
    const principalId = await findOrRegister(ctx, tx, orgId, identity)
    const familyId = ctx.newId()
    await appendLeaf(tx, {
      orgId,
      kind: 'user.signed-in',
      subjectId: principalId,
      actor: { kind: 'human', id: principalId },
      at: ctx.clock.now(),
      facts: { signIn: familyId, channel: device.channel },
    })
    return await issueTokenPair(ctx, tx, { orgId, principalId, familyId, device })
  })
}

/** The first human ever to sign in becomes organization admin (contract §4.5). */
export async function findOrRegister(
  ctx: Ctx,
  tx: Tx,
  orgId: string,
  { email, displayName }: Identity,
): Promise<string> {
  const known = await findHumanByEmail(tx, orgId, email)
  if (known !== undefined && (await hasOrganizationAdmin(tx, orgId))) return requireEnabled(known)

  // Two first sign-ins at once take turns from here: the second finds what the first has made.
  await lockOrganization(tx, orgId)
  const isFirst = !(await hasOrganizationAdmin(tx, orgId))
  const found = await findHumanByEmail(tx, orgId, email)
  if (found === undefined) {
    return await registerPerson(ctx, tx, { kind: 'system' }, { orgId, email, displayName, isAdmin: isFirst })
  }
  const principalId = requireEnabled(found)
  if (isFirst) {
    const admin = { orgId, principalId, email: found.email ?? email }
    await makeAdmin(ctx, tx, { kind: 'system' }, admin)
  }
  return principalId
}

function requireEnabled(principal: { readonly id: string; readonly disabled_at: Date | null }): string {
  if (principal.disabled_at !== null) throw new AppError('CALLER_USER_NOT_FOUND')
  return principal.id
}
