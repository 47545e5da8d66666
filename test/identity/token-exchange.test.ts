import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { issuedTokenVerifier } from '../../src/identity/oidc/verify-token.ts'
import { auth } from '../helpers/privx.ts'
import { startWorld } from '../helpers/world.ts'

const now = new Date('2026-11-21T12:00:00.000Z')
const seconds = now.getTime() / 1000
const issuer = 'https://issuer.example'
const claims = { iss: issuer, aud: 'quorate', sub: 'someone', exp: seconds + 300, email: 'a@example.com' }

const [ours, others] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')])
const jwks = { keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'one', alg: 'RS256' }] }
const verifier = (fetch = async () => Response.json(jwks)) =>
  issuedTokenVerifier({ issuer, clientId: 'quorate', jwksUri: `${issuer}/jwks` }, fetch, 30)
const signed = async (change: object = {}, key = ours.privateKey) =>
  await new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(key)

test('a token of the provider for our client says who it is of', async () => {
  expect(await verifier()(await signed(), now)).toMatchObject({ email: 'a@example.com' })
})

test.each([
  ['JWT_TOKEN_EXPIRED', { exp: seconds - 31 }],
  ['INVALID_ISSUER', { iss: 'https://other.example' }],
  ['INVALID_AUDIENCE', { aud: 'another' }],
  ['INVALID_JWT_TOKEN_FORMAT', { exp: undefined }],
])('%s: %o is refused', async (code, change) => {
  await expect(verifier()(await signed(change), now)).rejects.toMatchObject({ code })
})

test('another key, a shared secret and no token are refused', async () => {
  const secret = new TextEncoder().encode('x'.repeat(32))
  const shared = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(secret)
  const forged = await signed({}, others.privateKey)
  await expect(verifier()(forged, now)).rejects.toMatchObject({ code: 'JWT_TOKEN_INVALID' })
  await expect(verifier()(shared, now)).rejects.toMatchObject({ code: 'JWT_TOKEN_INVALID' })
  await expect(verifier()('nonsense', now)).rejects.toMatchObject({ code: 'JWT_TOKEN_MALFORMED' })
})

test('a provider whose keys cannot be had is a fault of ours', async () => {
  const down = verifier(async () => await Promise.reject(new Error('down')))
  await expect(down(await signed(), now)).rejects.toMatchObject({ code: 'IDENTITY_PROVIDER_FAILED' })
})

test('without a configured provider no token is exchanged', async () => {
  await using world = await startWorld()
  const { status, body } = await world.anyone.post(`${auth}/token/login`, { token: await signed() })
  expect([status, body.error_code]).toEqual([401, 'UNAUTHORIZED'])
})
