import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authenticator, userVerified, type Ceremony, type Deviation } from '../../helpers/authenticator.ts'
import { registerKey } from '../../helpers/fortanix-devices.ts'
import {
  approve,
  ask,
  deny,
  quorum,
  refused,
  requests,
  show,
  signing,
  startVault,
  user,
  type Vault,
} from '../../helpers/fortanix-requests.ts'
import {
  assertionOf,
  basic,
  callsWith,
  expectStatus,
  password,
  type AssertionBody,
  type FortanixUser,
  type RawAnswer,
} from '../../helpers/fortanix.ts'

/** What contract fortanix §5.1 to §5.4 states, at the path where it counts. */
let vault: Vault<'Ada' | 'Ben' | 'Cleo' | 'Dora'>
let ada: FortanixUser
/** Has a key of FIDO2. */
let ben: FortanixUser
/** Has a key of U2F. */
let cleo: FortanixUser
/** Has none. */
let dora: FortanixUser
const [bensKey, cleosKey] = [new Authenticator(10), new Authenticator(10)]
const origin = 'https://approve.example'

beforeAll(async () => {
  const env = { QUORATE_PUBLIC_URL: origin, QUORATE_WEBAUTHN_ORIGINS: 'https://ui.approve.example:8443' }
  vault = await startVault(['Ada', 'Ben', 'Cleo', 'Dora'], { env })
  ;({ Ada: ada, Ben: ben, Cleo: cleo, Dora: dora } = vault.people)
  await registerKey(vault.scene.world, ben, bensKey)
  await registerKey(vault.scene.world, cleo, cleosKey, { format: 'fido-u2f' })
})
afterAll(() => vault[Symbol.asyncDispose]())

/** One that needs a security key of two of these. */
async function asked(...of: readonly FortanixUser[]): Promise<string> {
  const members = (of.length === 0 ? [ben, cleo] : of).map(user)
  const { kid } = await vault.key(quorum(members.length, members, { require_2fa: true }))
  return await ask(ada, signing(kid))
}

const challenge = async (who: FortanixUser, id: string, protocol: 'fido2' | 'u2f') =>
  await who.post(`${requests}/${id}/challenge?protocol=${protocol}`)
const fido2 = async (who: FortanixUser, id: string) => expectStatus(await challenge(who, id, 'fido2'), 200)
const u2f = async (who: FortanixUser, id: string) => expectStatus(await challenge(who, id, 'u2f'), 200)

async function counterOf(key: Authenticator): Promise<number> {
  const { ctx } = vault.scene.world
  const row = await ctx.db
    .selectFrom('person_credentials')
    .select('counter')
    .where('credential_id', '=', key.credentialId)
    .executeTakeFirstOrThrow()
  return Number(row.counter)
}

/** All that is kept of a request. */
async function traceOf(id: string) {
  const { db } = vault.scene.world.ctx
  const votes = await db.selectFrom('votes').selectAll().where('request_id', '=', id).execute()
  const leaves = await db.selectFrom('audit_leaves').select('kind').where('subject_id', '=', id).execute()
  return { shown: await show(ada, id), votes: votes.length, leaves: leaves.length }
}

const bytesOf = (text: string) => Buffer.from(text, 'base64url')
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const uuidBytes = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
const flipped = (at: number) => (bytes: Buffer) => {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  return copy
}
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const oneLine = (answer: RawAnswer) => expect(answer.text).toMatch(/^[^\s"][^\r\n]*[^\s"]$/)

