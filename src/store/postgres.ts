import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import {
  CompiledQuery,
  PostgresDialect,
  PostgresDriver,
  type DatabaseConnection,
  type Driver,
  type TransactionSettings,
} from 'kysely'
import { Client, Pool, Query, type ClientConfig } from 'pg'

/** Connections to one PostgreSQL, with every statement prepared once per connection and `begin` sent without waiting. */
export function openPostgres(url: string, maxConnections: number): { pool: Pool; dialect: PostgresDialect } {
  const pool = new Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: 10_000,
    Client: PreparingClient,
    pipeline: true,
  } as PoolOptions)
  // A connection that dies while idle is replaced by the pool; without a listener it would take the process down.
  pool.on('error', () => {})
  // Every query here reads few rows by an index; compiling one would take many times as long as running it.
  pool.on('connect', (client) => void client.query('set jit = off').catch(() => {}))
  return { pool, dialect: new PipelinedDialect({ pool }) }
}

type PoolOptions = ConstructorParameters<typeof Pool>[0]

/**
 * Names each parameterized statement after its text, so that PostgreSQL parses and plans it once per connection; Kysely
 * builds a bounded set of texts, since lists travel as arrays and never as a varying number of placeholders. What is asked
 * in one turn of the event loop leaves in one packet: a system call costs more than most statements.
 */
class PreparingClient extends Client {
  #isCorked = false

  constructor(config?: string | ClientConfig) {
    super(config as ClientConfig)
    // A connection that dies in use fails the statements sent on it, which is where it shows; without a listener it would
    // take the process down. The pool does not take it back.
    this.on('error', () => {})
    const query = this.query.bind(this) as (...args: unknown[]) => unknown
    this.query = ((text: unknown, values?: unknown, ...rest: unknown[]) => {
      this.#gather()
      if (typeof text !== 'string' || !Array.isArray(values) || values.length === 0 || rest.length > 0) {
        return query(text, values, ...rest)
      }
      return new Promise((resolve, reject) => {
        query(named(text, values, (error, result) => (error ? reject(error) : resolve(result))))
      })
    }) as typeof this.query
  }

  #gather(): void {
    const { stream } = (this as unknown as { connection: { stream: Writable } }).connection
    if (this.#isCorked || typeof stream.cork !== 'function') return
    this.#isCorked = true
    stream.cork()
    process.nextTick(() => {
      this.#isCorked = false
      stream.uncork()
    })
  }
}

/** Made here, since a description of it is copied property by property, which takes longer than the rest of asking. */
function named(text: string, values: unknown[], callback: ConstructorParameters<typeof Query>[2]): Query {
  return Object.assign(new Query(text, values, callback), { name: statementName(text) })
}

const names = new Map<string, string>()

function statementName(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 24)
    names.set(text, name)
  }
  return name
}

class PipelinedDialect extends PostgresDialect {
  readonly #config: ConstructorParameters<typeof PostgresDialect>[0]
  constructor(config: ConstructorParameters<typeof PostgresDialect>[0]) {
    super(config)
    this.#config = config
  }
  override createDriver(): Driver {
    return new PipelinedDriver(this.#config)
  }
}

/** `begin` travels in one packet with the first statement: a failed connection shows at that statement all the same. */
class PipelinedDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    if (settings.isolationLevel !== undefined || settings.accessMode !== undefined) {
      return await super.beginTransaction(connection, settings)
    }
    connection.executeQuery(CompiledQuery.raw('begin')).catch(() => {})
  }
}
