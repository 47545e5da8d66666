import { isKeyName } from '../proof/note.ts'
import { adminKeyOf, type AdminKey } from './admin-key.ts'
import { invalid, isLoopback, isNetwork, oneOf } from './checks.ts'
import { deliveryConfig, type DeliveryConfig } from './delivery.ts'
import type { RawEnv } from './env.ts'
import { masterKeysOf } from './master-keys.ts'
import type { KeyRing } from './secrets.ts'
import { privxClientsOf, type PrivxClients } from './privx-clients.ts'
import { tlsConfig, type TlsConfig } from './tls.ts'
import { watchingConfig, type WatchingConfig } from './watching.ts'
import { webauthnConfig, type WebauthnConfig } from './webauthn.ts'
import { witnessesConfig, type WitnessesConfig } from './witnesses.ts'

export type StoreConfig =
  | { readonly engine: 'pglite'; readonly directory: string }
  | { readonly engine: 'postgres'; readonly url: string }

export type SignInConfig =
  | { readonly kind: 'development' }
  | {
      readonly kind: 'external'
      readonly issuer: string
      readonly clientId: string
      readonly clientSecret: string | null
    }

const leverNames = ['read_only_mode', 'disable_workflow_creation', 'disable_workflow_expiration_sweep'] as const
export type Lever = (typeof leverNames)[number]

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export interface Config {
  readonly host: string
  readonly port: number
  /** Where clients reach us, without a trailing slash; absent until the listener knows its port. */
  readonly publicUrl: string | null
  /** Where browsers go after a sign-in, without a trailing slash; absent while it hangs on a public URL that is not known yet. */
  readonly frontendUrl: string | null
  /** Whose forwarded headers are believed: addresses and networks, or how many proxies stand in front; null for nobody's. */
  readonly trustedProxy: readonly string[] | number | null
  /** Calls a minute that one caller may make; 0 for any number. */
  readonly rateLimit: number
  /** Whether cookies are kept to https; null leaves it to the public URL. */
  readonly secureCookies: boolean | null
  /** Whether people can step up at all. */
  readonly stepUp: boolean
  readonly store: StoreConfig
  readonly demo: boolean
  readonly signIn: SignInConfig
  /** What the server's own keys are sealed under; null keeps them readable in the store. */
  readonly masterKeys: KeyRing | null
  /** Null when there is none. */
  readonly adminKey: AdminKey | null
  /** What the machine callers of the privx dialect sign in with. */
  readonly privx: PrivxClients
  readonly fortanix: {
    /** Whoever says that an address is theirs becomes a user; nobody checks it. */
    readonly openSignUp: boolean
    /** The published password of the demo's people lets them in. */
    readonly takesDemoPassword: boolean
    /** Whoever asked may approve it themselves where a policy names them. */
    readonly allowsSelfApproval: boolean
  }
  /** Null when there is no TLS listener. */
  readonly tls: TlsConfig | null
  readonly levers: ReadonlySet<Lever>
  readonly delivery: DeliveryConfig
  readonly watching: WatchingConfig
  readonly witnesses: WitnessesConfig
  /** Beside the public URL, what security keys sign for. */
  readonly webauthn: WebauthnConfig
  readonly logLevel: LogLevel
}

/**
 * Checks the raw environment and fills in the defaults of design §8. Impossible combinations refuse to start.
 * @throws AppError CONFIGURATION_INVALID naming the variable
 */
export function loadConfig(raw: RawEnv): Config {
  const host = raw.HOST ?? '127.0.0.1'
  const store = storeOf(raw)
  const signIn = signInOf(raw)
  if (signIn.kind === 'development') requireSafeForDevelopmentSignIn(host, raw)
  const publicUrl = publicUrlOf(raw.QUORATE_PUBLIC_URL)
  const demo = flag('QUORATE_DEMO', raw.QUORATE_DEMO, store.engine === 'pglite' && signIn.kind === 'development')
  return {
    host,
    port: portOf(raw.PORT),
    publicUrl,
    frontendUrl: frontendUrlOf(raw.QUORATE_FRONTEND_URL) ?? (publicUrl && `${publicUrl}/ui`),
    secureCookies:
      raw.QUORATE_COOKIE_SECURE === undefined ? null : flag('QUORATE_COOKIE_SECURE', raw.QUORATE_COOKIE_SECURE, true),
    stepUp: flag('QUORATE_STEP_UP', raw.QUORATE_STEP_UP, true),
    trustedProxy: trustedProxyOf(raw.QUORATE_TRUST_PROXY),
    rateLimit: rateLimitOf(raw.QUORATE_RATE_LIMIT),
    store,
    demo,
    signIn,
    masterKeys: masterKeysOf(raw.QUORATE_MASTER_KEY),
    adminKey: adminKeyOf(raw.QUORATE_ADMIN_KEY, demo && signIn.kind === 'development'),
    privx: privxClientsOf(raw, demo && signIn.kind === 'development'),
    fortanix: {
      openSignUp: flag(
        'QUORATE_FORTANIX_OPEN_SIGNUP',
        raw.QUORATE_FORTANIX_OPEN_SIGNUP,
        demo && signIn.kind === 'development',
      ),
      takesDemoPassword: demo && signIn.kind === 'development',
      allowsSelfApproval:
        oneOf('QUORATE_SELF_APPROVAL', raw.QUORATE_SELF_APPROVAL ?? 'allow', ['allow', 'deny']) === 'allow',
    },
    tls: tlsConfig(raw),
    levers: leversOf(raw.QUORATE_LEVERS),
    delivery: deliveryConfig(raw),
    watching: watchingConfig(raw),
    witnesses: witnessesConfig(raw),
    webauthn: webauthnConfig(raw, publicUrl),
    logLevel: oneOf('LOG_LEVEL', raw.LOG_LEVEL ?? 'info', logLevels),
  }
}