describe('§5.1, the challenge of an approval', () => {
  it('says what a browser needs to ask the reviewer’s keys', async () => {
    const id = await asked()
    const options = await fido2(ben, id)
    expect(options).toEqual({
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      timeout: 60_000,
      rpId: 'approve.example',
      allowCredentials: [{ type: 'public-key', id: bensKey.credentialId.toString('base64url'), transports: ['usb'] }],
      userVerification: 'preferred',
    })
    expect((await fido2(ben, id)).challenge).not.toBe(options.challenge)
    expect(await fido2(cleo, id)).toMatchObject({
      allowCredentials: [{ id: cleosKey.credentialId.toString('base64url') }],
      extensions: { appid: origin },
    })
  })

  it('is that of U2F by default', async () => {
    const id = await asked()
    for (const query of ['', '?', '?protocol=u2f']) {
      const answer = await cleo.post(`${requests}/${id}/challenge${query}`)
      expect(answer.body).toEqual({
        u2f_challenge: expect.stringMatching(/^[\w-]{43}$/),
        u2f_keys: [{ keyHandle: cleosKey.credentialId.toString('base64url'), version: 'U2F_V2' }],
      })
    }
  })

  it.each(['U2F', 'fido', '', 'fido2&protocol=u2f'])('is of no protocol %j', async (protocol) => {
    const answer = await ben.post(`${requests}/${await asked()}/challenge?protocol=${protocol}`)
    expect(answer).toMatchObject(refused(400, 'protocol must be fido2 or u2f.'))
  })

  it('is for reviewers with a key for it, and for as long as the request waits', async () => {
    const id = await asked(ben, cleo, dora)
    expect(await challenge(ada, id, 'fido2')).toMatchObject(refused(403, 'You are no reviewer of this request.'))
    for (const protocol of ['fido2', 'u2f'] as const)
      expect(await challenge(dora, id, protocol)).toMatchObject(refused(403))
    expect(await challenge(ben, id, 'u2f')).toMatchObject(refused(403))
    expectStatus(await deny(cleo, id), 200)
    expect(await challenge(ben, id, 'fido2')).toMatchObject(refused(400))
  })

  it('is refused, and so is the answer to one, while the session may change security keys', async () => {
    const id = await asked()
    const options = await fido2(ben, id)
    expectStatus(await ben.post('/sys/v1/session/config_2fa/auth', { password }), 200)
    expect(await challenge(ben, id, 'fido2')).toMatchObject(refused(400))
    const answer = { fido2_auth_request: assertionOf(vault.scene.world, bensKey, options) }
    expect(await approve(ben, id, answer)).toMatchObject(refused(400))
    expectStatus(await ben.post('/sys/v1/session/config_2fa/terminate'), 204)
    expect(await approve(ben, id, answer)).toMatchObject({ status: 200, body: { approvers: [user(ben)] } })
  })
})

