import type { Db, Tx } from './open.ts'
import { offsetOf, type Page } from './page.ts'
import type { NewRow, PrincipalKind, Row } from './schema.ts'
import { statement } from './statement.ts'

/** What a list or an answer shows of a key: never a hash. */
export interface ApiKeyRow {
  readonly id: string
  readonly principal_id: string
  readonly name: string
  readonly hint: string
  readonly scopes: string[]
  readonly expires_at: Date
  readonly previous_expires_at: Date | null
  readonly revoked_at: Date | null
  readonly last_used_at: Date | null
  readonly created_by: string
  readonly created_at: Date
}

/** A key that is managed, with whose it is. */
export interface OwnedApiKeyRow extends ApiKeyRow {
  readonly kind: PrincipalKind
  readonly person_id: string | null
}

/** Whose keys: of one principal, or of everyone a person answers for, themselves among them. */
export type ApiKeyHolder = { readonly principalId: string } | { readonly personId: string }

/** Null for everyone's; `principalId` narrows. */
export interface ApiKeyFilter {
  readonly ownedBy: ApiKeyHolder | null
  readonly principalId: string | null
}

const shown = [
  'k.id',
  'k.principal_id',
  'k.name',
  'k.hint',
  'k.scopes',
  'k.expires_at',
  'k.previous_expires_at',
  'k.revoked_at',
  'k.last_used_at',
  'k.created_by',
  'k.created_at',
] as const

const keysOf = (db: Db, orgId: string) => db.selectFrom('api_keys as k').where('k.org_id', '=', orgId)

const matching = (db: Db, orgId: string, { ownedBy, principalId }: ApiKeyFilter) => {
  const query = principalId === null ? keysOf(db, orgId) : keysOf(db, orgId).where('k.principal_id', '=', principalId)
  if (ownedBy === null) return query
  if ('principalId' in ownedBy) return query.where('k.principal_id', '=', ownedBy.principalId)
  return query.where('k.principal_id', 'in', answeredForBy(db, orgId, ownedBy.personId))
}

const answeredForBy = (db: Db, orgId: string, personId: string) =>
  db.selectFrom('principals').select('id').where('org_id', '=', orgId).where('person_id', '=', personId)

/** Newest first. */
export async function listApiKeys(db: Db, orgId: string, filter: ApiKeyFilter, page: Page): Promise<ApiKeyRow[]> {
  return await matching(db, orgId, filter)
    .select(shown)
    .orderBy('k.created_at', 'desc')
    .orderBy('k.id', 'desc')
    .limit(page.limit)
    .offset(offsetOf(page))
    .execute()
}

export async function countApiKeys(db: Db, orgId: string, filter: ApiKeyFilter): Promise<number> {
  const { total } = await matching(db, orgId, filter)
    .select((select) => select.fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

const owned = (db: Db, orgId: string, id: string) =>
  keysOf(db, orgId)
    .innerJoin('principals as a', (join) =>
      join.onRef('a.org_id', '=', 'k.org_id').onRef('a.id', '=', 'k.principal_id'),
    )
    .select([...shown, 'a.kind', 'a.person_id'])
    .where('k.id', '=', id)

export async function findApiKey(db: Db, orgId: string, id: string): Promise<OwnedApiKeyRow | undefined> {
  return await owned(db, orgId, id).executeTakeFirst()
}

/** The key's row, locked until the transaction ends. */
export async function findApiKeyForUpdate(tx: Tx, orgId: string, id: string): Promise<OwnedApiKeyRow | undefined> {
  return await owned(tx, orgId, id).forUpdate('k').executeTakeFirst()
}

export async function insertApiKey(tx: Tx, key: NewRow<'api_keys'>): Promise<void> {
  await tx.insertInto('api_keys').values(key).execute()
}

export interface NewSecret {
  readonly hash: string
  readonly hint: string
  /** Until when the secret before is accepted; null to end it at once, and any before it. */
  readonly previousUntil: Date | null
}

export async function replaceSecret(tx: Tx, orgId: string, id: string, secret: NewSecret): Promise<void> {
  await tx
    .updateTable('api_keys')
    .set((column) => ({
      secret_hash: secret.hash,
      hint: secret.hint,
      previous_hash: secret.previousUntil === null ? null : column.ref('secret_hash'),
      previous_expires_at: secret.previousUntil,
    }))
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute()
}

export async function revokeApiKey(tx: Tx, orgId: string, id: string, at: Date): Promise<void> {
  await tx.updateTable('api_keys').set({ revoked_at: at }).where('org_id', '=', orgId).where('id', '=', id).execute()
}

/** Every key that is not revoked yet; gives them in the order in which they were made. */
export async function revokeApiKeysOf(
  tx: Tx,
  orgId: string,
  holder: ApiKeyHolder,
  at: Date,
): Promise<Pick<Row<'api_keys'>, 'id' | 'principal_id'>[]> {
  const revoked = await tx
    .updateTable('api_keys')
    .set({ revoked_at: at })
    .where('org_id', '=', orgId)
    .where((where) =>
      'principalId' in holder
        ? where('principal_id', '=', holder.principalId)
        : where('principal_id', 'in', answeredForBy(tx, orgId, holder.personId)),
    )
    .where('revoked_at', 'is', null)
    .returning(['id', 'principal_id'])
    .execute()
  return revoked.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

export type LiveApiKeyRow = Pick<Row<'api_keys'>, 'org_id' | 'id' | 'principal_id' | 'scopes' | 'last_used_at'> & {
  readonly kind: PrincipalKind
}

// Two unique indexes answer this, whatever the number of keys. An agent that must prove its own key has no use for another.
const liveStatement = statement<LiveApiKeyRow>(`
  select k.org_id, k.id, k.principal_id, k.scopes, k.last_used_at, a.kind
  from api_keys k join principals a on a.org_id = k.org_id and a.id = k.principal_id
  where (k.secret_hash = $1 or (k.previous_hash = $1 and k.previous_expires_at > $2))
    and k.revoked_at is null and k.expires_at > $2 and a.disabled_at is null and not a.dpop_required`)

/** The key whose secret has this hash, if it is good now and its principal is not disabled. */
export async function findLiveApiKey(db: Db, hash: string, now: Date): Promise<LiveApiKeyRow | undefined> {
  return (await liveStatement(db, [hash, now]))[0]
}

/** Writes that the key was used, unless that was written since `staleBefore`. */
export async function touchApiKey(db: Db, orgId: string, id: string, now: Date, staleBefore: Date): Promise<void> {
  await db
    .updateTable('api_keys')
    .set({ last_used_at: now })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where((or) => or.or([or('last_used_at', 'is', null), or('last_used_at', '<=', staleBefore)]))
    .execute()
}
