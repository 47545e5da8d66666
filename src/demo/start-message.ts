import type { Ctx } from '../context.ts'
import { demoApiClient, demoOauthClient, type ClientPair } from '../config/privx-clients.ts'
import { demoPassword } from '../custody/sign-in.ts'
import { defaultOrganization } from '../identity/organization.ts'
import { demoPeople } from '../identity/oidc/development/people.ts'

/** What a person reads who has just started the server in a terminal. */
export function startMessage({ config, publicUrl, store }: Ctx, tlsPort: number | null = null): string {
  const lines = [`Quorate is ready at ${publicUrl}`, `  The API and its description: ${publicUrl}/docs`]
  if (tlsPort !== null) lines.push(`  With TLS on port ${tlsPort}`)
  if (config.signIn.kind === 'development') {
    lines.push('', 'Sign-in is the development one: choose who you are, no password. Anyone on this machine may.')
  }
  if (config.demo) {
    const [admin, ...others] = demoPeople.map(({ email }) => email)
    lines.push(`  ${admin} is the organization admin; ${others.join(', ')} vote.`)
    lines.push('  Try "npm run demo" in another terminal to see a release being approved.')
  }
  const { oauthClient, apiClient } = config.privx
  if (config.privx.isPublished && oauthClient !== null && apiClient !== null) {
    lines.push(
      '',
      'Clients of the PrivX API sign in as',
      `  OAuth client ${oauthClient.id}, secret ${shown(oauthClient, demoOauthClient)}`,
      `  API client ${apiClient.id}, secret ${shown(apiClient, demoApiClient)}`,
    )
  }
  if (config.demo && config.fortanix.takesDemoPassword) {
    const [admin] = demoPeople.map(({ email }) => email)
    lines.push(
      '',
      `Clients of the Fortanix API sign in as ${admin} (administrator) or one of the others, password ${demoPassword},`,
      `  and select the account ${defaultOrganization.id}`,
    )
  }
  lines.push(
    '',
    store.engine === 'pglite'
      ? 'Data is kept by the embedded PGlite, for one process. For production set DATABASE_URL to a PostgreSQL server.'
      : 'Data is kept in PostgreSQL; any number of processes may share it.',
  )
  return `${lines.join('\n')}\n`
}

/** A secret that is nobody's but the operator's is not printed. */
function shown({ secret }: ClientPair, published: ClientPair): string {
  return secret === published.secret ? secret : 'as configured'
}
