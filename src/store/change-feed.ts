import { randomUUID } from 'node:crypto'
import type { StoreConfig } from '../config/config.ts'
import { listen, type Listener } from './listener.ts'
import type { Db } from './open.ts'
import { statement } from './statement.ts'

/** Which requests of an organization may have changed: these, or any of them. */
export type Changes = readonly string[] | 'any'

/** Tells other processes on the store which requests have changed, and hears it from them. A hint: it may be lost. */
export interface ChangeFeed {
  /** Call it after the commit. Sent soon, together with others, and waited for by nobody. */
  tell(orgId: string, changes: Changes): void
  /** Begins to hear the others; asked again it changes nothing. `connected` says that whatever was told before is lost. */
  hear(ears: { readonly changed: (orgId: string, changes: Changes) => void; readonly connected: () => void }): void
  isHearing(): boolean
  close(): Promise<void>
}

/** @param report hears of what failed and is tried again or given up */
export function openChangeFeed(config: StoreConfig, db: Db, report: (error: unknown) => void): ChangeFeed {
  return config.engine === 'pglite' ? aloneOnTheStore : betweenProcesses(config.url, db, report)
}

const aloneOnTheStore: ChangeFeed = {
  tell: () => {},
  hear: () => {},
  isHearing: () => true,
  close: async () => {},
}

const channel = 'quorate_requests'
const gatherMilliseconds = 10
/** Beyond this, reading again whatever is watched is cheaper than naming it. */
const mostNamed = 1_000
/** PostgreSQL carries less than 8,000 bytes: two ids before them, and 37 bytes each. */
const idsPerPayload = 200

const notifyStatement = statement(`select pg_notify($1, payload) from unnest($2::text[]) payload`)

function betweenProcesses(url: string, db: Db, report: (error: unknown) => void): ChangeFeed {
  const self = randomUUID()
  const untold = new Map<string, Set<string> | 'any'>()
  let telling: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let listener: Listener | null = null

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const payloads = [...untold].flatMap(([orgId, ids]) => payloadsOf(self, orgId, ids))
    untold.clear()
    if (payloads.length === 0) return
    telling = Promise.all([telling, notifyStatement(db, [channel, payloads]).catch(report)])
  }

  return {
    tell(orgId, changes) {
      const ids = untold.get(orgId) ?? new Set()
      if (ids === 'any' || changes === 'any') untold.set(orgId, 'any')
      else {
        for (const id of changes) ids.add(id)
        untold.set(orgId, ids.size > mostNamed ? 'any' : ids)
      }
      timer ??= setTimeout(flush, gatherMilliseconds)
    },
    hear({ changed, connected }) {
      listener ??= listen(url, channel, {
        heard: (payload) => {
          const [teller, orgId = '', ids = ''] = payload.split(' ')
          if (teller !== self) changed(orgId, ids === '*' ? 'any' : ids.split(','))
        },
        connected,
        lost: report,
      })
    },
    isHearing: () => listener?.isHearing() ?? false,
    async close() {
      flush()
      await Promise.all([telling, listener?.close()])
    },
  }
}

function payloadsOf(self: string, orgId: string, ids: ReadonlySet<string> | 'any'): string[] {
  if (ids === 'any') return [`${self} ${orgId} *`]
  const all = [...ids]
  const parts = Array.from({ length: Math.ceil(all.length / idsPerPayload) }, (_, n) =>
    all.slice(n * idsPerPayload, (n + 1) * idsPerPayload),
  )
  return parts.map((part) => `${self} ${orgId} ${part.join(',')}`)
}
