import type { Db, Tx } from './open.ts'

/** An agent as who manages it sees it. */
export interface ManagedAgentRow {
  id: string
  name: string
  public_key: string | null
  /** Who answers for it. */
  person_id: string | null
  dpop_required: boolean
  disabled_at: Date | null
  /** Meaningful while it is disabled. */
  revoked_by_admin: boolean
  created_at: Date
}

/** How one names an agent. */
export type AgentKeyOrName = { readonly id: string } | { readonly agentName: string }

const managedAgents = (db: Db, orgId: string, key: AgentKeyOrName) =>
  db
    .selectFrom('principals')
    .select(['id', 'name', 'public_key', 'person_id', 'dpop_required', 'disabled_at', 'revoked_by_admin', 'created_at'])
    .where('org_id', '=', orgId)
    .where('kind', '=', 'agent')
    .where('public_key', 'is not', null)
    .where((where) => ('id' in key ? where('id', '=', key.id) : where('name', '=', key.agentName)))

export async function findManagedAgent(
  db: Db,
  orgId: string,
  key: AgentKeyOrName,
): Promise<ManagedAgentRow | undefined> {
  return await managedAgents(db, orgId, key).executeTakeFirst()
}

/** As `findManagedAgent`, and holds up every other change of the agent until the transaction ends. */
export async function findManagedAgentForUpdate(
  tx: Tx,
  orgId: string,
  key: AgentKeyOrName,
): Promise<ManagedAgentRow | undefined> {
  return await managedAgents(tx, orgId, key).forUpdate().executeTakeFirst()
}

/** The agents that a person answers for; nobody else changes them until the transaction ends. */
export async function findAgentsOfPerson(
  tx: Tx,
  orgId: string,
  personId: string,
): Promise<Pick<ManagedAgentRow, 'id' | 'disabled_at' | 'revoked_by_admin'>[]> {
  return await tx
    .selectFrom('principals')
    .select(['id', 'disabled_at', 'revoked_by_admin'])
    .where('org_id', '=', orgId)
    .where('person_id', '=', personId)
    .where('kind', '=', 'agent')
    .orderBy('id')
    .forUpdate()
    .execute()
}

/** What may be changed of an agent. */
export interface AgentChange {
  readonly public_key?: string
  readonly person_id?: string
  readonly dpop_required?: boolean
  readonly disabled_at?: Date | null
  readonly revoked_by_admin?: boolean
}

export async function updateAgent(tx: Tx, orgId: string, id: string, change: AgentChange): Promise<void> {
  await tx.updateTable('principals').set(change).where('org_id', '=', orgId).where('id', '=', id).execute()
}

/** Notes who answered for an agent until now. */
export async function insertFormerOwner(tx: Tx, orgId: string, principalId: string, personId: string): Promise<void> {
  await tx
    .insertInto('former_owners')
    .values({ org_id: orgId, person_id: personId, principal_id: principalId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** The user of the organization that a person is. */
export async function findUserOfPerson(db: Db, orgId: string, personId: string): Promise<string | undefined> {
  return (await userOf(db, orgId, personId).executeTakeFirst())?.id
}

/** Whether a person is a user of the organization who is not disabled. */
export async function isEnabledUser(db: Db, orgId: string, personId: string): Promise<boolean> {
  const user = await userOf(db, orgId, personId).where('disabled_at', 'is', null).executeTakeFirst()
  return user !== undefined
}

const userOf = (db: Db, orgId: string, personId: string) =>
  db
    .selectFrom('principals')
    .select('id')
    .where('org_id', '=', orgId)
    .where('person_id', '=', personId)
    .where('kind', '=', 'human')

/** The person behind a user who is not disabled. */
export async function findEnabledPerson(db: Db, orgId: string, userId: string): Promise<string | undefined> {
  const user = await db
    .selectFrom('principals')
    .select('person_id')
    .where('org_id', '=', orgId)
    .where('id', '=', userId)
    .where('kind', '=', 'human')
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
  return user?.person_id ?? undefined
}