describe('§5.3, an approval with an assertion', () => {
  const made = (options: { challenge: string; rpId: string }, deviation: Deviation = {}, key = bensKey) =>
    assertionOf(vault.scene.world, key, options, deviation)
  const changed = (body: AssertionBody, response: Partial<AssertionBody['response']>) => ({
    ...body,
    response: { ...body.response, ...response },
  })
  type Options = { challenge: string; rpId: string }

  it.each<[string, (options: Options) => object]>([
    ['as a key and a browser make it', (options) => made(options)],
    ['with the handle of who gives it', (options) => changed(made(options), { userHandle: base64(uuidBytes(ben.id)) })],
    ['with an empty handle', (options) => changed(made(options), { userHandle: '' })],
    [
      'from another of the configured origins',
      (options) => made(options, { clientData: { origin: 'https://ui.approve.example:8443' } }),
    ],
    ['without crossOrigin', (options) => made(options, { clientData: { crossOrigin: undefined } })],
    ['without results of extensions', (options) => ({ ...made(options), get_client_extension_results: null })],
    [
      'in the other alphabet of base64',
      (options) => {
        const { response, ...rest } = made(options)
        const turned = (text: string) => bytesOf(text).toString('base64url')
        return {
          ...rest,
          id: base64(bytesOf(rest.id)),
          response: {
            clientDataJSON: base64(bytesOf(response.clientDataJSON)),
            authenticatorData: turned(response.authenticatorData),
            signature: turned(response.signature),
          },
        }
      },
    ],
    ['of a key that counts past others', (options) => made(options, { counter: bensKey.counter + 100 })],
  ])('counts %s', async (_name, answer) => {
    const id = await asked(ben)
    const fido2_auth_request = answer(await fido2(ben, id))
    expect(await approve(ben, id, { fido2_auth_request })).toMatchObject({
      status: 200,
      body: { status: 'APPROVED', approvers: [user(ben)] },
    })
    bensKey.counter = await counterOf(bensKey)
  })

  type Wrong = (options: Options, id: string) => object | Promise<object>
  const wrong: Readonly<Record<string, Wrong>> = {
    '1: by a key of another reviewer': (options) => made(options, {}, cleosKey),
    '1: by a key of nobody': (options) => made(options, {}, new Authenticator(100)),
    '1: under an id that is none': (options) => ({ ...made(options), id: '' }),
    '1: of another type': (options) => ({ ...made(options), type: 'password' }),
    '1: of no type': (options) => ({ ...made(options), type: '' }),
    '1: with the handle of another': (options) => changed(made(options), { userHandle: base64(uuidBytes(cleo.id)) }),
    '1: with the handle as a text': (options) => changed(made(options), { userHandle: base64(Buffer.from(ben.id)) }),
    '2: whose client data is no JSON': (options) => made(options, { clientDataJSON: Buffer.from('{') }),
    '2: whose client data is no object': (options) => made(options, { clientDataJSON: Buffer.from('[]') }),
    '2: whose client data is nothing': (options) => made(options, { clientDataJSON: Buffer.alloc(0) }),
    '2: that was a registration': (options) => made(options, { clientData: { type: 'webauthn.create' } }),
    '2: of the type of U2F': (options) => made(options, { clientData: { type: 'navigator.id.getAssertion' } }),
    '2: to a challenge of its own': (options) => made({ ...options, challenge: randomBytes(32).toString('base64url') }),
    '2: to no challenge': (options) => made(options, { clientData: { challenge: undefined } }),
    '2: to its challenge with a padding': (options) => made({ ...options, challenge: `${options.challenge}=` }),
    '2: to the challenge of another request': async (_options) => made(await fido2(ben, await asked(ben))),
    '2: to a challenge that this one voided': async (options, id) => {
      const newer = await fido2(ben, id)
      expect(newer.challenge).not.toBe(options.challenge)
      return made(options)
    },
    '2: to the challenge of another reviewer': async (_options, id) => {
      const theirs = await fido2(cleo, id)
      return made(theirs)
    },
    '2: to the challenge of a sign-in': async () => {
      const session = await callsWith(vault.scene.world, basic(ben.email, password)).post('/sys/v1/session/auth')
      return made(expectStatus(session, 200).fido2_assertion_options)
    },
    '2: from another origin': (options) => made(options, { clientData: { origin: 'https://evil.example' } }),
    '2: from an origin with a slash': (options) => made(options, { clientData: { origin: `${origin}/` } }),
    '2: from an origin in capitals': (options) => made(options, { clientData: { origin: origin.toUpperCase() } }),
    '2: from the origin without TLS': (options) => made(options, { clientData: { origin: 'http://approve.example' } }),
    '2: from a subdomain': (options) => made(options, { clientData: { origin: 'https://a.approve.example' } }),
    '2: from another port': (options) => made(options, { clientData: { origin: `${origin}:8443` } }),
    '2: from no origin': (options) => made(options, { clientData: { origin: undefined } }),
    '2: from a frame of another origin': (options) => made(options, { clientData: { crossOrigin: true } }),
    '3: with 36 bytes': (options) => made(options, { authenticatorData: (data) => data.subarray(0, 36) }),
    '3: with no bytes': (options) => made(options, { authenticatorData: () => Buffer.alloc(0) }),
    '3: for another id': (options) => made(options, { signedFor: 'evil.example' }),
    '3: for the application id, not asked by it': (options) => made(options, { signedFor: origin }),
    '3: for the application id, not offered': (options) => ({
      ...made(options, { signedFor: origin }),
      get_client_extension_results: { appid: true },
    }),
    '3: with nobody present': (options) => made(options, { flags: 0 }),
    '3: with somebody verified and nobody present': (options) => made(options, { flags: userVerified }),
    '4: signed by another key': (options) => made(options, { signingKey: other.privateKey }),
    '4: whose signature is no DER': (options) => made(options, { signature: () => randomBytes(64) }),
    '4: without a signature': (options) => made(options, { signature: () => Buffer.alloc(0) }),
    '4: whose signature was turned a bit': (options) => made(options, { signature: flipped(20) }),
    '4: whose data was turned a bit': (options) => {
      const { response, ...rest } = made(options)
      const data = flipped(36)(Buffer.from(response.authenticatorData, 'base64'))
      return { ...rest, response: { ...response, authenticatorData: base64(data) } }
    },
    '4: whose client data got a blank': (options) => {
      const answer = made(options)
      const text = Buffer.concat([bytesOf(answer.response.clientDataJSON), Buffer.from(' ')])
      return changed(answer, { clientDataJSON: base64(text) })
    },
    '5: whose counter stands still': async (options) => made(options, { counter: await counterOf(bensKey) }),
    '5: whose counter went back': async (options) => made(options, { counter: (await counterOf(bensKey)) - 1 }),
    '5: whose counter went back to nothing': (options) => made(options, { counter: 0 }),
  }

  it.each(Object.entries(wrong))(
    'is refused %s: 403, nothing is recorded, and the challenge is spent',
    async (_name, make) => {
      const id = await asked()
      const options = await fido2(ben, id)
      const before = [await traceOf(id), await counterOf(bensKey)]
      const answer = await approve(ben, id, { fido2_auth_request: await make(options, id) })
      expect(answer).toMatchObject(refused(403))
      oneLine(answer)
      expect([await traceOf(id), await counterOf(bensKey)]).toEqual(before)
      expect(await approve(ben, id, { fido2_auth_request: made(options) })).toMatchObject(refused(403))
      expect([await traceOf(id), await counterOf(bensKey)]).toEqual(before)
      const right = made(await fido2(ben, id))
      expect(await approve(ben, id, { fido2_auth_request: right })).toMatchObject({ status: 200 })
      expect(await counterOf(bensKey)).toBe(bensKey.counter)
    },
  )

  it.each<[string, (right: AssertionBody) => unknown]>([
    ['a text', () => 'assertion'],
    ['a list', (right) => [right]],
    ['no members', () => ({})],
    ['no id', (right) => ({ ...right, id: undefined })],
    ['an id that is a number', (right) => ({ ...right, id: 7 })],
    ['an id that is no base64', (right) => ({ ...right, id: '*' })],
    ['no type', (right) => ({ ...right, type: null })],
    ['no response', (right) => ({ ...right, response: null })],
    ['no client data', (right) => ({ ...right, response: { ...right.response, clientDataJSON: null } })],
    ['no data', (right) => ({ ...right, response: { ...right.response, authenticatorData: undefined } })],
    ['no signature', (right) => ({ ...right, response: { ...right.response, signature: undefined } })],
    ['a signature that is no base64', (right) => ({ ...right, response: { ...right.response, signature: 'A' } })],
    ['a handle that is no base64', (right) => ({ ...right, response: { ...right.response, userHandle: '*' } })],
    ['extensions that are a list', (right) => ({ ...right, get_client_extension_results: [] })],
  ])('is malformed with %s: 400, and nothing is recorded', async (_name, make) => {
    const id = await asked()
    const right = made(await fido2(ben, id))
    const before = await traceOf(id)
    const answer = await approve(ben, id, { fido2_auth_request: make(right) })
    expect(answer).toMatchObject(refused(400))
    oneLine(answer)
    expect(await traceOf(id)).toEqual(before)
  })

  it('is for the application id too, by a key of U2F that was asked by it', async () => {
    const id = await asked()
    const extended = { get_client_extension_results: { appid: true, appidExclude: null } }
    const answer = { ...made(await fido2(cleo, id), { signedFor: origin }, cleosKey), ...extended }
    expect(await approve(cleo, id, { fido2_auth_request: answer })).toMatchObject({ status: 200 })
  })

  it('comes in time', async () => {
    const id = await asked()
    const late = made(await fido2(ben, id))
    vault.scene.world.clock.advance(300_000)
    expect(await approve(ben, id, { fido2_auth_request: late })).toMatchObject(refused(403))
    const inTime = made(await fido2(ben, id))
    vault.scene.world.clock.advance(299_999)
    expect(await approve(ben, id, { fido2_auth_request: inTime })).toMatchObject({ status: 200 })
  })

  it('is missing where it is asked for and a password comes instead: 400', async () => {
    const id = await asked()
    for (const body of [undefined, {}, { password }, { fido2_auth_request: null, u2f: null }])
      expect(await approve(ben, id, body)).toMatchObject(refused(400))
  })

  it('is checked where nobody asked for it', async () => {
    const { kid } = await vault.key(user(ben))
    const id = await ask(ada, signing(kid))
    const options = await fido2(ben, id)
    const forged = made(options, { signingKey: other.privateKey })
    expect(await approve(ben, id, { fido2_auth_request: forged })).toMatchObject(refused(403))
    expect(await show(ada, id)).toMatchObject({ status: 'PENDING', approvers: [] })
    expect(await approve(ben, id)).toMatchObject({ status: 200, body: { status: 'APPROVED' } })
  })

  it('of a key that never counted is taken twice, each to its own challenge', async () => {
    const eve = await vault.scene.signUp('Eve')
    await vault.scene.join(ada, eve, vault.account)
    const key = new Authenticator(null)
    await registerKey(vault.scene.world, eve, key)
    for (let time = 0; time < 2; time++) {
      const id = await asked(eve)
      const fido2_auth_request = made(await fido2(eve, id), {}, key)
      expect(await approve(eve, id, { fido2_auth_request })).toMatchObject({ status: 200 })
    }
  })

  it('is no second factor of a sign-in, and the other way round', async () => {
    const session = await callsWith(vault.scene.world, basic(ben.email, password)).post('/sys/v1/session/auth')
    const { access_token: token } = expectStatus(session, 200)
    const pending = callsWith(vault.scene.world, `Bearer ${token}`)
    const id = await asked()
    const answer = made(await fido2(ben, id))
    expect(await pending.post('/sys/v1/session/auth/2fa/fido2', answer)).toMatchObject(refused(403))
    expect(await pending.get('/sys/v1/users/accounts')).toMatchObject(refused(403))
    expect(await approve(ben, id, { fido2_auth_request: answer })).toMatchObject({ status: 200 })
  })
})

