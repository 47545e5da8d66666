import { calculateJwkThumbprint, decodeJwt, SignJWT, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signAccessToken } from '../../src/identity/access-token.ts'
import { requireBinding } from '../../src/identity/agents/token-binding.ts'
import { defaultOrganization } from '../../src/identity/organization.ts'
import {
  goodAssertion,
  goodProof,
  machine,
  nonceFor,
  proofFor,
  proofHeader,
  redeem,
  saidOf,
  sign,
  signedInAgent,
  type Machine,
  type Tokens,
} from '../helpers/agents.ts'
import { startWorld, type Answer, type World } from '../helpers/world.ts'

let world: World
let bot: Machine
let strict: Machine
let bound: Tokens
let bearer: Tokens
let jkt: string
beforeAll(async () => {
  world = await startWorld()
  bot = await machine(world, 'bot')
  strict = await machine(world, 'strict', null, { dpopRequired: true })
  bound = await signedInAgent(world, bot, true)
  bearer = await signedInAgent(world, bot)
  jkt = await calculateJwkThumbprint(bot.publicKey.export({ format: 'jwk' }) as JWK)
})
afterAll(() => world.close())

const info = '/auth/info'
const ask = async (authorization: string, dpop?: string): Promise<Answer> =>
  await world.anyone.get(info, undefined, { authorization, ...(dpop !== undefined && { dpop }) })
const proven = async (tokens: Tokens, agent = bot) =>
  await ask(`DPoP ${tokens.accessToken}`, await proofFor(world, agent, 'GET', info, tokens.accessToken))
/** Another agent, with tokens that are bound to its key. */
const signedInOther = async (name: string): Promise<[Machine, Tokens]> => {
  const agent = await machine(world, name)
  return [agent, await signedInAgent(world, agent, true)]
}
/** An access token that is bound to the key of this thumbprint, signed past every check. */
const boundToken = async ({ id, name }: Pick<Machine, 'id' | 'name'>, thumbprint: string) => {
  const agent = { orgId: defaultOrganization.id, principalId: id, kind: 'agent', name, email: null } as const
  return await signAccessToken(world.ctx.keys.token, world.clock, { ...agent, isAdmin: false, jkt: thumbprint })
}
const change = async (agent: Machine, members: { public_key?: null; disabled_at?: Date }) =>
  await world.ctx.db.updateTable('principals').set(members).where('id', '=', agent.id).execute()
const ok = [200, undefined]
const required = [401, 'DPOP_PROOF_REQUIRED']
const invalid = [401, 'DPOP_PROOF_INVALID']
const unbound = [401, 'DPOP_TOKEN_NOT_BOUND']

describe('RFC 9449 §5, §6: tokens that are bound to the key of the agent', () => {
  it('POST /auth/agents/token with a proof: cnf.jkt is the RFC 7638 thumbprint, and tokenType says DPoP', async () => {
    expect(bound).toMatchObject({ tokenType: 'DPoP' })
    expect(decodeJwt(bound.accessToken)['cnf']).toEqual({ jkt })
    expect(decodeJwt(bearer.accessToken)['cnf']).toBeUndefined()
    expect(bearer).not.toHaveProperty('tokenType')
  })

  it('POST /auth/agents/token with a proof that is refused: the challenge stays usable', async () => {
    const nonce = await nonceFor(world, bot)
    const assertion = await sign(bot.privateKey, goodAssertion(world, bot, nonce))
    const proof = await proofFor(world, bot, 'POST', '/auth/agents/refresh')
    expect(saidOf(await redeem(world, assertion, proof))).toEqual([400, 'DPOP_INVALID_HTU_CLAIM'])
    expect(saidOf(await redeem(world, assertion, ''))).toEqual([400, 'DPOP_JWT_INVALID'])
    const good = await proofFor(world, bot, 'POST', '/auth/agents/token')
    expect((await redeem(world, assertion, good)).body.tokenType).toBe('DPoP')
    const next = await sign(bot.privateKey, goodAssertion(world, bot, await nonceFor(world, bot)))
    expect(saidOf(await redeem(world, next, good))).toEqual([401, 'DPOP_JTI_REUSED'])
    expect(saidOf(await redeem(world, next))).toEqual(ok)
  })

  it('a refresh keeps the binding, and does not make one', async () => {
    const path = '/auth/agents/refresh'
    for (const [tokens, cnf] of [
      [await signedInAgent(world, bot, true), { jkt }],
      [await signedInAgent(world, bot), undefined],
    ] as const) {
      let { refreshToken } = tokens
      for (let round = 0; round < 2; round++) {
        const dpop = await proofFor(world, bot, 'POST', path)
        const { body } = await world.anyone.post(path, { refreshToken }, { dpop })
        expect(decodeJwt(body.accessToken)['cnf']).toEqual(cnf)
        expect(body.tokenType).toBe(cnf && 'DPoP')
        ;({ refreshToken } = body)
      }
    }
  })
})

