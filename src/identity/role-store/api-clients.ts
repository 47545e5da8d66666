import { appendLeaf } from '../../audit/append.ts'
import { secretHmac } from '../../audit/leaf-hmac.ts'
import type { LeafActor } from '../../audit/leaf.ts'
import { seal, unseal } from '../../config/secrets.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../errors.ts'
import {
  countApiClients,
  findApiClient,
  listApiClients as findApiClients,
  type ApiClientRow,
  type ClientSlice,
} from '../../store/api-clients.ts'
import { findGrantsOf, type HeldGrantRow } from '../../store/access-users.ts'
import { insertCredential } from '../../store/credentials.ts'
import { updatePrincipalName } from '../../store/local-users.ts'
import { insertPrincipal } from '../../store/people.ts'
import type { Tx } from '../../store/open.ts'
import { leafActorOf, type Actor, type Caller } from '../actor.ts'
import { administer, requireAdministrator } from '../administer.ts'
import { hashOfClientSecret, newClientSecret } from '../credentials/client-secret.ts'
import { shutOut } from '../credentials/shut-out.ts'
import type { Sliced } from './read-roles.ts'
import { giveCheckedRoles, type WantedRole } from './set-roles.ts'

export interface ApiClientInput {
  readonly name: string
  readonly roles: readonly WantedRole[]
}

/**
 * Makes a machine that signs in by its id and a secret, which an administrator may read again.
 * @returns its id
 * @throws AppError REQUESTOR_NOT_AUTHORIZED, AGENT_NAME_ALREADY_EXISTS, INVALID_MEMBER
 */
export async function createApiClient(ctx: Ctx, caller: Caller, { name, roles }: ApiClientInput): Promise<string> {
  return await administer(ctx, caller, async (tx, actor) => {
    const id = ctx.newId()
    const client = { orgId: actor.orgId, id, clientId: id, name, secret: newClientSecret() }
    await addApiClient(ctx, tx, leafActorOf(actor), client)
    await giveCheckedRoles(ctx, tx, actor, id, roles)
    return id
  })
}

export interface NewApiClient {
  readonly orgId: string
  readonly id: string
  /** What it signs in with. */
  readonly clientId: string
  readonly name: string
  readonly secret: string
}

export async function addApiClient(ctx: Ctx, tx: Tx, actor: LeafActor, client: NewApiClient): Promise<void> {
  const { orgId, id, clientId, name, secret } = client
  const [credential, at] = [ctx.newId(), ctx.clock.now()]
  const hash = hashOfClientSecret(secret)
  await insertPrincipal(tx, { org_id: orgId, id, kind: 'agent', person_id: null, name, email: null, created_at: at })
  await insertCredential(tx, {
    org_id: orgId,
    id: credential,
    principal_id: id,
    kind: 'client-secret',
    name: clientId,
    hash,
    sealed: seal(ctx.keys.atRest, Buffer.from(secret)),
    created_at: at,
    changed_at: at,
  })
  await appendLeaf(ctx, tx, {
    orgId,
    kind: 'api-client.created',
    subjectId: id,
    actor,
    at,
    facts: { credential, secretHmac: secretHmac(ctx.keys.atRest.held, hash) },
    // What was configured is somebody's word.
    privateText: { name, clientId: clientId === id ? null : clientId },
  })
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, API_CLIENT_NOT_FOUND, AGENT_NAME_ALREADY_EXISTS, INVALID_MEMBER */
export async function changeApiClient(
  ctx: Ctx,
  caller: Caller,
  clientId: string | null,
  { name, roles }: ApiClientInput,
): Promise<void> {
  await administer(ctx, caller, async (tx, actor) => {
    const { orgId } = actor
    const { id } = await requireClient(tx, orgId, clientId)
    await updatePrincipalName(tx, orgId, id, { name })
    await giveCheckedRoles(ctx, tx, actor, id, roles)
    const leaf = { orgId, subjectId: id, actor: leafActorOf(actor), at: ctx.clock.now(), facts: {} }
    await appendLeaf(ctx, tx, { ...leaf, kind: 'api-client.changed', privateText: { name } })
  })
}

/** Removes it for good. @throws AppError REQUESTOR_NOT_AUTHORIZED, API_CLIENT_NOT_FOUND, USER_CANNOT_DISABLE_SELF */
export async function deleteApiClient(ctx: Ctx, caller: Caller, clientId: string | null): Promise<void> {
  await administer(ctx, caller, async (tx, actor) => {
    const { orgId } = actor
    const { id } = await requireClient(tx, orgId, clientId)
    if (id === actor.principalId) throw new AppError('USER_CANNOT_DISABLE_SELF')
    const by = leafActorOf(actor)
    const at = await shutOut(ctx, tx, { orgId, principalId: id, actor: by })
    const leaf = { orgId, subjectId: id, actor: by, at, facts: {} }
    await appendLeaf(ctx, tx, { ...leaf, kind: 'api-client.removed' })
  })
}

/** A client as an administrator sees it. */
export interface ShownApiClient {
  readonly client: ApiClientRow
  readonly secret: string
  readonly grants: readonly HeldGrantRow[]
}

/**
 * @param keywords what the name contains, or what it signs in with; null for any
 * @throws AppError REQUESTOR_NOT_AUTHORIZED
 */
export async function listApiClients(
  ctx: Ctx,
  caller: Caller,
  keywords: string | null,
  slice: ClientSlice,
): Promise<Sliced<ShownApiClient>> {
  const actor = await requireAdministrator(ctx, caller)
  const clients = await findApiClients(ctx.db, actor.orgId, keywords, slice)
  return { items: await shown(ctx, actor, clients), total: await countApiClients(ctx.db, actor.orgId, keywords) }
}

/** @throws AppError REQUESTOR_NOT_AUTHORIZED, API_CLIENT_NOT_FOUND */
export async function readApiClient(ctx: Ctx, caller: Caller, id: string | null): Promise<ShownApiClient> {
  const actor = await requireAdministrator(ctx, caller)
  const client = id === null ? undefined : await findApiClient(ctx.db, actor.orgId, id)
  const [found] = client === undefined ? [] : await shown(ctx, actor, [client])
  if (found === undefined) throw new AppError('API_CLIENT_NOT_FOUND')
  return found
}

async function shown(ctx: Ctx, { orgId }: Actor, clients: readonly ApiClientRow[]): Promise<ShownApiClient[]> {
  const ids = clients.map(({ id }) => id)
  const grants = Map.groupBy(await findGrantsOf(ctx.db, orgId, ids, ctx.clock.now()), (grant) => grant.principal_id)
  return clients.map((client) => ({
    client,
    secret: client.sealed === null ? '' : unseal(ctx.keys.atRest, client.sealed).toString(),
    grants: grants.get(client.id) ?? [],
  }))
}

async function requireClient(tx: Tx, orgId: string, id: string | null): Promise<ApiClientRow> {
  const client = id === null ? undefined : await findApiClient(tx, orgId, id)
  if (client === undefined) throw new AppError('API_CLIENT_NOT_FOUND')
  return client
}
