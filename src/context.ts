import { pino, type Logger } from 'pino'
import { v7 as uuidv7 } from 'uuid'
import { macKey, type MacKey } from './config/mac-key.ts'
import type { Config } from './config/config.ts'
import { deliveryLeaseSeconds } from './config/delivery.ts'
import { masterKeyId } from './config/master-keys.ts'
import type { KeyRing } from './config/secrets.ts'
import { openChangeFeed } from './store/change-feed.ts'
import { openIdentityProvider, type IdentityProvider } from './identity/oidc/identity-provider.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { systemNetwork, type Network } from './outgoing/network.ts'
import { readDataKeys } from './store/data-keys.ts'
import { defaultLeases } from './store/job-queue.ts'
import { openStore, type Db, type Store } from './store/open.ts'
import { sealServerSecrets, serverSecret } from './store/server-secrets.ts'
import { createNotices, type Notices } from './watching/notices.ts'

/** Everything a use case may reach. Built once; tests override fields. */
export interface Ctx {
  readonly config: Config
  readonly store: Store
  readonly db: Db
  readonly clock: Clock
  /** A fresh UUIDv7. */
  readonly newId: () => string
  readonly keys: Keys
  readonly log: Logger
  readonly metrics: Metrics
  /** How calls to addresses that users supplied leave this machine. */
  readonly network: Network
  /** Tells those who wait for a request that it has changed. */
  readonly notices: Notices
  /** Who vouches for people. */
  readonly identityProvider: IdentityProvider
  /** Where clients reach us, without a trailing slash; known once the listener is. */
  publicUrl: string
  /** Where the web UI is, without a trailing slash. */
  readonly frontendUrl: string
  close(): Promise<void>
}

export interface Clock {
  now(): Date
}

export interface Keys {
  /** Signs access tokens (HS256). */
  readonly token: Buffer
  /** Encrypts what is secret inside our own tables. */
  readonly atRest: KeyRing
  /** Marks the leaves that the server writes: no others are sealed. */
  readonly leafMark: MacKey
}

export type Overrides = Partial<Pick<Ctx, 'clock' | 'newId' | 'log' | 'network'>> & {
  /** How often watchers are seen to, for tests. */
  readonly watchBeatMilliseconds?: number
}

/** @throws AppError when the store cannot be opened */
export async function createContext(config: Config, overrides: Overrides = {}): Promise<Ctx> {
  const log = overrides.log ?? pino({ level: config.logLevel })
  const clock = overrides.clock ?? { now: () => new Date() }
  const store = await openStore(config.store, { ...defaultLeases, deliver: deliveryLeaseSeconds(config.delivery) })
  const keys = await openKeys(store.db, config, clock, log).catch(async (cause: unknown) => {
    await store.close()
    throw cause
  })
  const metrics = createMetrics(() => store.jobs.depths())
  const feed = openChangeFeed(config.store, store.db, (error) =>
    log.warn({ err: error }, 'changes do not travel between processes; watchers hear of them later'),
  )
  const watching = { db: store.db, clock, log, metrics, feed, limits: config.watching }
  const notices = createNotices(watching, overrides.watchBeatMilliseconds)
  const ctx: Ctx = {
    config,
    store,
    db: store.db,
    clock,
    newId: overrides.newId ?? (() => uuidv7()),
    keys,
    log,
    network: overrides.network ?? systemNetwork,
    metrics,
    notices,
    identityProvider: openIdentityProvider(config.signIn, () => ctx.publicUrl),
    publicUrl: config.publicUrl ?? `http://${config.host}:${config.port}`,
    get frontendUrl() {
      return config.frontendUrl ?? `${ctx.publicUrl}/ui`
    },
    async close() {
      notices.dismiss()
      await feed.close()
      await store.close()
    },
  }
  return ctx
}

/** @throws AppError CONFIGURATION_INVALID without the master key that they are sealed under */
async function openKeys(db: Db, { masterKeys }: Config, clock: Clock, log: Logger): Promise<Keys> {
  const count = await sealServerSecrets(db, masterKeys)
  if (count > 0 && masterKeys !== null) {
    log.info({ masterKey: masterKeyId(masterKeys.held.sealing), count }, 'secrets of the server sealed anew')
  }
  return {
    token: await serverSecret(db, 'access-token', masterKeys, clock.now()),
    atRest: { held: await readDataKeys(db, masterKeys, clock.now()) },
    leafMark: macKey(await serverSecret(db, 'leaf-mark', masterKeys, clock.now())),
  }
}