function storeOf(raw: RawEnv): StoreConfig {
  if (raw.DATABASE_URL === undefined) return { engine: 'pglite', directory: raw.QUORATE_DATA_DIR ?? './data' }
  if (!/^postgres(ql)?:\/\//.test(raw.DATABASE_URL))
    invalid('DATABASE_URL', 'must start with postgres:// or postgresql://')
  return { engine: 'postgres', url: raw.DATABASE_URL }
}

function signInOf(raw: RawEnv): SignInConfig {
  if (raw.OIDC_ISSUER === undefined) return { kind: 'development' }
  if (raw.OIDC_CLIENT_ID === undefined) invalid('OIDC_CLIENT_ID', 'is needed when OIDC_ISSUER is set')
  return {
    kind: 'external',
    issuer: issuerOf(raw.OIDC_ISSUER),
    clientId: raw.OIDC_CLIENT_ID,
    clientSecret: raw.OIDC_CLIENT_SECRET ?? null,
  }
}

// What it says decides who people are, so nobody on the way may change it.
function issuerOf(value: string): string {
  const { protocol, hostname } = new URL(httpUrl('OIDC_ISSUER', value))
  if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''))) {
    invalid('OIDC_ISSUER', 'must be an https URL unless the provider runs on this machine')
  }
  return value
}

// Anyone may sign in as anyone at the development provider, so it must never be reachable by others (design §6).
function requireSafeForDevelopmentSignIn(host: string, raw: RawEnv): void {
  if (raw.NODE_ENV === 'production') {
    invalid('OIDC_ISSUER', 'is required with NODE_ENV=production: the development sign-in lets anyone be anyone')
  }
  if (!isLoopback(host)) {
    invalid('OIDC_ISSUER', `is required when HOST is ${host}: the development sign-in serves loopback addresses only`)
  }
}

/** @throws AppError CONFIGURATION_INVALID */
export function portOf(value: string | undefined, fallback = 8080, name = 'PORT'): number {
  if (value === undefined) return fallback
  const port = Number(value)
  if (!/^\d{1,5}$/.test(value) || port > 65_535) invalid(name, 'must be a number from 0 to 65535')
  return port
}

// Logs are named after its host, and a URL may have one that no log's key may have.
function publicUrlOf(value: string | undefined): string | null {
  if (value === undefined) return null
  const url = httpUrl('QUORATE_PUBLIC_URL', value).replace(/\/+$/, '')
  if (!isKeyName(new URL(url).host)) invalid('QUORATE_PUBLIC_URL', 'must have a host without plus and quotation mark')
  return url
}

function trustedProxyOf(value: string | undefined): readonly string[] | number | null {
  if (value === undefined) return null
  if (/^[1-9]\d?$/.test(value)) return Number(value)
  const networks = value.split(',').map((network) => network.trim())
  if (!networks.every(isNetwork)) {
    invalid(
      'QUORATE_TRUST_PROXY',
      'must be addresses and networks (10.0.0.0/8), separated by commas, or a number of proxies',
    )
  }
  return networks
}

function rateLimitOf(value: string | undefined): number {
  if (value === undefined) return 600
  if (!/^\d{1,9}$/.test(value)) invalid('QUORATE_RATE_LIMIT', 'must be a number of calls a minute; 0 switches it off')
  return Number(value)
}

// Paths and reasons are put behind it.
function frontendUrlOf(value: string | undefined): string | null {
  if (value === undefined) return null
  const { href, search, hash, username, password } = new URL(httpUrl('QUORATE_FRONTEND_URL', value))
  if (search + hash + username + password !== '') {
    invalid('QUORATE_FRONTEND_URL', 'must have no query, fragment or user name')
  }
  // As it goes into a header: a host or path beyond ASCII is encoded.
  return href.replace(/\/+$/, '')
}

function httpUrl(name: string, value: string): string {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) invalid(name, 'must be an http or https URL')
  return value
}

function leversOf(value: string | undefined): ReadonlySet<Lever> {
  const named = (value ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return new Set(named.map((name) => oneOf('QUORATE_LEVERS', name, leverNames)))
}

function flag(name: string, value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback
  return oneOf(name, value, ['0', '1']) === '1'
}
