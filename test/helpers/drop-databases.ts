import { Client } from 'pg'
import { afterAll, inject } from 'vitest'

// A mutation run starts thousands of worlds; their databases would fill the disk.
afterAll(async () => {
  const client = new Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    `select datname as name from pg_database where datname like 'test\\_%'`,
  )
  for (const { name } of rows) await client.query(`drop database ${client.escapeIdentifier(name)} with (force)`)
  await client.end()
})
