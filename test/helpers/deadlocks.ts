import { Client } from 'pg'

/** How many deadlocks a PostgreSQL database has ended. Connections report when they end. */
export async function deadlocks(databaseUrl: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  const { rows } = await client.query('select deadlocks::int from pg_stat_database where datname = current_database()')
  await client.end()
  return (rows[0] as { deadlocks: number }).deadlocks
}
