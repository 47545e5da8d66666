import { constants, createHash, createSign, privateDecrypt, randomUUID } from 'node:crypto'
import { call, DemoError, request, serverUrl, type Caller } from './http.ts'

/** A machine that holds the private key of a registered agent. */
export interface Machine {
  readonly agentName: string
  /** PKCS#8 PEM, as the registration showed it once. */
  readonly privateKey: string
}

const tokenPath = '/auth/agents/token'

/**
 * Signs the machine in the way an agent does (contract §6.6): it reads the challenge that only its key opens, answers with
 * an assertion that names the nonce (RFC 7523), and proves the key again (RFC 9449), so that the token works with it alone.
 */
export async function signInMachine(machine: Machine): Promise<Caller & { readonly accessToken: string }> {
  const { agentName } = machine
  const { challenge } = await call<{ challenge: string }>(null, 'POST', '/auth/agents/challenge', { agentName })
  const clientAssertion = sign(
    machine,
    {},
    {
      iss: agentName,
      sub: agentName,
      aud: 'Approvio',
      exp: now() + 60,
      jti: nonceIn(machine, challenge),
    },
  )
  const answer = await request(`${serverUrl}${tokenPath}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', dpop: proof(machine, 'POST', `${serverUrl}${tokenPath}`) },
    body: JSON.stringify({
      grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      clientAssertionType: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      clientAssertion,
    }),
  })
  const body = (await answer.json()) as { accessToken?: string; code?: string; message?: string }
  const { accessToken } = body
  if (accessToken === undefined) {
    throw new DemoError(`The agent's sign-in answered ${answer.status} ${body.code}: ${body.message}`)
  }
  const authorization = (method: string, url: string) => ({
    authorization: `DPoP ${accessToken}`,
    dpop: proof(machine, method, url, accessToken),
  })
  return { name: agentName, accessToken, authorization }
}

function nonceIn({ privateKey }: Machine, challenge: string): string {
  const padding = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  const text = privateDecrypt(padding, Buffer.from(challenge, 'base64')).toString()
  return (JSON.parse(text) as { nonce: string }).nonce
}

/** Proves the key for one call, and for one access token where there is one. */
function proof(machine: Machine, htm: string, htu: string, accessToken?: string): string {
  const ath = accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') }
  return sign(machine, { typ: 'dpop+jwt' }, { jti: randomUUID(), htm, htu, iat: now(), ...ath })
}

function sign({ privateKey }: Machine, header: object, claims: object): string {
  const parts = [{ alg: 'RS256', ...header }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  const input = parts.join('.')
  return `${input}.${createSign('RSA-SHA256').update(input).sign(privateKey, 'base64url')}`
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
