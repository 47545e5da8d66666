import * as oidc from 'openid-client'
import type { SignInConfig } from '../../config/config.ts'
import { AppError } from '../../errors.ts'
import { issuedTokenVerifier, type VerifyIssuedToken } from './verify-token.ts'
import { developmentClientId, developmentIssuer } from './development/issuer.ts'

/** A person as the identity provider vouches for them. */
export interface Identity {
  readonly email: string
  readonly displayName: string
  /** When they last proved who they are, in seconds; null when the provider does not say. */
  readonly authTime: number | null
}

export interface AuthorizationRequest {
  readonly state: string
  readonly challenge: string
  readonly nonce: string
  readonly redirectUri: string
  /** Makes the provider ask for a sign-in even of someone who is signed in there. */
  readonly freshSignIn?: boolean
}

export interface CodeExchange {
  readonly code: string
  readonly verifier: string
  readonly nonce: string
  readonly redirectUri: string
}

/** The OpenID provider that people sign in at. */
export interface IdentityProvider {
  /** @throws AppError IDENTITY_PROVIDER_FAILED */
  authorizationUrl(request: AuthorizationRequest): Promise<string>
  /** @throws AppError PKCE_CODE_VERIFICATION_FAILED, AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER, IDENTITY_PROVIDER_FAILED */
  redeem(exchange: CodeExchange): Promise<Identity>
  /**
   * The person whom a JWT of the provider names. The development provider issues none that would count.
   * @throws AppError INVALID_ISSUER, INVALID_AUDIENCE, JWT_TOKEN_*, AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER, IDENTITY_PROVIDER_FAILED
   */
  verify(token: string, now: Date): Promise<Identity>
  /** Sends the provider's requests another way: the embedded provider is called within the process. */
  reachThrough(fetch: oidc.CustomFetch): void
}

const scope = 'openid profile email'
const timeoutSeconds = 10
const clockToleranceSeconds = 30

/** Nothing is asked of the provider until someone signs in, so the server starts while it is down. */
export function openIdentityProvider(signIn: SignInConfig, publicUrl: () => string): IdentityProvider {
  let reach: oidc.CustomFetch = (url, options) => fetch(url, options as RequestInit)
  let known: { readonly issuer: string; readonly configuration: Promise<oidc.Configuration> } | null = null

  const configuration = async (): Promise<oidc.Configuration> => {
    const issuer = signIn.kind === 'development' ? developmentIssuer(publicUrl()) : signIn.issuer
    if (known?.issuer !== issuer) {
      const found = { issuer, configuration: discover(signIn, issuer, (url, options) => reach(url, options)) }
      known = found
      // A failure is not remembered: the next sign-in asks again.
      found.configuration.catch(() => {
        if (known === found) known = null
      })
    }
    return await known.configuration
  }

  let verifying: { readonly by: oidc.Configuration; readonly verify: VerifyIssuedToken } | null = null

  const verifier = async ({ clientId }: { readonly clientId: string }): Promise<VerifyIssuedToken> => {
    const by = await configuration().catch((cause: unknown) => {
      throw new AppError('IDENTITY_PROVIDER_FAILED', undefined, { cause })
    })
    const { issuer, jwks_uri: jwksUri } = by.serverMetadata()
    if (jwksUri === undefined) throw new AppError('IDENTITY_PROVIDER_FAILED')
    if (verifying?.by !== by) {
      const fetchKeys = (url: string, options: object) => reach(url, options as Parameters<oidc.CustomFetch>[1])
      verifying = { by, verify: issuedTokenVerifier({ issuer, clientId, jwksUri }, fetchKeys, clockToleranceSeconds) }
    }
    return verifying.verify
  }

  return {
    async authorizationUrl({ state, challenge, nonce, redirectUri, freshSignIn = false }) {
      try {
        return oidc.buildAuthorizationUrl(await configuration(), {
          scope,
          state,
          redirect_uri: redirectUri,
          code_challenge: challenge,
          code_challenge_method: 'S256',
          nonce,
          // With max_age the provider must say when the person signed in (OpenID Connect Core section 3.1.2.1).
          ...(freshSignIn && { prompt: 'login', max_age: '0' }),
        }).href
      } catch (cause) {
        throw new AppError('IDENTITY_PROVIDER_FAILED', undefined, { cause })
      }
    },

    async redeem(exchange) {
      try {
        const { idToken, userInfo } = await exchangeCode(await configuration(), exchange)
        return identityOf({ claims: userInfo, authTime: idToken.auth_time ?? null })
      } catch (cause) {
        if (cause instanceof AppError) throw cause
        throw new AppError('IDENTITY_PROVIDER_FAILED', undefined, { cause })
      }
    },

    async verify(token, now) {
      if (signIn.kind === 'development') throw new AppError('INVALID_ISSUER')
      const claims = await (await verifier(signIn))(token, now)
      return identityOf({ claims, authTime: null })
    },

    reachThrough(fetch) {
      reach = fetch
    },
  }
}

