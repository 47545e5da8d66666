/**
 * The floor: a bare Fastify and pg program that does the least possible work durably. No sign-in, no permissions, no rule,
 * no evidence: only the lock, the insert, the update and the commit of a vote, and the single-row read of a request.
 */
import Fastify from 'fastify'
import { Pool } from 'pg'

const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 20 })
const app = Fastify()

app.post<{ Params: { id: string }; Body: { voter: string } }>('/requests/:id/vote', async (request) => {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query({
      name: 'lock',
      text: 'select seq from requests where id = $1 for update',
      values: [request.params.id],
    })
    const seq = (rows[0] as { seq: number }).seq + 1
    const vote = [request.params.id, seq, request.body.voter]
    await client.query({
      name: 'vote',
      text: 'insert into votes (request_id, seq, voter) values ($1, $2, $3)',
      values: vote,
    })
    await client.query({ name: 'tally', text: 'update requests set seq = $2 where id = $1', values: vote.slice(0, 2) })
    await client.query('commit')
    return { seq }
  } finally {
    client.release()
  }
})

app.get<{ Params: { id: string } }>('/requests/:id', async (request) => {
  const found = { name: 'get', text: 'select * from requests where id = $1', values: [request.params.id] }
  return (await pool.query(found)).rows[0]
})

await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })
process.once('SIGTERM', () => process.exit(0))