describe('RFC 9449 §7: calls with a bound token', () => {
  it('RFC 9449 §7.1: Authorization: DPoP with a proof is accepted, whatever the case of the scheme', async () => {
    expect((await proven(bound)).body.id).toBe(bot.id)
    const proof = await proofFor(world, bot, 'GET', info, bound.accessToken)
    expect(saidOf(await ask(`dpop ${bound.accessToken}`, proof))).toEqual(ok)
  })

  it('RFC 9449 §7.2: as Bearer it is refused, with and without a proof', async () => {
    const proof = await proofFor(world, bot, 'GET', info, bound.accessToken)
    const answer = await ask(`Bearer ${bound.accessToken}`, proof)
    expect(saidOf(answer)).toEqual(required)
    expect(answer.headers['www-authenticate']).toBe('DPoP algs="RS256", error="invalid_token"')
    expect(saidOf(await ask(`Bearer ${bound.accessToken}`))).toEqual(required)
    // It was not looked at, so it is not used up either.
    expect(saidOf(await ask(`DPoP ${bound.accessToken}`, proof))).toEqual(ok)
  })

  it('RFC 9449 §7.1: without a proof it is refused', async () => {
    expect(saidOf(await ask(`DPoP ${bound.accessToken}`))).toEqual(required)
  })

  it('RFC 9449 §4.3 check 12: ath is missing, or that of another token', async () => {
    // Two tokens of one second would be the same text.
    world.clock.advance(1000)
    const other = await signedInAgent(world, bot, true)
    const proofs = [
      await proofFor(world, bot, 'GET', info),
      await proofFor(world, bot, 'GET', info, other.accessToken),
      await sign(bot.privateKey, { ...goodProof(world, 'GET', info), ath: bound.accessToken }, proofHeader),
      await sign(bot.privateKey, { ...goodProof(world, 'GET', info), ath: [] }, proofHeader),
    ]
    for (const proof of proofs) {
      const answer = await ask(`DPoP ${bound.accessToken}`, proof)
      expect([saidOf(answer), answer.body.message]).toEqual([invalid, "The proof's ath does not name the token."])
      expect(answer.headers['www-authenticate']).toBe('DPoP algs="RS256", error="invalid_dpop_proof"')
    }
  })

  it('RFC 9449 §4.3 check 12: the proof is of another key', async () => {
    const dpop = await proofFor(world, strict, 'GET', info, bound.accessToken)
    expect(saidOf(await ask(`DPoP ${bound.accessToken}`, dpop))).toEqual(invalid)
  })

  it('RFC 9449 §4.3 check 12: the token is bound to a key that is not the registered one', async () => {
    const other = await calculateJwkThumbprint(strict.publicKey.export({ format: 'jwk' }) as JWK)
    const accessToken = await boundToken(bot, other)
    for (const agent of [bot, strict]) {
      expect(saidOf(await proven({ ...bound, accessToken }, agent))).toEqual(unbound)
    }
  })

  it('RFC 9449 §4.3 check 12: the token is bound, and its agent has a key no more', async () => {
    const [agent, tokens] = await signedInOther('keyless')
    await change(agent, { public_key: null })
    expect(saidOf(await proven(tokens, agent))).toEqual(unbound)
  })

  it('of an agent that is gone or revoked: 401 AGENT_NOT_FOUND, whatever the proof', async () => {
    const [agent, tokens] = await signedInOther('revoked')
    await change(agent, { disabled_at: world.clock.now() })
    expect(saidOf(await ask(`DPoP ${tokens.accessToken}`, 'no proof'))).toEqual([401, 'AGENT_NOT_FOUND'])
    const gone = await boundToken({ id: world.ctx.newId(), name: 'gone' }, jkt)
    expect(saidOf(await ask(`DPoP ${gone}`, 'no proof'))).toEqual([401, 'AGENT_NOT_FOUND'])
  })

  it('a fault while a proof is checked stays a fault', async () => {
    const sent = {
      scheme: 'DPoP',
      token: bound.accessToken,
      proof: await proofFor(world, bot, 'GET', info, bound.accessToken),
      call: { method: 'GET', url: 'no URL of ours' },
    } as const
    const claims = { orgId: defaultOrganization.id, principalId: bot.id, kind: 'agent', sessionId: null } as const
    await expect(
      requireBinding(world.ctx, { ...claims, stepUp: null, jkt, expiresAt: world.clock.now() }, sent),
    ).rejects.toThrow(TypeError)
  })

  it.each([
    ['another method', { htm: 'POST' }],
    ['another path', { htu: 'http://localhost/agents' }],
    ['a proof that is too old', { iat: 0 }],
    ['no jti', { jti: undefined }],
  ])('RFC 9449 §7.1: 401 for a proof with %s, and the answer says what is wrong', async (_what, claims) => {
    const all = { ...goodProof(world, 'GET', info, bound.accessToken), ...claims }
    const answer = await ask(`DPoP ${bound.accessToken}`, await sign(bot.privateKey, all, proofHeader))
    expect(saidOf(answer)).toEqual(invalid)
    expect(answer.body.message).toMatch(/^The proof/)
  })

  it('RFC 9449 §11.1: a proof opens one call', async () => {
    const proof = await proofFor(world, bot, 'GET', info, bound.accessToken)
    expect(saidOf(await ask(`DPoP ${bound.accessToken}`, proof))).toEqual(ok)
    const again = await ask(`DPoP ${bound.accessToken}`, proof)
    expect(saidOf(again)).toEqual([401, 'DPOP_JTI_REUSED'])
    expect(again.headers['www-authenticate']).toContain('invalid_dpop_proof')
  })

  it('a proof names the path as it was called, without the query', async () => {
    const path = `/agents/${encodeURIComponent('a name/ä')}`
    const dpop = await proofFor(world, bot, 'GET', path, bound.accessToken)
    const answer = await world.anyone.get(`${path}?x=1`, undefined, {
      authorization: `DPoP ${bound.accessToken}`,
      dpop,
    })
    expect(saidOf(answer)).toEqual([404, 'AGENT_NOT_FOUND'])
  })
})

