import { Client } from 'pg'

export interface Listener {
  /** Whether what is said now is heard. */
  isHearing(): boolean
  close(): Promise<void>
}

export interface Ears {
  readonly heard: (payload: string) => void
  /** A connection stands, the first or a new one: what was said before it is lost. */
  readonly connected: () => void
  /** A connection could not be made, or was lost; another is tried. */
  readonly lost: (error: unknown) => void
}

const firstWaitMilliseconds = 100
const longestWaitMilliseconds = 5_000

/**
 * Listens on a channel of PostgreSQL, on one connection of its own that is made anew whenever it is lost.
 * @param channel an SQL identifier
 */
export function listen(url: string, channel: string, ears: Ears): Listener {
  let current: Client | null = null
  let isHearing = false
  let isClosed = false
  let wait = firstWaitMilliseconds
  let retry: NodeJS.Timeout | undefined

  async function connect(): Promise<void> {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: 10_000,
      // Nothing may be said for days, and a peer that is gone without a word has to be noticed.
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    })
    current = client
    client.on('notification', ({ payload }) => ears.heard(payload ?? ''))
    client.on('error', (error) => lose(client, error))
    client.on('end', () => lose(client, new Error('the connection was closed')))
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
    } catch (error) {
      return lose(client, error)
    }
    if (current !== client) return
    isHearing = true
    wait = firstWaitMilliseconds
    ears.connected()
  }

  function lose(client: Client, error: unknown): void {
    if (current !== client) return
    current = null
    isHearing = false
    client.end().catch(() => {})
    if (isClosed) return
    ears.lost(error)
    retry = setTimeout(() => void connect(), wait)
    retry.unref()
    wait = Math.min(wait * 2, longestWaitMilliseconds)
  }

  void connect()
  return {
    isHearing: () => isHearing,
    async close() {
      isClosed = true
      clearTimeout(retry)
      const client = current
      current = null
      await client?.end().catch(() => {})
    },
  }
}
