import { Type } from 'typebox'
import { AppError } from '../../../errors.ts'
import { asObject, refuse } from './read.ts'

/** Reads the body of `POST /auth/agents/challenge`. @throws AppError REQUEST_INVALID_AGENT_NAME */
export function parseChallengedName(body: unknown): string {
  const { agentName } = asObject(body ?? {}, 'REQUEST_INVALID_AGENT_NAME')
  if (typeof agentName !== 'string' || agentName.trim() === '') refuse('REQUEST_INVALID_AGENT_NAME', 'agentName')
  return agentName
}

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const clientAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * Reads the body of `POST /auth/agents/token`; gives the assertion (contract §1.3).
 * @throws AppError REQUEST_INVALID_CLIENT_ASSERTION_FORMAT, REQUEST_INVALID_GRANT_TYPE,
 * REQUEST_INVALID_CLIENT_ASSERTION_TYPE, REQUEST_MISSING_CLIENT_ASSERTION
 */
export function parseAssertion(body: unknown): string {
  const fields = asObject(body, 'REQUEST_INVALID_CLIENT_ASSERTION_FORMAT')
  if (fields['grantType'] !== grantType) refuse('REQUEST_INVALID_GRANT_TYPE', 'grantType')
  if (fields['clientAssertionType'] !== clientAssertionType) {
    refuse('REQUEST_INVALID_CLIENT_ASSERTION_TYPE', 'clientAssertionType')
  }
  const assertion = fields['clientAssertion'] ?? ''
  if (assertion === '') refuse('REQUEST_MISSING_CLIENT_ASSERTION', 'clientAssertion')
  if (typeof assertion !== 'string') refuse('REQUEST_INVALID_CLIENT_ASSERTION_FORMAT', 'clientAssertion')
  return assertion
}

/** The proof that a refresh must carry. @throws AppError REQUEST_INVALID_DPOP_JKT */
export function requireProof(header: string | undefined): string {
  if (header === undefined || header.trim() === '') {
    throw new AppError('REQUEST_INVALID_DPOP_JKT', undefined, { field: 'DPoP' })
  }
  return header
}

export const ChallengeSchema = Type.Object({
  challenge: Type.String({
    description: 'Base64 of RSA-OAEP-SHA256 of {audience?, issuer, nonce, expires_at, expiresAt}.',
  }),
})

export const ChallengeBodySchema = Type.Object({ agentName: Type.String({ minLength: 1 }) })

export const AssertionBodySchema = Type.Object({
  grantType: Type.Literal(grantType),
  clientAssertionType: Type.Literal(clientAssertionType),
  clientAssertion: Type.String({ description: 'A JWT (RFC 7523), RS256; its jti is the nonce of the challenge.' }),
})