async function discover(signIn: SignInConfig, issuer: string, fetch: oidc.CustomFetch): Promise<oidc.Configuration> {
  const url = new URL(issuer)
  const isEmbedded = signIn.kind === 'development'
  const secret = isEmbedded ? null : signIn.clientSecret
  return await oidc.discovery(
    url,
    isEmbedded ? developmentClientId : signIn.clientId,
    { [oidc.clockTolerance]: clockToleranceSeconds },
    secret === null ? oidc.None() : clientSecret(secret),
    {
      [oidc.customFetch]: fetch,
      timeout: timeoutSeconds,
      // The signature of an ID token is checked although it comes straight from the provider: over plain http on
      // loopback there is no TLS that would vouch for it (OpenID Connect Core section 3.1.3.7, item 6).
      execute: [
        oidc.enableNonRepudiationChecks,
        // The configuration lets http pass on loopback only.
        ...(url.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
      ],
    },
  )
}

/** client_secret_basic, the default of OpenID Connect Discovery, unless the provider names other methods only. */
function clientSecret(secret: string): oidc.ClientAuth {
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)]
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const method = methods.includes('client_secret_basic') ? basic : post
    return method(server, client, body, headers)
  }
}

interface ProvedClaims {
  readonly idToken: oidc.IDToken
  readonly userInfo: oidc.UserInfoResponse
}

async function exchangeCode(configuration: oidc.Configuration, exchange: CodeExchange): Promise<ProvedClaims> {
  const tokens = await redeemCode(configuration, exchange)
  const idToken = tokens.claims()
  if (idToken === undefined) throw new Error('the identity provider sent no id_token')
  if (idToken.nonce !== exchange.nonce) throw new Error('the id_token is not of this sign-in: its nonce is another')
  // Refuses when userinfo speaks of another subject (OpenID Connect Core section 5.3.2).
  const userInfo = await oidc.fetchUserInfo(configuration, tokens.access_token, idToken.sub)
  return { idToken, userInfo }
}

// The general grant and not `authorizationCodeGrant`, which rebuilds the redirect URI from the address that was called
// and so loses its query; our client sends us code and state alone. State was matched by finding the flow under it.
async function redeemCode(configuration: oidc.Configuration, { code, verifier, redirectUri }: CodeExchange) {
  try {
    const parameters = { code, redirect_uri: redirectUri, code_verifier: verifier }
    return await oidc.genericGrantRequest(configuration, 'authorization_code', parameters)
  } catch (cause) {
    if (cause instanceof oidc.ResponseBodyError && rejectionsOfCode.includes(cause.error)) {
      throw new AppError('PKCE_CODE_VERIFICATION_FAILED', undefined, { cause })
    }
    throw cause
  }
}

const rejectionsOfCode = ['invalid_grant', 'invalid_request']

function identityOf({
  claims,
  authTime,
}: {
  claims: Readonly<Record<string, unknown>>
  authTime: number | null
}): Identity {
  const { email, email_verified: isVerified, name, preferred_username: userName } = claims
  // Some providers send the claim as text.
  if (typeof email !== 'string' || !isEmail(email) || String(isVerified) === 'false') {
    throw new AppError('AUTH_MISSING_EMAIL_FROM_OIDC_PROVIDER')
  }
  const displayName = [name, userName].find((text) => typeof text === 'string' && isName(text)) ?? email
  return { email, displayName: displayName as string, authTime }
}

/** Not a judge of addresses, which is the provider's part: only what we can store and show. */
function isEmail(text: string): boolean {
  return text.length <= 255 && /^[^\s\p{Cc}@]+@[^\s\p{Cc}@]+$/u.test(text) && text.isWellFormed()
}

function isName(text: string): boolean {
  return text.trim() !== '' && text.length <= 255 && text.isWellFormed() && !text.includes('\0')
}
