import { createRemoteJWKSet, customFetch, errors, jwtVerify, type FetchImplementation, type JWTPayload } from 'jose'
import { AppError, type ErrorCode } from '../../errors.ts'

/** Who a token must come from, and for whom it must be. */
export interface TokenIssuer {
  readonly issuer: string
  readonly clientId: string
  readonly jwksUri: string
}

export type VerifyIssuedToken = (token: string, now: Date) => Promise<JWTPayload>

/** Signatures that are made with a private key: with a shared secret whoever verifies could have made it. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/**
 * A verifier for JWTs that an OpenID provider issued for our client. Its keys are fetched when they are needed and kept.
 * @throws AppError IDENTITY_PROVIDER_FAILED when they cannot be fetched; the JWT_TOKEN_* and INVALID_* codes
 */
export function issuedTokenVerifier(
  { issuer, clientId, jwksUri }: TokenIssuer,
  fetch: FetchImplementation,
  toleranceSeconds: number,
): VerifyIssuedToken {
  const keys = createRemoteJWKSet(new URL(jwksUri), { [customFetch]: fetch })
  return async (token, now) => {
    try {
      const options = { issuer, audience: clientId, algorithms, requiredClaims: ['exp', 'sub'] }
      return (await jwtVerify(token, keys, { ...options, currentDate: now, clockTolerance: toleranceSeconds })).payload
    } catch (cause) {
      throw new AppError(codeOf(cause), undefined, { cause })
    }
  }
}

function codeOf(failure: unknown): ErrorCode {
  if (failure instanceof errors.JWTExpired) return 'JWT_TOKEN_EXPIRED'
  if (failure instanceof errors.JWTClaimValidationFailed) return claimCodes[failure.claim] ?? 'INVALID_JWT_TOKEN_FORMAT'
  if (failure instanceof errors.JWTInvalid || failure instanceof errors.JWSInvalid) return 'JWT_TOKEN_MALFORMED'
  return refusals.some((refusal) => failure instanceof refusal) ? 'JWT_TOKEN_INVALID' : 'IDENTITY_PROVIDER_FAILED'
}

const claimCodes: Readonly<Record<string, ErrorCode>> = {
  iss: 'INVALID_ISSUER',
  aud: 'INVALID_AUDIENCE',
  nbf: 'JWT_TOKEN_EXPIRED_OR_NOT_YET_VALID',
}

const refusals = [
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
]
