import { appendLeaf } from '../../audit/append.ts'
import { secretHmac } from '../../audit/leaf-hmac.ts'
import { seal } from '../../config/secrets.ts'
import type { ClientPair } from '../../config/privx-clients.ts'
import type { Ctx } from '../../context.ts'
import { isPrincipalId } from '../../store/api-clients.ts'
import { findCredential, updateCredential } from '../../store/credentials.ts'
import { findStandingGrant } from '../../store/grants.ts'
import type { Tx } from '../../store/open.ts'
import { lockOrganization } from '../../store/organization-admins.ts'
import { findRoleNamed } from '../../store/roles.ts'
import { transact } from '../../store/unit-of-work.ts'
import { lockFacts } from '../../store/fact-locks.ts'
import { hashOfClientSecret } from '../credentials/client-secret.ts'
import { makeGrant } from '../grants/make-grant.ts'
import { defaultOrganization } from '../organization.ts'
import { addApiClient } from './api-clients.ts'
import { addRole } from './roles.ts'

/** The role whose holders may everything in the role store. It belongs to the server. */
export const adminRoleName = 'privx-admin'

const system = { kind: 'system' } as const
const orgId = defaultOrganization.id

/**
 * Makes the role `privx-admin` and the configured API client that holds it, as far as they are not there. A client whose
 * secret in the configuration is another than before has that from now on. Any number of processes may do so at once.
 */
export async function prepareRoleStore(ctx: Ctx): Promise<void> {
  const { apiClient } = ctx.config.privx
  if (apiClient === null) return
  await transact(ctx, null, async (tx) => {
    await lockFacts(tx, orgId)
    await lockOrganization(tx, orgId)
    const groupId = await ensureAdminRole(ctx, tx)
    const principalId = await ensureClient(ctx, tx, apiClient)
    if ((await findStandingGrant(tx, orgId, principalId, groupId)) !== undefined) return
    const terms = { kind: 'permanent' } as const
    await makeGrant(ctx, tx, { orgId, actor: system, principalId, groupId, terms, requestId: null })
  })
}

async function ensureAdminRole(ctx: Ctx, tx: Tx): Promise<string> {
  const known = await findRoleNamed(tx, orgId, adminRoleName)
  if (known !== undefined) return known.id
  const id = ctx.newId()
  const input = { name: adminRoleName, comment: '', permissions: ['privx-admin'], shown: {} }
  await addRole(ctx, tx, system, { orgId, id, input, isSystem: true })
  return id
}

async function ensureClient(ctx: Ctx, tx: Tx, { id: clientId, secret }: ClientPair): Promise<string> {
  const known = await findCredential(tx, orgId, 'client-secret', clientId)
  const hash = hashOfClientSecret(secret)
  if (known !== undefined) {
    if (known.hash !== hash) {
      const sealed = seal(ctx.keys.atRest, Buffer.from(secret))
      const at = ctx.clock.now()
      await updateCredential(tx, orgId, 'client-secret', known.principal_id, { hash, sealed, changed_at: at })
      const leaf = { orgId, subjectId: known.principal_id, actor: system, at }
      const facts = { secretHmac: secretHmac(ctx.keys.atRest.held, hash) }
      await appendLeaf(ctx, tx, { ...leaf, kind: 'api-client.secret-changed', facts })
    }
    return known.principal_id
  }
  const id = await idFor(ctx, tx, clientId)
  await addApiClient(ctx, tx, system, { orgId, id, clientId, name: `configured ${clientId}`, secret })
  return id
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The id that the client signs in with is its id everywhere, where it can be. */
async function idFor(ctx: Ctx, tx: Tx, clientId: string): Promise<string> {
  const wanted = clientId.toLowerCase()
  return uuid.test(wanted) && !(await isPrincipalId(tx, orgId, wanted)) ? wanted : ctx.newId()
}
