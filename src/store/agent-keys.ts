import type { Db, Tx } from './open.ts'

/** What an agent proves itself with. */
export interface AgentKeyRow {
  id: string
  name: string
  /** SPKI PEM. */
  public_key: string | null
  dpop_required: boolean
  disabled_at: Date | null
}

const agentKeys = (db: Db, orgId: string) =>
  db
    .selectFrom('principals')
    .select(['id', 'name', 'public_key', 'dpop_required', 'disabled_at'])
    .where('org_id', '=', orgId)
    .where('kind', '=', 'agent')

export async function findAgentKeyByName(db: Db, orgId: string, name: string): Promise<AgentKeyRow | undefined> {
  return await agentKeys(db, orgId).where('name', '=', name).where('public_key', 'is not', null).executeTakeFirst()
}

export async function findAgentKey(db: Db, orgId: string, id: string): Promise<AgentKeyRow | undefined> {
  return await agentKeys(db, orgId).where('id', '=', id).executeTakeFirst()
}

/** As `findAgentKey`, and holds up a rotation or revocation until the transaction ends. */
export async function findAgentKeyForShare(tx: Tx, orgId: string, id: string): Promise<AgentKeyRow | undefined> {
  return await agentKeys(tx, orgId).where('id', '=', id).forShare().executeTakeFirst()
}
