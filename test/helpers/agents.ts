import { constants, createHash, privateDecrypt, type KeyObject } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { defaultOrganization } from '../../src/identity/organization.ts'
import { insertPrincipal } from '../../src/store/people.ts'
import { newKeyPair, pemOf, proofHeader, sign } from './signing.ts'
import type { Answer, Client, World } from './world.ts'

export { newKeyPair, pemOf, proofHeader, sign }

/** A machine with its key. */
export interface Machine {
  readonly id: string
  readonly name: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** Puts an agent with a key of its own into the store. */
export async function machine(
  world: World,
  name: string,
  owner: Client | null = null,
  settings: { dpopRequired?: boolean } = {},
): Promise<Machine> {
  const { privateKey, publicKey } = await newKeyPair()
  const { db, newId } = world.ctx
  const id = newId()
  const person =
    owner === null
      ? null
      : await db.selectFrom('principals').select('person_id').where('id', '=', owner.id).executeTakeFirstOrThrow()
  await db.transaction().execute((tx) =>
    insertPrincipal(tx, {
      org_id: defaultOrganization.id,
      id,
      kind: 'agent',
      person_id: person?.person_id ?? null,
      name,
      public_key: pemOf(publicKey),
      dpop_required: settings.dpopRequired ?? false,
      created_at: world.clock.now(),
    }),
  )
  return { id, name, privateKey, publicKey }
}

export const secondsOf = (world: World): number => Math.floor(world.clock.now().getTime() / 1000)

/** What a challenge says to who can read it. */
export function readChallenge(privateKey: KeyObject, challenge: string): Record<string, string> {
  const padding = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  return JSON.parse(privateDecrypt(padding, Buffer.from(challenge, 'base64')).toString()) as Record<string, string>
}

export async function nonceFor(world: World, agent: Machine): Promise<string> {
  const { body } = await world.anyone.post('/auth/agents/challenge', { agentName: agent.name })
  return readChallenge(agent.privateKey, body.challenge)['nonce'] ?? ''
}

export const goodAssertion = (world: World, agent: Machine, nonce: string): JWTPayload => ({
  iss: agent.name,
  sub: agent.name,
  aud: 'Approvio',
  exp: secondsOf(world) + 60,
  jti: nonce,
})

const grant = {
  grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  clientAssertionType: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
}

export const tokenBody = (clientAssertion: unknown): object => ({ ...grant, clientAssertion })

export async function redeem(at: Pick<World, 'anyone'>, assertion: unknown, proof?: string): Promise<Answer> {
  const headers = proof === undefined ? {} : { dpop: proof }
  return await at.anyone.post('/auth/agents/token', tokenBody(assertion), headers)
}

let proofs = 0

/** The claims of a proof for a call to an injected server; with an access token also its hash. */
export const goodProof = (world: World, method: string, path: string, accessToken?: string): JWTPayload => ({
  jti: `proof-${++proofs}`,
  htm: method,
  htu: `http://localhost${path}`,
  iat: secondsOf(world),
  ...(accessToken !== undefined && { ath: createHash('sha256').update(accessToken).digest('base64url') }),
})

export async function proofFor(
  world: World,
  agent: Machine,
  method: string,
  path: string,
  accessToken?: string,
): Promise<string> {
  return await sign(agent.privateKey, goodProof(world, method, path, accessToken), proofHeader)
}

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
}

/** Signs an agent in the whole way. */
export async function signedInAgent(world: World, agent: Machine, isBound = false): Promise<Tokens> {
  const assertion = await sign(agent.privateKey, goodAssertion(world, agent, await nonceFor(world, agent)))
  const proof = isBound ? await proofFor(world, agent, 'POST', '/auth/agents/token') : undefined
  const answer = await redeem(world, assertion, proof)
  if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status} ${answer.body.code}`)
  return answer.body as Tokens
}

/** Status and code, as tables of refusals list them. */
export const saidOf = ({ status, body }: Answer): readonly [number, unknown] => [status, body.code]
