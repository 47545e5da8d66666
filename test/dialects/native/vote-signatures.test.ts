import { createHash, createSign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { machine, pemOf } from '../../helpers/agents.ts'
import { addMember, insertGroup, orgId } from '../../helpers/quorum.ts'
import { insertAgent } from '../../helpers/rows.ts'
import { newKeyPair, signedText } from '../../helpers/signing.ts'
import {
  goodClaims,
  newNonce,
  signedVote,
  signer,
  voteHeader,
  voteWith,
  type Signer,
} from '../../helpers/vote-signatures.ts'
import { startWorkflowWorld, storedIn, workflows, type WorkflowWorld } from '../../helpers/workflows.ts'

let world: WorkflowWorld
let bot: Signer
let other: Signer
/** A template's rule that only signatures fulfil. */
const signedRule = (minCount = 1) => ({ ...world.rule(minCount), requireSignature: true })
const openedSigned = async (minCount = 9) => await world.opened({ approvalRule: signedRule(minCount) })
beforeAll(async () => {
  world = await startWorkflowWorld()
  bot = await signer(world, await machine(world, 'bot', world.ada))
  other = await signer(world, await machine(world, 'other', world.ben))
})
afterAll(() => world.close())

const votesOf = async (id: string) =>
  await world.ctx.db.selectFrom('votes').selectAll().where('request_id', '=', id).orderBy('seq').execute()
const lastLeaf = async (id: string) => {
  const { content } = await world.ctx.db
    .selectFrom('audit_leaves')
    .select('content')
    .where('subject_id', '=', id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  return JSON.parse(content) as { kind: string; facts: Record<string, unknown> }
}
const guards = () => [world.guards]

describe('a signed vote', () => {
  it('decides where a signature is asked for, is kept as it was sent, and the leaf commits to it', async () => {
    const id = await openedSigned(1)
    const signature = await signedVote(world, bot, id)
    expect(await voteWith(bot.client, id, signature, 'APPROVE', guards())).toMatchObject({
      status: 200,
      body: { workflowStatus: 'APPROVED' },
    })
    expect(await votesOf(id)).toMatchObject([{ signature, assurance: ['signature'], principal_id: bot.id }])
    expect(await lastLeaf(id)).toMatchObject({
      kind: 'vote.cast',
      facts: {
        signature: createHash('sha256').update(signature).digest('hex'),
        assurance: ['signature'],
        lapsed: {},
      },
    })
  })

  it('counts where none is asked for too, and its leaf names it', async () => {
    const id = await world.opened({ approvalRule: world.rule(9) })
    const signature = await signedVote(world, bot, id)
    expect(await voteWith(bot.client, id, signature, 'APPROVE', guards())).toMatchObject({ status: 200 })
    expect(await votesOf(id)).toMatchObject([{ signature, assurance: ['signature'] }])
  })

  it('may follow another by the same agent, also one that was not signed and was remembered', async () => {
    const id = await world.opened({ approvalRule: world.rule(9) })
    expect(await world.voted(bot.client, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    const signature = await signedVote(world, bot, id)
    expect(await voteWith(bot.client, id, signature, 'APPROVE', guards())).toMatchObject({ status: 200 })
    expect(await world.voted(bot.client, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expect((await votesOf(id)).map((vote) => [vote.signature, vote.assurance])).toEqual([
      [null, []],
      [signature, ['signature']],
      [null, []],
    ])
  })

  it('may be a veto and a withdrawal, over no seats, and must be where the agent holds a seat that asks for it', async () => {
    const id = await openedSigned()
    for (const [type, then] of [
      ['VETO', 'REJECTED'],
      ['WITHDRAW', 'EVALUATION_IN_PROGRESS'],
    ] as const) {
      const unsigned = await voteWith(bot.client, id, undefined, type)
      expect(unsigned).toMatchObject({ status: 403, body: { code: 'VOTE_SIGNATURE_MISSING' } })
      const signature = await signedVote(world, bot, id, { type })
      expect(await voteWith(bot.client, id, signature, type)).toMatchObject({
        status: 200,
        body: { workflowStatus: then },
      })
    }
  })

  it('for several groups names them in the order of the call', async () => {
    const second = await insertGroup(world.ctx, [bot.id])
    const groups = [second, world.guards]
    const id = await world.opened({ approvalRule: world.rule(9) })
    const signature = await signedVote(world, bot, id, { groups })
    expect(await voteWith(bot.client, id, signature, 'APPROVE', groups)).toMatchObject({ status: 200 })
    const turned = await signedVote(world, bot, id, { groups: groups.toReversed() })
    expect(await voteWith(bot.client, id, turned, 'APPROVE', groups)).toMatchObject({
      status: 403,
      body: { code: 'VOTE_SIGNATURE_INVALID' },
    })
  })

  it('may name a thousand groups', async () => {
    const groups = [world.guards, ...Array.from({ length: 999 }, () => world.ctx.newId())]
    const id = await world.opened({ approvalRule: world.rule(9) })
    const signature = await signedVote(world, bot, id, { groups })
    // It is read and found good: what is wrong is that the agent is in none of the others.
    expect(await voteWith(bot.client, id, signature, 'APPROVE', groups)).toMatchObject({ status: 422 })
    expect(await voteWith(bot.client, id, signature, 'APPROVE', guards())).toMatchObject({
      status: 403,
      body: { message: 'Its seats are not those of this vote, in the same order.' },
    })
  })

  it.each([-300, 300])('may be made %i seconds from our time', async (seconds) => {
    const id = await openedSigned()
    const { iat } = await goodClaims(world, bot, id)
    const signature = await signedVote(world, bot, id, { claims: { iat: Number(iat) + seconds } })
    expect(await voteWith(bot.client, id, signature, 'APPROVE', guards())).toMatchObject({ status: 200 })
  })

  it('that is refused for another reason has not used up its nonce', async () => {
    const id = await openedSigned()
    const claims = { nonce: newNonce() }
    const wrong = await signedVote(world, bot, id, { claims: { ...claims, digest: '0'.repeat(64) } })
    expect(await voteWith(bot.client, id, wrong, 'APPROVE', guards())).toMatchObject({ status: 403 })
    const right = await signedVote(world, bot, id, { claims })
    expect(await voteWith(bot.client, id, right, 'APPROVE', guards())).toMatchObject({ status: 200 })
  })

  it('repeated with the same Idempotency-Key is answered as before, once stored', async () => {
    const id = await openedSigned()
    const signature = await signedVote(world, bot, id)
    const body = { voteType: { type: 'APPROVE', votedForGroups: guards() }, signature }
    const headers = { 'idempotency-key': `signed-${id}` }
    const send = () => bot.client.post(`${workflows}/${id}/vote`, body, headers)
    expect([(await send()).status, (await send()).status, (await votesOf(id)).length]).toEqual([200, 200, 1])
  })
})

/** Each line makes a signature that is refused, for a vote that would be accepted with a good one. */
const refused: readonly (readonly [string, number, string, (id: string) => Promise<unknown>])[] = [
  ['none at all', 403, 'VOTE_SIGNATURE_MISSING', async () => undefined],
  ['null', 403, 'VOTE_SIGNATURE_MISSING', async () => null],
  ['a number', 400, 'VOTE_SIGNATURE_MALFORMED', async () => 7],
  ['an empty text', 400, 'VOTE_SIGNATURE_MALFORMED', async () => ''],
  ['no JWS', 400, 'VOTE_SIGNATURE_MALFORMED', async () => 'not a signature'],
  [
    'alg none, without a signature',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    async (id) => {
      const parts = [{ alg: 'none', ...voteHeader }, await goodClaims(world, bot, id)]
      return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`
    },
  ],
  [
    'alg none over a good signature',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    async (id) =>
      signedText(
        bot.privateKey,
        JSON.stringify({ alg: 'none', ...voteHeader }),
        JSON.stringify(await goodClaims(world, bot, id)),
      ),
  ],
  [
    'HS256 with the public key as the secret',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    (id) => signedVote(world, bot, id, { header: { alg: 'HS256' }, key: Buffer.from(pemOf(bot.publicKey)) }),
  ],
  ['PS256', 400, 'VOTE_SIGNATURE_MALFORMED', (id) => signedVote(world, bot, id, { header: { alg: 'PS256' } })],
  ['RS512', 400, 'VOTE_SIGNATURE_MALFORMED', (id) => signedVote(world, bot, id, { header: { alg: 'RS512' } })],
  [
    'RS512 that calls itself RS256',
    403,
    'VOTE_SIGNATURE_INVALID',
    async (id) => {
      const parts = [{ alg: 'RS256', ...voteHeader }, await goodClaims(world, bot, id)]
      const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
      return `${input}.${createSign('RSA-SHA512').update(input).sign(bot.privateKey, 'base64url')}`
    },
  ],
  ['no typ', 400, 'VOTE_SIGNATURE_MALFORMED', (id) => signedVote(world, bot, id, { header: { typ: undefined } })],
  ['typ JWT', 400, 'VOTE_SIGNATURE_MALFORMED', (id) => signedVote(world, bot, id, { header: { typ: 'JWT' } })],
  [
    'typ of a DPoP proof',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    (id) => signedVote(world, bot, id, { header: { typ: 'dpop+jwt' } }),
  ],
  [
    'typ in capitals',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    (id) => signedVote(world, bot, id, { header: { typ: 'QUORATE-VOTE+JWS' } }),
  ],
  [
    'another header member',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    (id) => signedVote(world, bot, id, { header: { kid: '1' } }),
  ],
  [
    'a key in the header',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    async (id) => {
      const { privateKey, publicKey } = await newKeyPair()
      return await signedVote(world, bot, id, { key: privateKey, header: { jwk: publicKey.export({ format: 'jwk' }) } })
    },
  ],
  ['another claim', 400, 'VOTE_SIGNATURE_MALFORMED', (id) => signedVote(world, bot, id, { claims: { exp: 1 } })],
  ...['iss', 'org', 'request', 'digest', 'policyDigest', 'stance', 'stage', 'seats', 'iat', 'nonce'].map(
    (name) =>
      [
        `no ${name}`,
        400,
        'VOTE_SIGNATURE_MALFORMED',
        (id: string) => signedVote(world, bot, id, { claims: { [name]: undefined } }),
      ] as const,
  ),
  [
    'a claim that stands twice',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    async (id) => {
      const claims = JSON.stringify(await goodClaims(world, bot, id))
      return signedText(
        bot.privateKey,
        JSON.stringify({ alg: 'RS256', ...voteHeader }),
        `${claims.slice(0, -1)},"stance":"approve"}`,
      )
    },
  ],
  ...(
    [
      ['a time with a fraction of nothing', (claims: string) => claims.replace(/"iat":\d+/, '$&.0')],
      ['a time with an exponent', (claims: string) => claims.replace(/"iat":\d+/, '$&e0')],
      ['a byte order mark', (claims: string) => `\ufeff${claims}`],
      ['a comma too many', (claims: string) => claims.replace('}', ',}')],
    ] as const
  ).map(
    ([name, bend]) =>
      [
        name,
        400,
        'VOTE_SIGNATURE_MALFORMED',
        async (id: string) => {
          const claims = bend(JSON.stringify(await goodClaims(world, bot, id)))
          return signedText(bot.privateKey, JSON.stringify({ alg: 'RS256', ...voteHeader }), claims)
        },
      ] as const,
  ),
  ["another agent's key", 403, 'VOTE_SIGNATURE_INVALID', (id) => signedVote(world, bot, id, { key: other.privateKey })],
  ["another agent's signature", 403, 'VOTE_SIGNATURE_INVALID', (id) => signedVote(world, other, id)],
  [
    "another agent's name on its own key",
    403,
    'VOTE_SIGNATURE_INVALID',
    (id) => signedVote(world, bot, id, { claims: { iss: other.id } }),
  ],
  [
    'the name of the agent in place of its id',
    403,
    'VOTE_SIGNATURE_INVALID',
    (id) => signedVote(world, bot, id, { claims: { iss: bot.name } }),
  ],
  [
    'another organization',
    403,
    'VOTE_SIGNATURE_INVALID',
    (id) => signedVote(world, bot, id, { claims: { org: orgId.replace('7000', '7001') } }),
  ],
  [
    'another request',
    403,
    'VOTE_SIGNATURE_INVALID',
    async (id) => await signedVote(world, bot, id, { claims: { request: await openedSigned() } }),
  ],
  [
    'the digest of another request',
    403,
    'VOTE_SIGNATURE_INVALID',
    async (id) => {
      const { digest } = await goodClaims(world, bot, await openedSigned())
      return await signedVote(world, bot, id, { claims: { digest } })
    },
  ],
  [
    'the digest in capitals',
    403,
    'VOTE_SIGNATURE_INVALID',
    async (id) => {
      const { digest } = await goodClaims(world, bot, id)
      return await signedVote(world, bot, id, { claims: { digest: String(digest).toUpperCase() } })
    },
  ],
  [
    'the digest of another rule',
    403,
    'VOTE_SIGNATURE_INVALID',
    async (id) => {
      const { policyDigest } = await goodClaims(world, bot, await world.opened({ approvalRule: world.rule(2) }))
      return await signedVote(world, bot, id, { claims: { policyDigest } })
    },
  ],
  ['another stage', 403, 'VOTE_SIGNATURE_INVALID', (id) => signedVote(world, bot, id, { claims: { stage: 1 } })],
  ['a veto', 403, 'VOTE_SIGNATURE_INVALID', (id) => signedVote(world, bot, id, { claims: { stance: 'veto' } })],
  [
    'the stance in capitals',
    403,
    'VOTE_SIGNATURE_INVALID',
    (id) => signedVote(world, bot, id, { claims: { stance: 'APPROVE' } }),
  ],
  ['no seats', 403, 'VOTE_SIGNATURE_INVALID', (id) => signedVote(world, bot, id, { claims: { seats: [] } })],
  [
    'one seat more',
    403,
    'VOTE_SIGNATURE_INVALID',
    (id) => signedVote(world, bot, id, { claims: { seats: [world.guards, world.security] } }),
  ],
  [
    'the seat twice',
    403,
    'VOTE_SIGNATURE_INVALID',
    (id) => signedVote(world, bot, id, { claims: { seats: [world.guards, world.guards] } }),
  ],
  [
    'seats that are no list',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    (id) => signedVote(world, bot, id, { claims: { seats: world.guards } }),
  ],
  ...[-301, 301].map(
    (seconds) =>
      [
        `made ${seconds} seconds from our time`,
        403,
        'VOTE_SIGNATURE_EXPIRED',
        async (id: string) => {
          const { iat } = await goodClaims(world, bot, id)
          return await signedVote(world, bot, id, { claims: { iat: Number(iat) + seconds } })
        },
      ] as const,
  ),
  ...(['1', 1.5, null, true] as const).map(
    (iat) =>
      [
        `iat ${JSON.stringify(iat)}`,
        400,
        'VOTE_SIGNATURE_MALFORMED',
        (id: string) => signedVote(world, bot, id, { claims: { iat } }),
      ] as const,
  ),
  ...['', 'a'.repeat(15), 'a'.repeat(129), `${'a'.repeat(20)}=`, `${'a'.repeat(20)}\n`, 7].map(
    (nonce) =>
      [
        `nonce ${JSON.stringify(nonce)}`,
        400,
        'VOTE_SIGNATURE_MALFORMED',
        (id: string) => signedVote(world, bot, id, { claims: { nonce } }),
      ] as const,
  ),
  [
    'the flattened JSON serialization, as a text',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    async (id) => JSON.stringify(flattened(await signedVote(world, bot, id))),
  ],
  [
    'the flattened JSON serialization',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    async (id) => flattened(await signedVote(world, bot, id)),
  ],
  [
    'the JSON serialization with a list of signatures',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    async (id) => {
      const { payload, ...signature } = flattened(await signedVote(world, bot, id))
      return { payload, signatures: [signature] }
    },
  ],
  ['a blank at its end', 400, 'VOTE_SIGNATURE_MALFORMED', async (id) => `${await signedVote(world, bot, id)} `],
  ['padding', 400, 'VOTE_SIGNATURE_MALFORMED', async (id) => `${await signedVote(world, bot, id)}=`],
  [
    'another spelling of its last character',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    async (id) => respelled(await signedVote(world, bot, id)),
  ],
  [
    'more than 64 KiB',
    400,
    'VOTE_SIGNATURE_MALFORMED',
    (id) => signedVote(world, bot, id, { claims: { nonce: 'a'.repeat(64 * 1024) } }),
  ],
  [
    'its last byte changed',
    403,
    'VOTE_SIGNATURE_INVALID',
    async (id) => {
      const [head = '', claims = '', made = ''] = (await signedVote(world, bot, id)).split('.')
      const bytes = Buffer.from(made, 'base64url')
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
      return [head, claims, bytes.toString('base64url')].join('.')
    },
  ],
]

function flattened(compact: string): { protected: string; payload: string; signature: string } {
  const [head = '', payload = '', signature = ''] = compact.split('.')
  return { protected: head, payload, signature }
}

/** 256 bytes leave four bits in the last character that no decoder looks at. */
function respelled(compact: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(compact.at(-1) ?? '')
  const text = compact.slice(0, -1) + (alphabet[last ^ 1] ?? '')
  expect(Buffer.from(text.split('.')[2] ?? '', 'base64url')).toEqual(
    Buffer.from(compact.split('.')[2] ?? '', 'base64url'),
  )
  return text
}

describe('a signature that is refused leaves everything as it was', () => {
  test.each(refused)('%s', async (_name, status, code, make) => {
    const id = await openedSigned()
    const signature = await make(id)
    const before = await storedIn(world)
    const answer = await voteWith(bot.client, id, signature, 'APPROVE', guards())
    expect(answer).toMatchObject({ status, body: { code } })
    expect(answer.body.details).toMatchObject([{ field: 'signature' }])
    expect(await storedIn(world)).toEqual(before)
    const proofs = await world.ctx.db.selectFrom('seen_proofs').selectAll().execute()
    const good = await signedVote(world, bot, id)
    expect(await voteWith(bot.client, id, good, 'APPROVE', guards())).toMatchObject({ status: 200 })
    expect(await world.ctx.db.selectFrom('seen_proofs').selectAll().execute()).toHaveLength(proofs.length + 1)
  })

  it('for a stage that was passed meanwhile names it, and one for the next stage counts', async () => {
    const stages = [{ advisory: true, approvalRule: signedRule(9) }, { approvalRule: signedRule(1) }]
    const id = await world.opened({ approvalRule: undefined, stages })
    const late = await signedVote(world, bot, id)
    expect(await world.ada.post(`/v1/workflows/${id}/close-stage`)).toMatchObject({ status: 200 })
    expect(await voteWith(bot.client, id, late, 'APPROVE', guards())).toMatchObject({
      status: 403,
      body: { code: 'VOTE_SIGNATURE_INVALID', message: 'Its stage is not that of this vote.' },
    })
    const good = await signedVote(world, bot, id)
    expect(await voteWith(bot.client, id, good, 'APPROVE', guards())).toMatchObject({
      body: { workflowStatus: 'APPROVED' },
    })
    expect((await world.ada.get(`/v1/workflows/${id}/content`)).body).not.toHaveProperty('stage')
  })

  it('made before one that the agent signed on the workflow already', async () => {
    const stages = [{ advisory: true, approvalRule: signedRule(9) }, { approvalRule: signedRule(9) }]
    const id = await world.opened({ approvalRule: undefined, stages })
    const iat = Number((await goodClaims(world, bot, id))['iat'])
    const made = (seconds: number) => signedVote(world, bot, id, { claims: { iat: iat + seconds } })
    expect(await voteWith(bot.client, id, await made(-5), 'APPROVE', guards())).toMatchObject({ status: 200 })
    const earlier = { status: 403, body: { code: 'VOTE_SIGNATURE_EXPIRED', message: expect.stringMatching('before') } }
    expect(await voteWith(bot.client, id, await made(-6), 'APPROVE', guards())).toMatchObject(earlier)
    await world.ada.post(`/v1/workflows/${id}/close-stage`)
    expect(await voteWith(bot.client, id, await made(-6), 'APPROVE', guards())).toMatchObject(earlier)
    expect(await voteWith(bot.client, id, await made(-5), 'APPROVE', guards())).toMatchObject({ status: 200 })
    // Another agent's time is its own.
    const others = await signedVote(world, other, id, { claims: { iat: iat - 60 } })
    expect(await voteWith(other.client, id, others, 'APPROVE', guards())).toMatchObject({ status: 200 })
  })

  it('an approval does not stand for a veto, nor a veto for a withdrawal', async () => {
    const id = await openedSigned()
    const approval = await signedVote(world, bot, id)
    const veto = await signedVote(world, bot, id, { type: 'VETO' })
    expect(await voteWith(bot.client, id, approval, 'VETO')).toMatchObject({ body: { code: 'VOTE_SIGNATURE_INVALID' } })
    expect(await voteWith(bot.client, id, veto, 'WITHDRAW')).toMatchObject({ body: { code: 'VOTE_SIGNATURE_INVALID' } })
  })

  it('the key before a rotation signs no more, and the one after does', async () => {
    const agent = await signer(world, await machine(world, 'rotated', world.ada))
    const id = await openedSigned()
    const early = await signedVote(world, agent, id)
    const { privateKey, publicKey } = await newKeyPair(3072)
    const body = { publicKey: Buffer.from(pemOf(publicKey)).toString('base64') }
    expect(await world.ada.post(`/v1/agents/${agent.id}/rotate-key`, body)).toMatchObject({ status: 200 })
    expect(await voteWith(agent.client, id, early, 'APPROVE', guards())).toMatchObject({
      status: 403,
      body: { code: 'VOTE_SIGNATURE_INVALID' },
    })
    const late = await signedVote(world, agent, id, { key: privateKey })
    expect(await voteWith(agent.client, id, late, 'APPROVE', guards())).toMatchObject({ status: 200 })
  })

  it('an agent without a key cannot sign', async () => {
    const id = await openedSigned()
    const keyless = { ...bot, id: await insertAgent(world.ctx, 'keyless'), name: 'keyless' }
    const { client } = await signer(world, keyless)
    expect(await voteWith(client, id, await signedVote(world, keyless, id), 'APPROVE', guards())).toMatchObject({
      status: 403,
      body: { code: 'VOTE_SIGNATURE_INVALID' },
    })
  })

  it('a person cannot sign, and can fill no seat that asks for it', async () => {
    const id = await openedSigned()
    const unsigned = await voteWith(world.cleo, id, undefined, 'APPROVE', guards())
    expect(unsigned).toMatchObject({ status: 403, body: { code: 'ENTITY_NOT_SUPPORTED' } })
    const easy = await world.opened({ approvalRule: world.rule(9) })
    const { privateKey, publicKey } = bot
    const cleo = { id: world.cleo.id, name: 'Cleo', privateKey, publicKey }
    const signature = await signedVote(world, cleo, easy)
    expect(await voteWith(world.cleo, easy, signature, 'APPROVE', guards())).toMatchObject({
      status: 403,
      body: { code: 'ENTITY_NOT_SUPPORTED', details: [{ field: 'signature' }] },
    })
    expect(await voteWith(world.cleo, id, undefined, 'VETO')).toMatchObject({ status: 200 })
  })

  it('whoever may not vote is told that, whatever they signed', async () => {
    const stranger = await machine(world, 'stranger', world.ada)
    const client = await world.signedIn(stranger.id)
    expect(await voteWith(client, await openedSigned(), 'not a signature', 'APPROVE', guards())).toMatchObject({
      status: 422,
      body: { code: 'ENTITY_NOT_IN_REQUIRED_GROUP' },
    })
  })
})

describe('a nonce', () => {
  const twice = async (other: Signer, first: string, second: string, nonce: string) => {
    const one = await signedVote(world, bot, first, { claims: { nonce } })
    expect(await voteWith(bot.client, first, one, 'APPROVE', guards())).toMatchObject({ status: 200 })
    const two = await signedVote(world, other, second, { claims: { nonce } })
    return await voteWith(other.client, second, two, 'APPROVE', guards())
  }
  const reused = { status: 409, body: { code: 'VOTE_SIGNATURE_REUSED', details: [{ field: 'signature' }] } }

  it('is used once by an agent, also for another vote on another workflow', async () => {
    const id = await openedSigned()
    expect(await twice(bot, id, id, newNonce())).toMatchObject(reused)
    expect(await twice(bot, id, await openedSigned(), newNonce())).toMatchObject(reused)
    expect(await votesOf(id)).toHaveLength(2)
  })

  it('is each agent’s own', async () => {
    const id = await openedSigned()
    expect(await twice(other, id, id, newNonce())).toMatchObject({ status: 200 })
  })

  it('is not the id of a DPoP proof', async () => {
    const id = await openedSigned()
    const nonce = newNonce()
    const jti_hash = createHash('sha256').update(nonce).digest('base64url')
    const expires_at = new Date(world.clock.now().getTime() + 60_000)
    await world.ctx.db
      .insertInto('seen_proofs')
      .values({ org_id: orgId, principal_id: bot.id, jti_hash, expires_at })
      .execute()
    const signature = await signedVote(world, bot, id, { claims: { nonce } })
    expect(await voteWith(bot.client, id, signature, 'APPROVE', guards())).toMatchObject({ status: 200 })
  })

  it('is remembered for as long as the signature could be accepted, made ahead of our time', async () => {
    const id = await openedSigned()
    const { iat } = await goodClaims(world, bot, id)
    const signature = await signedVote(world, bot, id, { claims: { iat: Number(iat) + 300 } })
    const send = () => voteWith(bot.client, id, signature, 'APPROVE', guards())
    expect(await send()).toMatchObject({ status: 200 })
    world.clock.advance(600_000)
    expect(await send()).toMatchObject(reused)
    world.clock.advance(1_000)
    expect(await send()).toMatchObject({ status: 403, body: { code: 'VOTE_SIGNATURE_EXPIRED' } })
  })

  it('shown 40 times at once is used by exactly one', async () => {
    const ids = [await openedSigned(), await openedSigned()]
    const claims = { nonce: newNonce() }
    const signatures = await Promise.all(ids.map((id) => signedVote(world, bot, id, { claims })))
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        voteWith(bot.client, ids[index % 2] ?? '', signatures[index % 2], 'APPROVE', guards()),
      ),
    )
    const said = answers.map(({ status }) => status)
    expect(said.filter((status) => status === 200)).toHaveLength(1)
    expect(said.filter((status) => status === 409)).toHaveLength(39)
    const stored = [...(await votesOf(ids[0] ?? '')), ...(await votesOf(ids[1] ?? ''))]
    expect(stored).toHaveLength(1)
  })
})

describe('where a signature is asked for', () => {
  it('the template shows it, and its kernel form demands it', async () => {
    const made = await world.made({ approvalRule: signedRule(2) })
    expect(made.approvalRule).toEqual({
      type: 'GROUP_REQUIREMENT',
      groupId: world.guards,
      minCount: 2,
      requireSignature: true,
    })
    const [row] = await world.ctx.db.selectFrom('policies').select('stages').where('id', '=', made.id).execute()
    expect(row?.stages).toMatchObject([{ rule: { assurance: ['signature'] } }])
  })

  it.each([null, 'true', 1])('%j is no answer to whether it is', async (requireSignature) => {
    const draft = world.draft({ approvalRule: { ...world.rule(), requireSignature } })
    expect(await world.ada.post('/workflow-templates', draft)).toMatchObject({
      status: 400,
      body: { code: 'APPROVAL_RULE_MALFORMED_CONTENT', details: [{ field: 'approvalRule.requireSignature' }] },
    })
  })

  it('canVote says so to whoever can sign, and to nobody else', async () => {
    const id = await openedSigned()
    const may = { canVote: true, voteStatus: 'VOTE_PENDING', requireHighPrivilege: false }
    expect(await world.canVote(bot.client, id)).toEqual({ ...may, requireSignature: true })
    expect(await world.canVote(world.cleo, id)).toEqual(may)
    const easy = await world.opened({ approvalRule: world.rule(9) })
    expect(await world.canVote(bot.client, easy)).toEqual(may)
  })

  it('explain says so, and names only agents as those who could finish', async () => {
    const id = await openedSigned(1)
    const { body } = await world.ada.get(`/v1/workflows/${id}/explain`)
    expect(body.pending.rule).toMatchObject({ requireSignature: true, satisfiable: true })
    const named = body.pending.finishingSets.flat().map(({ id: who }: { id: string }) => who)
    expect(named).toContain(bot.id)
    expect(named).not.toContain(world.cleo.id)
  })

  it('explain says of a later stage that nobody can, where only people are members', async () => {
    const people = await insertGroup(world.ctx, [world.cleo.id])
    const later = { ...world.rule(1, people), requireSignature: true }
    const stages = [{ approvalRule: world.rule(9) }, { approvalRule: later }]
    const id = await world.opened({ approvalRule: undefined, stages })
    const laterStages = async () => (await world.ada.get(`/v1/workflows/${id}/explain`)).body.pending.laterStages
    expect(await laterStages()).toMatchObject([{ satisfiable: false }])
    await addMember(world.ctx, people, bot.id)
    expect(await laterStages()).toMatchObject([{ satisfiable: true }])
  })

  it('explain says that nobody can where only people are members', async () => {
    const people = await insertGroup(world.ctx, [world.cleo.id, world.dan.id])
    const rule = { ...world.rule(1, people), requireSignature: true }
    const id = await world.opened({ approvalRule: rule })
    const { body } = await world.ada.get(`/v1/workflows/${id}/explain`)
    expect(body.pending).toMatchObject({ nobodyCan: true, finishingSets: [] })
    await addMember(world.ctx, people, bot.id)
    expect((await world.ada.get(`/v1/workflows/${id}/explain`)).body.pending).toMatchObject({ nobodyCan: false })
  })
})
