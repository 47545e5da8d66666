import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'

/** A database of one's own on the run's PostgreSQL, with our schema and no rows; gives its URL. */
export const freshDatabase = (): Promise<string> => createDatabase(inject('schemaDatabase'))

/** A database of one's own without even the schema. */
export const emptyDatabase = (): Promise<string> => createDatabase('template1')

async function createDatabase(template: string): Promise<string> {
  const url = new URL(inject('postgresUrl'))
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const client = new Client({ connectionString: url.href })
  await client.connect()
  await client.query(`create database ${name} template ${template}`)
  await client.end()
  url.pathname = `/${name}`
  return url.href
}
