import { pino, type Logger } from 'pino'
import { v7 as uuidv7 } from 'uuid'
import type { Config } from './config/config.ts'
import { deliveryLeaseSeconds } from './config/delivery.ts'
import { masterKeyId } from './config/master-keys.ts'
import type { KeyRing } from './config/secrets.ts'
import { openIdentityProvider, type IdentityProvider } from './identity/oidc/identity-provider.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { systemNetwork, type Network } from './outgoing/network.ts'
import { readDataKeys } from './store/data-keys.ts'
import { defaultLeases } from './store/job-queue.ts'
import { openStore, type Db, type Store } from './store/open.ts'
import { sealServerSecrets, serverSecret } from './store/server-secrets.ts'

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
}

export type Overrides = Partial<Pick<Ctx, 'clock' | 'newId' | 'log' | 'network'>>

/** @throws AppError when the store cannot be opened */
export async function createContext(config: Config, overrides: Overrides = {}): Promise<Ctx> {
  const log = overrides.log ?? pino({ level: config.logLevel })
  const clock = overrides.clock ?? { now: () => new Date() }
  const store = await openStore(config.store, { ...defaultLeases, deliver: deliveryLeaseSeconds(config.delivery) })
  const keys = await openKeys(store.db, config, clock, log).catch(async (cause: unknown) => {
    await store.close()
    throw cause
  })
  const ctx: Ctx = {
    config,
    store,
    db: store.db,
    clock,
    newId: overrides.newId ?? (() => uuidv7()),
    keys,
    log,
    metrics: createMetrics(),
    network: overrides.network ?? systemNetwork,
    identityProvider: openIdentityProvider(config.signIn, () => ctx.publicUrl),
    publicUrl: config.publicUrl ?? `http://${config.host}:${config.port}`,
    get frontendUrl() {
      return config.frontendUrl ?? `${ctx.publicUrl}/ui`
    },
    close: () => store.close(),
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
  }
}
