import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { castVote } from '../../../src/approvals/cast-vote.ts'
import { canonicalJson } from '../../../src/audit/leaf.ts'
import { openSignInChallenge } from '../../../src/identity/webauthn/challenges.ts'
import { withVoteFactors } from '../../../src/identity/webauthn/vote-factors.ts'
import { verifySignInAssertion } from '../../../src/identity/webauthn/sign-in.ts'
import { voteChallenge } from '../../../src/proof/vote-challenge.ts'
import { transact } from '../../../src/store/unit-of-work.ts'
import { Authenticator } from '../../helpers/authenticator.ts'
import { insertRequests } from '../../helpers/crowd.ts'
import { callerOf } from '../../helpers/role-requests.ts'
import { outcomeOf, startFactorWorld, type FactorWorld, type Voter } from '../../helpers/factors.ts'
import { giveRole, insertPolicy, orgId } from '../../helpers/quorum.ts'

const password = 'correct horse battery staple'

describe.each(['postgres', 'pglite'] as const)('a vote with factors on %s', { timeout: 60_000 }, (engine) => {
  let world: FactorWorld
  let ada: Voter
  let ben: Voter
  let key: Authenticator
  let bensKey: Authenticator

  beforeAll(async () => {
    world = await startFactorWorld({ engine })
    ada = await world.voter('Ada', password)
    ben = await world.voter('Ben', 'another')
    key = new Authenticator()
    bensKey = new Authenticator()
    await world.addKey(ada, key)
    await world.addKey(ben, bensKey, 'fido-u2f')
  })
  afterAll(() => world.close())

  const assertion = async (request: string, ...rest: [typeof key?, Voter?]) => {
    const [by = key, voter = ada] = rest
    return by.assert(world.ceremony(await world.fido2(voter, request)))
  }
  const outcome = (...vote: Parameters<FactorWorld['approve']>) => outcomeOf(world.approve(...vote))
  const counterOf = async (of: Authenticator) => {
    const row = await world.ctx.db
      .selectFrom('person_credentials')
      .select('counter')
      .where('credential_id', '=', of.credentialId)
      .executeTakeFirstOrThrow()
    return Number(row.counter)
  }

  it('is asked for each factor that its seat needs, and recorded with none of them missing', async () => {
    const request = await world.ask([ada], ['password', 'securityKey'])
    expect(await outcome(ada, request)).toBe('FACTOR_MISSING')
    expect(await outcome(ada, request, { password })).toBe('FACTOR_MISSING')
    expect(await outcome(ada, request, { fido2: await assertion(request) })).toBe('FACTOR_MISSING')
    expect(await world.votesOn(request)).toEqual([])
    expect(await outcome(ada, request, { password, fido2: await assertion(request) })).toBe('approved')
    expect(await world.votesOn(request)).toMatchObject([{ assurance: ['password', 'securityKey'] }])
  })

  it('is refused with a wrong password, and nothing is recorded', async () => {
    const request = await world.ask([ada], ['password'])
    expect(await outcome(ada, request, { password: 'wrong' })).toBe('FACTOR_WRONG')
    expect(await outcome(ada, request, { password: 'another' })).toBe('FACTOR_WRONG')
    expect(await world.votesOn(request)).toEqual([])
    expect(await outcome(ada, request, { password })).toBe('approved')
  })

  it('is refused with a wrong factor that nobody asked for', async () => {
    const request = await world.ask([ada])
    expect(await outcome(ada, request, { password: 'wrong' })).toBe('FACTOR_WRONG')
    const made = await assertion(request)
    expect(await outcome(ada, request, { fido2: { ...made, type: 'none' } })).toBe('FACTOR_WRONG')
    expect(await world.votesOn(request)).toEqual([])
    expect(await outcome(ada, request)).toBe('approved')
  })

  it('is proved under the lock in the native dialect too, though it decides nothing', async () => {
    const { ctx } = world
    for (const voter of [ada, ben]) await giveRole(ctx, voter.id)
    const seat = ({ id }: Voter) => ({ kind: 'seats', atLeast: 1, from: { kind: 'principal', id } }) as const
    const policyId = await insertPolicy(ctx, { kind: 'threshold', atLeast: 2, of: [seat(ada), seat(ben)] })
    const [id = ''] = await insertRequests(ctx, policyId, { ...ben, kind: 'human' }, 1)
    const vote = async (sent: string) =>
      await withVoteFactors(ctx, { personId: ada.personId, requestId: id }, { password: sent }, (proofs) =>
        castVote(
          ctx,
          callerOf(ada),
          { id },
          { stance: 'approve', groups: null, reason: null, signature: null, proofs },
        ),
      )
    expect(await outcomeOf(vote('wrong'))).toBe('FACTOR_WRONG')
    expect(await world.votesOn(id)).toEqual([])
    expect(await outcomeOf(vote(password))).toBe('open')
    expect(await world.votesOn(id)).toMatchObject([{ assurance: ['password'] }])
  })

  it('against a request is proved by no security key, which signs that it approves', async () => {
    const request = await world.ask([ada], ['securityKey'])
    await expect(world.approve(ada, request, { fido2: await assertion(request) }, 'veto')).rejects.toMatchObject({
      code: 'FACTOR_WRONG',
      message: expect.stringContaining('challenge was for an approval'),
    })
    expect(await world.votesOn(request)).toEqual([])
    expect(await outcome(ada, request, { password }, 'veto')).toBe('rejected')
  })

  it('is told first what speaks against it, whatever its factors', async () => {
    const request = await world.ask([ada], ['password'])
    expect(await outcome(ben, request, { password: 'wrong' })).toBe('ENTITY_NOT_IN_REQUIRED_GROUP')
    const done = await world.ask([ada, ben], ['password'])
    expect(await outcome(ada, done, { password })).toBe('open')
    expect(await outcome(ada, done, { password: 'wrong' })).toBe('ALREADY_VOTED')
    expect(await outcome(ada, done, {}, 'veto')).toBe('rejected')
    expect(await outcome(ben, done, { password: 'wrong' })).toBe('WORKFLOW_ALREADY_REJECTED')
  })

  it('with both kinds of answer is none', async () => {
    const request = await world.ask([ben], ['securityKey'])
    const fido2 = await assertion(request, bensKey, ben)
    const u2f = bensKey.signU2f({ ...world.ceremony(await world.u2f(ben, request)), rpId: 'https://approve.example' })
    expect(await outcome(ben, request, { fido2, u2f })).toBe('INVALID_MEMBER')
  })

  it('keeps what was signed, for whoever checks it later, and its leaf commits to that', async () => {
    const request = await world.ask([ada], ['securityKey'])
    const made = await assertion(request)
    await world.approve(ada, request, { fido2: made })
    const [vote] = await world.votesOn(request)
    const evidence = vote?.evidence as unknown as Record<string, string>
    expect(evidence).toMatchObject({
      kind: 'fido2',
      credentialId: key.credentialId.toString('base64url'),
      clientDataJSON: made.clientDataJSON.toString('base64url'),
      authenticatorData: made.authenticatorData.toString('base64url'),
      signature: made.signature.toString('base64url'),
      rpId: 'approve.example',
      origin: 'https://approve.example',
    })
    const leaf = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('content')
      .where('kind', '=', 'vote.cast')
      .where('subject_id', '=', request)
      .executeTakeFirstOrThrow()
    const { facts } = JSON.parse(leaf.content) as { facts: Record<string, string> }
    expect(facts['evidence']).toBe(createHash('sha256').update(canonicalJson(evidence)).digest('hex'))
    const created = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('content')
      .where('kind', '=', 'request.created')
      .where('subject_id', '=', request)
      .executeTakeFirstOrThrow()
    const asked = (JSON.parse(created.content) as { facts: Record<string, string> }).facts
    const { digest = '', policyDigest = '' } = asked
    const signed = { orgId, requestId: request, digest, policyDigest, personId: ada.personId }
    const { challenge } = JSON.parse(made.clientDataJSON.toString()) as { challenge: string }
    const nonce = Buffer.from(evidence['nonce'] ?? '', 'base64url')
    expect(voteChallenge(signed, nonce).toString('base64url')).toBe(challenge)
  })

  it('writes what the key has counted to with the vote, and leaves it when there is none', async () => {
    const request = await world.ask([ada], ['securityKey'])
    const made = await assertion(request)
    await world.approve(ada, request, { fido2: made })
    expect(await counterOf(key)).toBe(key.counter)
    const next = await world.ask([ada], ['securityKey', 'password'])
    expect(await outcome(ada, next, { fido2: await assertion(next), password: 'wrong' })).toBe('FACTOR_WRONG')
    expect(await counterOf(key)).toBe(key.counter - 1)
    const ceremony = world.ceremony(await world.fido2(ada, next))
    const behind = key.assert(ceremony, { counter: key.counter - 1 })
    expect(await outcome(ada, next, { fido2: behind, password })).toBe('FACTOR_WRONG')
    expect(await counterOf(key)).toBe(key.counter - 1)
  })

  describe('an assertion is good once, for one vote', () => {
    it('and not after a failed try', async () => {
      const request = await world.ask([ada], ['securityKey'])
      const made = await assertion(request)
      expect(await outcome(ada, request, { fido2: { ...made, type: 'none' } })).toBe('FACTOR_WRONG')
      expect(await outcome(ada, request, { fido2: made })).toBe('FACTOR_WRONG')
      expect(await outcome(ada, request, { fido2: await assertion(request) })).toBe('approved')
    })

    it('and not for another request', async () => {
      const [one, other] = [await world.ask([ada], ['securityKey']), await world.ask([ada], ['securityKey'])]
      const made = await assertion(one)
      expect(await outcome(ada, other, { fido2: made })).toBe('FACTOR_WRONG')
      await world.fido2(ada, other)
      expect(await outcome(ada, other, { fido2: made })).toBe('FACTOR_WRONG')
      expect(await outcome(ada, one, { fido2: made })).toBe('approved')
    })

    it('and not for another person', async () => {
      const request = await world.ask([ada, ben], ['securityKey'])
      const made = await assertion(request)
      expect(await outcome(ben, request, { fido2: made })).toBe('FACTOR_WRONG')
      await world.fido2(ben, request)
      expect(await outcome(ben, request, { fido2: made })).toBe('FACTOR_WRONG')
      const byBensKey = bensKey.assert(world.ceremony(await world.fido2(ada, request)))
      expect(await outcome(ada, request, { fido2: byBensKey })).toBe('FACTOR_WRONG')
    })

    it('and not once its challenge is void or its time is up', async () => {
      const request = await world.ask([ada], ['securityKey'])
      const made = await assertion(request)
      const newer = await world.fido2(ada, request)
      expect(await outcome(ada, request, { fido2: made })).toBe('FACTOR_WRONG')
      expect(await outcome(ada, request, { fido2: key.assert(world.ceremony(newer)) })).toBe('FACTOR_WRONG')
      const late = await assertion(request)
      world.clock.advance(300_000)
      expect(await outcome(ada, request, { fido2: late })).toBe('FACTOR_WRONG')
      const inTime = await assertion(request)
      world.clock.advance(299_999)
      expect(await outcome(ada, request, { fido2: inTime })).toBe('approved')
    })

    it('and not to the challenge of a sign-in', async () => {
      const request = await world.ask([ada], ['securityKey'])
      const asked = await openSignInChallenge(world.ctx, ada.personId, request)
      const made = key.assert(world.ceremony(asked))
      expect(await outcome(ada, request, { fido2: made })).toBe('FACTOR_WRONG')
      await world.fido2(ada, request)
      expect(await outcome(ada, request, { fido2: made })).toBe('FACTOR_WRONG')
    })

    it('and not on other content than its challenge was for', async () => {
      const request = await world.ask([ada], ['securityKey'])
      const made = await assertion(request)
      const digest = createHash('sha256').update('other').digest('hex')
      await world.ctx.db.updateTable('requests').set({ digest }).where('id', '=', request).execute()
      await expect(world.approve(ada, request, { fido2: made })).rejects.toMatchObject({
        code: 'FACTOR_WRONG',
        message: expect.stringContaining('other content'),
      })
    })

    it('and not by a key that came after its challenge', async () => {
      const request = await world.ask([ada], ['securityKey'])
      const ceremony = world.ceremony(await world.fido2(ada, request))
      world.clock.advance(1)
      const late = new Authenticator()
      await world.addKey(ada, late, 'none', `late on ${engine}`)
      await expect(world.approve(ada, request, { fido2: late.assert(ceremony) })).rejects.toMatchObject({
        message: expect.stringContaining('none that the challenge was for'),
      })
      expect(await outcome(ada, request, { fido2: await assertion(request, late) })).toBe('approved')
    })
  })

  describe('by U2F', () => {
    const signed = async (request: string) =>
      bensKey.signU2f({ ...world.ceremony(await world.u2f(ben, request)), rpId: 'https://approve.example' })

    it('counts as a security key, and is kept with the vote', async () => {
      const request = await world.ask([ben], ['securityKey'])
      const made = await signed(request)
      expect(await outcome(ben, request, { u2f: made })).toBe('approved')
      expect(await world.votesOn(request)).toMatchObject([
        {
          evidence: {
            kind: 'u2f',
            appId: 'https://approve.example',
            clientData: made.clientData.toString('base64url'),
          },
        },
      ])
      expect(await counterOf(bensKey)).toBe(bensKey.counter)
    })

    it('is refused on the challenge of FIDO2, and the other way round', async () => {
      const request = await world.ask([ben], ['securityKey'])
      const { challenge } = await world.fido2(ben, request)
      const ceremony = { ...world.ceremony({ challenge }), rpId: 'https://approve.example' }
      expect(await outcome(ben, request, { u2f: bensKey.signU2f(ceremony) })).toBe('FACTOR_WRONG')
      const asked = await world.u2f(ben, request)
      expect(await outcome(ben, request, { fido2: bensKey.assert(world.ceremony(asked)) })).toBe('FACTOR_WRONG')
    })

    it('is offered to whoever has a key for it, and to nobody else', async () => {
      const request = await world.ask([ada, ben], ['securityKey'])
      const handle = bensKey.credentialId.toString('base64url')
      expect(await world.u2f(ben, request)).toMatchObject({ keyHandles: [handle] })
      await expect(world.u2f(ada, request)).rejects.toMatchObject({ code: 'SECURITY_KEY_MISSING' })
    })

    it('is not taken from a key that answers FIDO2 only', async () => {
      const request = await world.ask([ben], ['securityKey'])
      const plain = new Authenticator()
      await world.addKey(ben, plain, 'none', `plain on ${engine}`)
      const asked = { ...world.ceremony(await world.u2f(ben, request)), rpId: 'https://approve.example' }
      await expect(world.approve(ben, request, { u2f: plain.signU2f(asked) })).rejects.toMatchObject({
        message: expect.stringContaining('none that the challenge was for'),
      })
    })
  })

  it('asks FIDO2 for the keys that the person has, by the application id too where one is of U2F', async () => {
    const request = await world.ask([ada, ben], ['securityKey'])
    const asked = await world.fido2(ben, request)
    expect(asked).toMatchObject({
      timeout: 60_000,
      rpId: 'approve.example',
      userVerification: 'preferred',
      extensions: { appid: 'https://approve.example' },
    })
    expect(asked.challenge).toMatch(/^[\w-]{43}$/)
    expect(asked.allowCredentials[0]).toEqual({
      type: 'public-key',
      id: bensKey.credentialId.toString('base64url'),
      transports: ['usb'],
    })
    expect(await world.fido2(ada, request)).not.toHaveProperty('extensions')
    const cleo = await world.voter(`Cleo of ${engine}`)
    await expect(world.fido2(cleo, request)).rejects.toMatchObject({ code: 'SECURITY_KEY_MISSING' })
  })

  it('holds back whoever guesses passwords, on votes and sign-ins together', async () => {
    const eve = await world.voter(`Eve of ${engine}`, 'eve')
    const request = await world.ask([eve, ada], ['password'])
    world.clock.advance(60_000)
    for (let attempt = 0; attempt < 20; attempt++)
      expect(await outcome(eve, request, { password: `guess ${attempt}` })).toBe('FACTOR_WRONG')
    expect(await outcome(eve, request, { password: 'eve' })).toBe('TOO_MANY_REQUESTS')
    world.clock.advance(60_000)
    // One that is right, or is never looked at, does not count.
    for (let attempt = 0; attempt < 30; attempt++) await outcome(eve, request, { password: 'eve' })
    expect(await outcome(eve, request, { password: 'guess' })).toBe('ALREADY_VOTED')
  })

  describe('a sign-in', () => {
    const signIn = (session: string, made: ReturnType<Authenticator['assert']>) =>
      transact(world.ctx, null, (tx) => verifySignInAssertion(world.ctx, tx, ada.personId, session, made))

    it('takes an assertion once, and counts with the key', async () => {
      const session = world.ctx.newId()
      const made = key.assert(world.ceremony(await openSignInChallenge(world.ctx, ada.personId, session)))
      expect(await signIn(world.ctx.newId(), made)).toMatchObject({ code: 'FACTOR_WRONG' })
      expect(await signIn(session, made)).toBeNull()
      expect(await counterOf(key)).toBe(key.counter)
      expect(await signIn(session, made)).toMatchObject({ code: 'FACTOR_WRONG' })
    })

    it('keeps its challenge when a vote is tried with the answer', async () => {
      const request = await world.ask([ada], ['securityKey'])
      const made = key.assert(world.ceremony(await openSignInChallenge(world.ctx, ada.personId, request)))
      expect(await outcome(ada, request, { fido2: made })).toBe('FACTOR_WRONG')
      expect(await signIn(request, made)).toBeNull()
    })

    it('uses its challenge up when it fails', async () => {
      const session = world.ctx.newId()
      const made = key.assert(world.ceremony(await openSignInChallenge(world.ctx, ada.personId, session)))
      expect(await signIn(session, { ...made, type: 'none' })).toMatchObject({ code: 'FACTOR_WRONG' })
      expect(await signIn(session, made)).toMatchObject({ code: 'FACTOR_WRONG' })
    })
  })
})
