import type { Db, Tx } from './open.ts'
import type { ChallengePurpose } from './schema-custody.ts'
import type { NewRow, Row } from './schema.ts'

/** A security key of a person. */
export interface SecurityKeyRow {
  readonly id: string
  readonly name: string
  readonly credential_id: Uint8Array
  /** COSE. */
  readonly public_key: Uint8Array
  /** What the key has counted to, as text. */
  readonly counter: string
  readonly details: { readonly format: string; readonly transports: readonly string[]; readonly origin: string }
  readonly created_at: Date
}

const columns = ['id', 'name', 'credential_id', 'public_key', 'counter', 'details', 'created_at'] as const

const ofPerson = (db: Db, personId: string) =>
  db
    .selectFrom('person_credentials')
    .select(columns)
    .where('person_id', '=', personId)
    .where('kind', '=', 'security-key')
    // What a key has is not null, by a constraint of the table.
    .$castTo<SecurityKeyRow>()

/** In the order in which they were added. */
export async function findSecurityKeys(db: Db, personId: string): Promise<SecurityKeyRow[]> {
  return await ofPerson(db, personId).orderBy('created_at').orderBy('id').execute()
}

/** Locked, so that what it counts to is read and written as one. */
export async function findSecurityKeyForUpdate(
  tx: Tx,
  personId: string,
  credentialId: Uint8Array,
): Promise<SecurityKeyRow | undefined> {
  return await ofPerson(tx, personId).where('credential_id', '=', credentialId).forUpdate().executeTakeFirst()
}

export async function insertSecurityKey(tx: Tx, key: NewRow<'person_credentials'>): Promise<void> {
  await tx.insertInto('person_credentials').values(key).execute()
}

export async function updateCounter(tx: Tx, personId: string, id: string, counter: number): Promise<void> {
  await tx
    .updateTable('person_credentials')
    .set({ counter })
    .where('person_id', '=', personId)
    .where('id', '=', id)
    .execute()
}

/** @returns the id of the key; undefined when the person has none of this name */
export async function renameSecurityKey(
  tx: Tx,
  personId: string,
  name: string,
  change: { readonly name: string; readonly changed_at: Date },
): Promise<string | undefined> {
  const renamed = await tx
    .updateTable('person_credentials')
    .set(change)
    .where('person_id', '=', personId)
    .where('kind', '=', 'security-key')
    .where('name', '=', name)
    .returning('id')
    .executeTakeFirst()
  return renamed?.id
}

/** @returns the id of the key; undefined when the person has none of this name */
export async function deleteSecurityKey(tx: Tx, personId: string, name: string): Promise<string | undefined> {
  const deleted = await tx
    .deleteFrom('person_credentials')
    .where('person_id', '=', personId)
    .where('kind', '=', 'security-key')
    .where('name', '=', name)
    .returning('id')
    .executeTakeFirst()
  return deleted?.id
}

export type ChallengeRow = Row<'key_challenges'>

/** Voids the one that was open for the same person, purpose and subject. */
export async function openChallenge(db: Db, challenge: NewRow<'key_challenges'>): Promise<void> {
  const { protocol, org_id, nonce, expires_at } = challenge
  await db
    .insertInto('key_challenges')
    .values(challenge)
    .onConflict((conflict) =>
      conflict
        .columns(['person_id', 'purpose', 'subject'])
        .doUpdateSet({ protocol, org_id, challenge: challenge.challenge, nonce, expires_at }),
    )
    .execute()
}

/** Of any number of calls for the same challenge one gets it: it is used up, whatever comes of it. */
export async function takeChallenge(
  db: Db,
  personId: string,
  purpose: ChallengePurpose,
  subject: string,
): Promise<ChallengeRow | undefined> {
  return await db
    .deleteFrom('key_challenges')
    .where('person_id', '=', personId)
    .where('purpose', '=', purpose)
    .where('subject', '=', subject)
    .returningAll()
    .executeTakeFirst()
}