describe('tokens that are not bound', () => {
  it('are bearers, and a proof beside them is not looked at', async () => {
    expect(saidOf(await ask(`Bearer ${bearer.accessToken}`))).toEqual(ok)
    expect(saidOf(await ask(`Bearer ${bearer.accessToken}`, 'no proof'))).toEqual(ok)
  })

  it('are no DPoP tokens, of agents and of people', async () => {
    expect(saidOf(await proven(bearer))).toEqual(unbound)
    const person = await world.person('Ben')
    expect(saidOf(await proven({ ...bearer, accessToken: person.token }))).toEqual(unbound)
  })

  it('cannot be made of a bound one: a binding that cannot be read is refused', async () => {
    for (const cnf of [{}, null, 'x', { jkt: 7 }, { jkt: '' }]) {
      const token = await new SignJWT({ ...decodeJwt(bound.accessToken), cnf })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .sign(world.ctx.keys.token)
      expect(saidOf(await ask(`Bearer ${token}`))).toEqual([401, 'INVALID_JWT_TOKEN_FORMAT'])
    }
  })
})

describe('an agent that must bind its tokens', () => {
  it('gets none without a proof, and keeps its challenge', async () => {
    const nonce = await nonceFor(world, strict)
    const assertion = await sign(strict.privateKey, goodAssertion(world, strict, nonce))
    expect(saidOf(await redeem(world, assertion))).toEqual([400, 'REQUEST_INVALID_DPOP_JKT'])
    const answer = await redeem(world, assertion, await proofFor(world, strict, 'POST', '/auth/agents/token'))
    expect(answer.body.tokenType).toBe('DPoP')
    expect(saidOf(await proven(answer.body, strict))).toEqual(ok)
  })

  it('has its unbound tokens refused from the moment on, and gets bound ones for the sign-in it has', async () => {
    const late = await machine(world, 'late')
    const tokens = await signedInAgent(world, late)
    expect(saidOf(await ask(`Bearer ${tokens.accessToken}`))).toEqual(ok)
    await world.ctx.db.updateTable('principals').set({ dpop_required: true }).where('id', '=', late.id).execute()
    const refused = await ask(`Bearer ${tokens.accessToken}`)
    expect([saidOf(refused), refused.body.message]).toEqual([unbound, 'This agent may use bound access tokens only.'])
    const path = '/auth/agents/refresh'
    const dpop = await proofFor(world, late, 'POST', path)
    const { body } = await world.anyone.post(path, { refreshToken: tokens.refreshToken }, { dpop })
    expect(body.tokenType).toBe('DPoP')
    expect(saidOf(await proven(body, late))).toEqual(ok)
  })
})