describe('§5.4, an approval with an answer of U2F', () => {
  interface U2fBody {
    readonly keyHandle: string
    readonly signatureData: string
    readonly clientData: string
  }
  const ceremony = (challengeText: string): Ceremony => ({ challenge: challengeText, rpId: origin, origin })
  const made = (challengeText: string, deviation: Deviation = {}, key = cleosKey): U2fBody => {
    const { keyHandle, signatureData, clientData } = key.signU2f(ceremony(challengeText), deviation)
    return {
      keyHandle: keyHandle.toString('base64url'),
      signatureData: base64(signatureData),
      clientData: base64(clientData),
    }
  }
  const signatureData = (answer: U2fBody, change: (bytes: Buffer) => Buffer) => ({
    ...answer,
    signatureData: base64(change(Buffer.from(answer.signatureData, 'base64'))),
  })

  it('counts', async () => {
    const id = await asked(cleo)
    const { u2f_challenge: text } = await u2f(cleo, id)
    expect(await approve(cleo, id, { u2f: made(text) })).toMatchObject({
      status: 200,
      body: { status: 'APPROVED', approvers: [user(cleo)] },
    })
    expect(await counterOf(cleosKey)).toBe(cleosKey.counter)
  })

  type Wrong = (challengeText: string, id: string) => object | Promise<object>
  const wrong: Readonly<Record<string, Wrong>> = {
    'by a key of another': (text) => made(text, {}, bensKey),
    'by a key of nobody': (text) => made(text, {}, new Authenticator(100)),
    'under no handle': (text) => ({ ...made(text), keyHandle: '' }),
    'whose client data is no JSON': (text) => made(text, { clientDataJSON: Buffer.from('{') }),
    'that was a registration': (text) => made(text, { clientData: { typ: 'navigator.id.finishEnrollment' } }),
    'of no typ': (text) => made(text, { clientData: { typ: undefined, type: 'navigator.id.getAssertion' } }),
    'to a challenge of its own': () => made(randomBytes(32).toString('base64url')),
    'to the challenge of another request': async () => made((await u2f(cleo, await asked(cleo))).u2f_challenge),
    'to a challenge of FIDO2': async (_text, id) => made((await fido2(cleo, id)).challenge),
    'from another origin': (text) => made(text, { clientData: { origin: 'https://evil.example' } }),
    'from an origin with a slash': (text) => made(text, { clientData: { origin: `${origin}/` } }),
    'with nobody present': (text) => made(text, { flags: 0 }),
    'whose presence is another bit': (text) => made(text, { flags: 2 }),
    'with a presence that was not signed': (text) =>
      signatureData(made(text), (bytes) => Buffer.concat([Buffer.of(3), bytes.subarray(1)])),
    'with a counter that was not signed': (text) => signatureData(made(text), flipped(1)),
    'for another application': (text) => made(text, { signedFor: 'https://evil.example' }),
    'for the id of FIDO2': (text) => made(text, { signedFor: 'approve.example' }),
    'signed by another key': (text) => made(text, { signingKey: other.privateKey }),
    'whose signature is no DER': (text) => made(text, { signature: () => randomBytes(64) }),
    'without a signature': (text) => signatureData(made(text), (bytes) => bytes.subarray(0, 5)),
    'of no bytes': (text) => signatureData(made(text), () => Buffer.alloc(0)),
    'whose counter stands still': async (text) => made(text, { counter: await counterOf(cleosKey) }),
    'whose counter went back': async (text) => made(text, { counter: (await counterOf(cleosKey)) - 1 }),
  }

  it.each(Object.entries(wrong))(
    'is refused %s: 403, nothing is recorded, and the challenge is spent',
    async (_name, make) => {
      const id = await asked()
      const { u2f_challenge: text } = await u2f(cleo, id)
      const before = [await traceOf(id), await counterOf(cleosKey)]
      const answer = await approve(cleo, id, { u2f: await make(text, id) })
      expect(answer).toMatchObject(refused(403))
      oneLine(answer)
      expect(await approve(cleo, id, { u2f: made(text) })).toMatchObject(refused(403))
      expect([await traceOf(id), await counterOf(cleosKey)]).toEqual(before)
      expect(await approve(cleo, id, { u2f: made((await u2f(cleo, id)).u2f_challenge) })).toMatchObject({ status: 200 })
    },
  )

  it.each(['keyHandle', 'signatureData', 'clientData'] as const)('is malformed without %s: 400', async (member) => {
    const id = await asked()
    const right = made((await u2f(cleo, id)).u2f_challenge)
    for (const value of [null, undefined, 7, '*', {}])
      expect(await approve(cleo, id, { u2f: { ...right, [member]: value } })).toMatchObject(refused(400))
    expect(await show(ada, id)).toMatchObject({ approvers: [] })
  })

  it('is none beside an assertion: 400', async () => {
    const id = await asked()
    const fido2_auth_request = assertionOf(vault.scene.world, cleosKey, await fido2(cleo, id))
    const answer = made((await u2f(cleo, id)).u2f_challenge)
    expect(await approve(cleo, id, { u2f: answer, fido2_auth_request })).toMatchObject(refused(400))
    expect(await show(ada, id)).toMatchObject({ approvers: [] })
  })

  it('is none to a challenge of FIDO2, whatever the counter', async () => {
    const id = await asked()
    const options = await fido2(cleo, id)
    expect(await approve(cleo, id, { u2f: made(options.challenge) })).toMatchObject(refused(403))
    const { u2f_challenge: text } = await u2f(cleo, id)
    const crossed = assertionOf(vault.scene.world, cleosKey, { challenge: text, rpId: 'approve.example' })
    expect(await approve(cleo, id, { fido2_auth_request: crossed })).toMatchObject(refused(403))
  })
})

