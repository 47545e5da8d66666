import { sql } from 'kysely'
import type { Db } from './open.ts'

export interface PersonFactors {
  readonly hasPassword: boolean
  /** By name. */
  readonly keys: readonly { readonly name: string; readonly format: string; readonly origin: string }[]
}

/** What each of these people can prove themselves with. */
export async function findFactorsOf(db: Db, ids: readonly string[]): Promise<Map<string, PersonFactors>> {
  const rows = await db
    .selectFrom('person_credentials')
    .select(['person_id', 'kind', 'name', 'details'])
    .where('person_id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('name')
    .execute()
  const byPerson = Map.groupBy(rows, (row) => row.person_id)
  return new Map(
    [...byPerson].map(([id, factors]) => [
      id,
      {
        hasPassword: factors.some(({ kind }) => kind === 'password'),
        keys: factors.flatMap(({ name, details }) =>
          'format' in details ? [{ name, format: details.format, origin: details.origin }] : [],
        ),
      },
    ]),
  )
}

export async function hasSecurityKey(db: Db, personId: string): Promise<boolean> {
  const row = await db
    .selectFrom('person_credentials')
    .select('id')
    .where('person_id', '=', personId)
    .where('kind', '=', 'security-key')
    .executeTakeFirst()
  return row !== undefined
}
