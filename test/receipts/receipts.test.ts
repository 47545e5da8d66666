import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addLogKey } from '../../src/audit/log-key.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { accountOf } from '../../src/verify/account.ts'
import { verifyReceipt } from '../../src/verify/verify-receipt.ts'
import { machine, pemOf } from '../helpers/agents.ts'
import { addLeaves } from '../helpers/log.ts'
import { addMember, orgId } from '../helpers/quorum.ts'
import { logKeyOf, receiptFile, statementIn, trusting, verdictOn, voterKeys } from '../helpers/receipts.ts'
import { signedVote, signer, voteWith } from '../helpers/vote-signatures.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'
import type { Client } from '../helpers/world.ts'

const hour = 3_600_000

describe.each(['postgres', 'pglite'] as const)('receipts on %s', (engine) => {
  let world: WorkflowWorld
  beforeAll(async () => void (world = await startWorkflowWorld({ engine })))
  afterAll(() => world.close())

  const verified = async (id: string, more: Parameters<typeof trusting>[1] = {}) => {
    const file = await receiptFile(world, await world.signedIn(world.ada.id), id)
    const trust = trusting([await logKeyOf(world.ctx)], more)
    expect(verdictOn(file, trust)).toBe('verified')
    return statementIn(file).predicate
  }
  const leave = async (client: Client) =>
    await world.ctx.db.deleteFrom('memberships').where('principal_id', '=', client.id).execute()
  /** A group made over HTTP, so that the log has its name. */
  const groupOf = async (name: string, ...members: readonly Client[]) => {
    const { headers } = await world.ada.post('/groups', { name })
    const id = String(headers['location']).split('/').at(-1) ?? ''
    const entities = members.map((one) => ({ entity: { entityId: one.id, entityType: 'human' } }))
    expect(await world.ada.post(`/groups/${id}/entities`, { entities })).toMatchObject({ status: 200 })
    return id
  }

  it('an approval, with changed and withdrawn votes before it', async () => {
    const { cleo, dan, eli } = world
    const id = await world.opened(
      { approvalRule: world.rule(3) },
      { description: 'Ship — it', metadata: { build: '7' } },
    )
    await world.voted(cleo, id, 'VETO')
    await world.voted(cleo, id, 'APPROVE')
    await world.voted(dan, id, 'APPROVE')
    await world.voted(dan, id, 'WITHDRAW')
    await world.voted(eli, id, 'APPROVE')
    expect(await world.voted(dan, id, 'APPROVE')).toBe('APPROVED')
    const { decision, votes, request, names } = await verified(id)
    expect(decision).toMatchObject({ status: 'approved', isFinal: true, seq: 6, leaf: votes.at(-1)?.leaf.index })
    expect(votes.map(({ stance }) => stance)).toEqual(['veto', 'approve', 'approve', 'withdraw', 'approve', 'approve'])
    expect(JSON.parse(request.content ?? '')).toMatchObject({ description: 'Ship — it', metadata: { build: '7' } })
    expect(names.principals.map(({ name }) => name)).toEqual(expect.arrayContaining(['Ada', 'Cleo', 'Dan', 'Eli']))
  })

  it('a rejection for good', async () => {
    const id = await world.opened({ options: { veto: 'final' } })
    await world.voted(world.cleo, id, 'VETO')
    expect((await verified(id)).decision).toMatchObject({ status: 'rejected', isFinal: true, seq: 1 })
  })

  it('a veto that can still be withdrawn, and the approval after it', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    await world.voted(world.cleo, id, 'VETO')
    await world.voted(world.dan, id, 'APPROVE')
    expect((await verified(id)).decision).toMatchObject({ status: 'rejected', isFinal: false, seq: 1 })
    await world.voted(world.cleo, id, 'WITHDRAW')
    await world.voted(world.cleo, id, 'APPROVE')
    expect((await verified(id)).decision).toMatchObject({ status: 'approved', isFinal: true, seq: 4 })
  })

  it('a veto that is only recorded', async () => {
    const id = await world.opened({ options: { veto: 'ignored' } })
    await world.voted(world.cleo, id, 'VETO')
    expect(await world.voted(world.dan, id, 'APPROVE')).toBe('APPROVED')
    await verified(id)
  })

  it('a cancellation by who asked', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) })
    await world.voted(world.cleo, id, 'APPROVE')
    await world.ada.post(`/v1/workflows/${id}/cancel`)
    const { decision, changes } = await verified(id)
    expect(decision).toMatchObject({ status: 'canceled', isFinal: true, seq: 1, leaf: changes[0]?.leaf.index })
  })

  it('a cancellation with the template', async () => {
    const template = await world.made({ approvalRule: world.rule(2) })
    const id = await world.openedUnder(template.id)
    await world.ada.post(`/workflow-templates/${template.id}/deprecate`, { cancelWorkflows: true })
    expect((await verified(id)).decision).toMatchObject({ status: 'canceled', isFinal: true, seq: 0 })
  })

  it('the deadline, also where no sweep has come by', async () => {
    const id = await world.opened({ approvalRule: world.rule(2), defaultExpiresInHours: 1 })
    await world.voted(world.cleo, id, 'APPROVE')
    world.clock.advance(hour)
    const { decision, request } = await verified(id)
    // Tokens of the tests after this one are of before.
    world.clock.advance(-hour)
    expect(decision).toMatchObject({ status: 'expired', isFinal: true, seq: 1, at: request.expiresAt })
  })

  it('people who each fill one seat only', async () => {
    const [finn, gus] = [await world.voter('Finn'), await world.voter('Gus')]
    const [one, two] = [await groupOf('one', finn, gus), await groupOf('two', finn)]
    const approvalRule = { type: 'AND', rules: [world.rule(1, one), world.rule(1, two)] }
    const id = await world.opened({ approvalRule, options: { distinctPeople: true } })
    expect(await world.voted(finn, id, 'APPROVE', [one, two])).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(gus, id, 'APPROVE', [one])).toBe('APPROVED')
    expect((await verified(id)).names.groups.map(({ name }) => name).toSorted()).toEqual(['one', 'two'])
  })

  it('agents that count as the person who answers for them', async () => {
    const hal = await world.voter('Hal')
    const bot = await signer(world, await machine(world, `bot-${engine}`, hal))
    const other = await world.voter('Ivy', [world.guards])
    const id = await world.opened({ approvalRule: world.rule(2), options: { naturalPersons: true } })
    await addMember(world.ctx, world.guards, hal.id)
    await world.voted(bot.client, id, 'APPROVE')
    expect(await world.voted(hal, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(other, id, 'APPROVE')).toBe('APPROVED')
    const { votes } = await verified(id)
    expect(votes[0]?.person).toBe(votes[1]?.person)
  })
  it('a rule that keeps who asked from voting', async () => {
    const id = await world.opened({ options: { requesterMayVote: false } })
    await world.voted(world.cleo, id, 'APPROVE')
    await verified(id)
  })

  it('an approval whose voter has lost the seat by the time it would count', async () => {
    const jan = await world.voter('Jan', [world.guards])
    const id = await world.opened({ approvalRule: world.rule(2) })
    await world.voted(jan, id, 'APPROVE')
    await leave(jan)
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('EVALUATION_IN_PROGRESS')
    expect(await world.voted(world.dan, id, 'APPROVE')).toBe('APPROVED')
    const { votes } = await verified(id)
    expect(votes.map(({ lapsed }) => lapsed)).toEqual([
      undefined,
      { [jan.id]: [world.guards] },
      { [jan.id]: [world.guards] },
    ])
  })

  it('an approval that stands although its voter has left, where that is the rule', async () => {
    const kim = await world.voter('Kim', [world.guards])
    const id = await world.opened({ approvalRule: world.rule(2), options: { recheckEligibility: false } })
    await world.voted(kim, id, 'APPROVE')
    await leave(kim)
    expect(await world.voted(world.cleo, id, 'APPROVE')).toBe('APPROVED')
    await verified(id)
  })

  it('stages, an advisory one of them closed by command', async () => {
    const stages = [
      { name: 'Advice', advisory: true, approvalRule: world.rule(3) },
      { approvalRule: world.rule(1) },
      { approvalRule: { type: 'OR', rules: [world.rule(1), world.rule(2)] } },
    ]
    const id = await world.opened({ approvalRule: undefined, stages })
    await world.voted(world.cleo, id, 'APPROVE')
    expect(await world.ada.post(`/v1/workflows/${id}/close-stage`)).toMatchObject({ status: 200 })
    await world.voted(world.cleo, id, 'APPROVE')
    expect(await world.voted(world.dan, id, 'APPROVE')).toBe('APPROVED')
    const { changes, votes } = await verified(id)
    expect(changes).toMatchObject([{ kind: 'request.stage-closed', toStage: 1 }])
    expect(votes.map(({ stage }) => stage)).toEqual([0, 1, 2])
  })

  it('a seat for a fresh proof', async () => {
    const approvalRule = { ...world.rule(1), requireHighPrivilege: true }
    const id = await world.opened({ approvalRule })
    expect(await world.voted(await world.steppedUp(world.cleo), id, 'APPROVE')).toBe('APPROVED')
    expect((await verified(id)).votes[0]?.assurance).toEqual(['stepUp'])
  })

  it('the reason that a voter gave', async () => {
    const id = await world.opened()
    const voteType = { type: 'APPROVE', votedForGroups: [world.guards] }
    await world.cleo.post(`/workflows/${id}/vote`, { voteType, reason: 'Looked at it.' })
    expect((await verified(id)).votes[0]?.reason?.text).toBe('Looked at it.')
  })

  it('signed votes: believed under the voter’s key, and under no word of the server', async () => {
    const bot = await signer(world, await machine(world, `signer-${engine}`))
    const approvalRule = { ...world.rule(1), requireSignature: true }
    const id = await world.opened({ approvalRule })
    const cast = await voteWith(bot.client, id, await signedVote(world, bot, id), 'APPROVE', [world.guards])
    expect(cast.body).toMatchObject({ workflowStatus: 'APPROVED' })
    const { votes } = await verified(id, { voterKeys: voterKeys(bot) })
    expect(votes[0]?.assurance).toEqual(['signature'])

    const file = await receiptFile(world, world.ada, id)
    const key = await logKeyOf(world.ctx)
    expect(verdictOn(file, trusting([key]))).toMatch(/^voter-key-missing: .*--voter-key/)
    const stranger = await machine(world, `stranger-${engine}`)
    const wrong = { voterKeys: voterKeys({ id: bot.id, publicKey: stranger.publicKey }) }
    expect(verdictOn(file, trusting([key], wrong))).toMatch(/^bad-voter-signature/)
    const other = { voterKeys: voterKeys(stranger) }
    expect(verdictOn(file, trusting([key], other))).toMatch(/^voter-key-missing/)
  })

  it('a voter’s key is in the receipt in its one form, however it was registered', async () => {
    const bot = await signer(world, await machine(world, `wrapped-${engine}`))
    const id = await world.opened({ approvalRule: { ...world.rule(1), requireSignature: true } })
    const lines = pemOf(bot.publicKey).trim().split('\n')
    const public_key = [lines[0], lines.slice(1, -1).join(''), lines.at(-1)].join('\r\n')
    await world.ctx.db.updateTable('principals').set({ public_key }).where('id', '=', bot.id).execute()
    const cast = await voteWith(bot.client, id, await signedVote(world, bot, id), 'APPROVE', [world.guards])
    expect(cast.body).toMatchObject({ workflowStatus: 'APPROVED' })
    const { votes } = await verified(id, { voterKeys: voterKeys(bot) })
    expect(votes[0]?.publicKey).toBe(pemOf(bot.publicKey))
  })

  it('what is left when texts were erased', async () => {
    const id = await world.opened({}, { description: 'a name that has to go' })
    const voteType = { type: 'APPROVE', votedForGroups: [world.guards] }
    const cast = await world.cleo.post(`/workflows/${id}/vote`, { voteType, reason: 'as has this' })
    expect(cast).toMatchObject({ status: 200 })
    await world.ctx.db.updateTable('requests').set({ description: null }).where('id', '=', id).execute()
    await world.ctx.db
      .updateTable('votes')
      .set({ reason: null, reason_salt: null })
      .where('request_id', '=', id)
      .execute()
    const { request, votes } = await verified(id)
    expect([request.content, votes[0]?.reason]).toEqual([null, undefined])
  })

  it('is refused of a workflow that is not decided, or not there', async () => {
    const id = await world.opened()
    expect(await world.ada.get(`/v1/workflows/${id}/receipt`)).toMatchObject({
      status: 409,
      body: { code: 'WORKFLOW_NOT_DECIDED' },
    })
    expect(await world.ada.get(`/v1/workflows/none/receipt`)).toMatchObject({
      status: 404,
      body: { code: 'WORKFLOW_NOT_FOUND' },
    })
    expect((await world.anyone.get(`/v1/workflows/${id}/receipt`)).status).toBe(401)
  })

  it('is checked with the log’s new key once there is one', async () => {
    const id = await world.opened()
    await world.voted(world.cleo, id, 'APPROVE')
    await receiptFile(world, world.ada, id)
    const old = await logKeyOf(world.ctx)
    await addLogKey(world.ctx)
    const file = await receiptFile(world, world.ada, id)
    expect(verdictOn(file, trusting([await logKeyOf(world.ctx)]))).toBe('verified')
    expect(verdictOn(file, trusting([old]))).toMatch(/^unknown-key/)
  })

  it('is checked against the log’s key, and no other', async () => {
    const id = await world.opened()
    await world.voted(world.cleo, id, 'APPROVE')
    const file = await receiptFile(world, world.ada, id)
    const key = await logKeyOf(world.ctx)
    expect(verdictOn(file, trusting([{ ...key, id: Buffer.from('00000000', 'hex') }]))).toMatch(/^unknown-key/)
    expect(verdictOn(file, trusting([{ ...key, publicKey: new Uint8Array(32) }]))).toMatch(/^bad-signature/)
  })

  it('holds in a log of some thousand entries, and is told in words', async () => {
    const id = await world.opened({ approvalRule: world.rule(2) }, { description: 'plain' })
    await world.voted(world.cleo, id, 'APPROVE')
    const others = Array.from({ length: 3000 }, (_, at) => `{"at":${at}}`)
    await addLeaves(world.ctx, others)
    await sealNow(world.ctx, orgId)
    await world.voted(world.dan, id, 'APPROVE')
    const file = await receiptFile(world, world.ada, id)
    const verdict = verifyReceipt(file, trusting([await logKeyOf(world.ctx)]))
    expect(verdict.verdict).toBe('verified')
    if (verdict.verdict === 'verified') {
      const { events } = accountOf(verdict.verified)
      expect(events.map((event) => event.kind === 'vote' && event.voter.name)).toEqual(['Cleo', 'Dan'])
    }
  })
})