describe('§8, at the same moment', () => {
  const statuses = async (calls: readonly Promise<RawAnswer>[]) =>
    (await Promise.all(calls)).map(({ status }) => status).toSorted((one, two) => one - two)
  const times = [...Array(10).keys()]

  it('an assertion is taken once, however often it is sent', async () => {
    for (const _round of [1, 2, 3]) {
      const id = await asked()
      const fido2_auth_request = assertionOf(vault.scene.world, bensKey, await fido2(ben, id))
      const got = await statuses(times.map(() => approve(ben, id, { fido2_auth_request })))
      expect(got.filter((status) => status === 200)).toHaveLength(1)
      for (const status of got) expect([200, 400, 403]).toContain(status)
      const { votes, shown } = await traceOf(id)
      expect([votes, shown.approvers]).toEqual([1, [user(ben)]])
    }
  })

  it('and for the one request that it was made for', async () => {
    const [one, two] = [await asked(ben), await asked(ben)]
    const fido2_auth_request = assertionOf(vault.scene.world, bensKey, await fido2(ben, one))
    await fido2(ben, two)
    const [right, wrong] = await Promise.all([
      approve(ben, one, { fido2_auth_request }),
      approve(ben, two, { fido2_auth_request }),
    ])
    expect([right.status, wrong.status]).toEqual([200, 403])
  })

  it('two approvals that complete a quorum do what was asked for once', async () => {
    for (const _round of times) {
      const { kid } = await vault.key(quorum(2, [user(ada), user(dora)]))
      const id = await ask(ada, signing(kid))
      const answers = await Promise.all([approve(ada, id), approve(dora, id)])
      expect(answers.map(({ status }) => status)).toEqual([200, 200])
      expect(await show(ada, id)).toMatchObject({ status: 'APPROVED', result_viewed: false })
      const { db } = vault.scene.world.ctx
      const row = await db.selectFrom('fortanix_keys').select('used').where('id', '=', kid).executeTakeFirstOrThrow()
      expect(Number(row.used)).toBe(1)
    }
  })

  it('of an approval and a denial one is taken, and the other is told so', async () => {
    for (const _round of times) {
      const { kid } = await vault.key(quorum(1, [user(ada), user(dora)]))
      const id = await ask(ada, signing(kid))
      const [approval, denial] = await Promise.all([approve(ada, id), deny(dora, id)])
      expect([approval.status, denial.status].toSorted((one, two) => one - two)).toEqual([200, 400])
      const { status, approvers, denier } = await show(ada, id)
      const isApproved = approval.status === 200
      expect([status, approvers, denier]).toEqual(
        isApproved ? ['APPROVED', [user(ada)], undefined] : ['DENIED', [], user(dora)],
      )
      expect((await ada.post(`${requests}/${id}/result`)).status).toBe(isApproved ? 200 : 400)
    }
  })
})
