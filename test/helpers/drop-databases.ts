import { Client } from 'pg'
import { afterAll, inject } from 'vitest'

// A mutation run starts thousands of worlds, whose databases would fill the disk. One that is still in use goes later.
afterAll(async () => {
  const client = new Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(`
    select datname as name from pg_database d
    where datname like 'test\\_%' and not exists (select from pg_stat_activity a where a.datname = d.datname)`)
  for (const { name } of rows) await client.query(`drop database if exists ${client.escapeIdentifier(name)}`)
  await client.end()
})
