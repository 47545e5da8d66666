/** The environment, read in this one file. Names are fixed by design §8; checking and defaults are in `config.ts`. */
const names = [
  'HOST',
  'PORT',
  'QUORATE_DATA_DIR',
  'DATABASE_URL',
  'QUORATE_PUBLIC_URL',
  'QUORATE_DEMO',
  'QUORATE_MASTER_KEY',
  'QUORATE_ADMIN_KEY',
  'QUORATE_PRIVX_OAUTH_CLIENT',
  'QUORATE_PRIVX_API_CLIENT',
  'QUORATE_FORTANIX_OPEN_SIGNUP',
  'QUORATE_SELF_APPROVAL',
  'TLS_CERT',
  'TLS_KEY',
  'TLS_PORT',
  'QUORATE_LEVERS',
  'QUORATE_FRONTEND_URL',
  'QUORATE_TRUST_PROXY',
  'QUORATE_RATE_LIMIT',
  'QUORATE_WATCHERS',
  'QUORATE_WATCHERS_PER_CALLER',
  'QUORATE_COOKIE_SECURE',
  'QUORATE_STEP_UP',
  'OIDC_ISSUER',
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'SMTP_URL',
  'QUORATE_MAIL_FROM',
  'QUORATE_MAIL_TIMEOUT',
  'QUORATE_WEBHOOK_ALLOW',
  'QUORATE_WEBHOOK_GUARD',
  'QUORATE_WEBHOOK_TIMEOUT',
  'QUORATE_SLACK_TIMEOUT',
  'QUORATE_DELIVERY_ATTEMPTS',
  'QUORATE_DELIVERY_WAIT',
  'QUORATE_DELIVERY_MAX_WAIT',
  'QUORATE_DELIVERY_CONCURRENCY',
  'QUORATE_WEBAUTHN_ORIGINS',
  'QUORATE_U2F_APPID',
  'QUORATE_WITNESSES',
  'QUORATE_WITNESS_QUORUM',
  'QUORATE_WITNESS_NAME',
  'QUORATE_WITNESS_DIR',
  'QUORATE_WITNESS_LOGS',
  'LOG_LEVEL',
  'NODE_ENV',
] as const

export type RawEnv = Partial<Record<(typeof names)[number], string>>

/** Picks our variables out of `source`; an empty string counts as absent. */
export function readEnv(source: NodeJS.ProcessEnv = process.env): RawEnv {
  const raw: RawEnv = {}
  for (const name of names) {
    const value = source[name]
    if (value !== undefined && value.trim() !== '') raw[name] = value.trim()
  }
  return raw
}
