import { invalid } from './checks.ts'
import type { RawEnv } from './env.ts'

export interface ClientPair {
  readonly id: string
  readonly secret: string
}

/** The first callers of the privx dialect (contract privx §5); without them no machine signs in to it until an admin makes one. */
export interface PrivxClients {
  /** The installation's OAuth client. */
  readonly oauthClient: ClientPair | null
  /** An API client that holds the role privx-admin. */
  readonly apiClient: ClientPair | null
  /** One of them has a secret of the demo, which anyone can read in the documentation. */
  readonly isPublished: boolean
}

/** The demo's, which anyone can read in the documentation. Where they count, anyone may sign in as the organization admin anyway. */
export const demoOauthClient = { id: 'privx-external', secret: 'demo-oauth-secret' } as const
export const demoApiClient = { id: '00000000-0000-4000-8000-0000000000a1', secret: 'demo-api-secret' } as const

/**
 * @param isOpenDemo the demo with the development sign-in
 * @throws AppError CONFIGURATION_INVALID naming the variable
 */
export function privxClientsOf(raw: RawEnv, isOpenDemo: boolean): PrivxClients {
  const { QUORATE_PRIVX_OAUTH_CLIENT: oauth, QUORATE_PRIVX_API_CLIENT: api } = raw
  const oauthClient = pairOf('QUORATE_PRIVX_OAUTH_CLIENT', oauth, isOpenDemo, demoOauthClient)
  const apiClient = pairOf('QUORATE_PRIVX_API_CLIENT', api, isOpenDemo, demoApiClient)
  const isPublished = oauthClient?.secret === demoOauthClient.secret || apiClient?.secret === demoApiClient.secret
  return { oauthClient, apiClient, isPublished }
}

function pairOf(name: string, value: string | undefined, isOpenDemo: boolean, demo: ClientPair): ClientPair | null {
  if (value === undefined) return isOpenDemo ? demo : null
  const colon = value.indexOf(':')
  const pair = { id: value.slice(0, Math.max(colon, 0)), secret: value.slice(colon + 1) }
  // What a Basic user name and a form carry without encoding.
  if (!/^[\x21-\x39\x3b-\x7e]{1,255}:[\x21-\x7e]{1,255}$/.test(value)) {
    invalid(name, 'must be id:secret, in ASCII without blanks, each of up to 255 characters')
  }
  if (pair.secret === demo.secret && !isOpenDemo)
    invalid(name, 'has the published secret of the demo; choose one that is secret')
  return pair
}
