import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifierKeyText } from '../../../src/proof/note.ts'
import { accountOf } from '../../../src/verify/account.ts'
import { tellAccount } from '../../../src/verify/tell-account.ts'
import { verifyReceipt } from '../../../src/verify/verify-receipt.ts'
import { engine, role, startAccessScene, step, type AccessScene } from '../../helpers/access.ts'
import { startSecondVerifier, type SecondVerifier } from '../../helpers/python.ts'
import { logKeyOf, receiptFile, saidBy, statementIn, trusting } from '../../helpers/receipts.ts'
import { apiClient, roleStore, startPrivx } from '../../helpers/privx.ts'
import type { Client, World } from '../../helpers/world.ts'

let scene: AccessScene
let second: SecondVerifier
beforeAll(async () => {
  scene = await startAccessScene()
  second = startSecondVerifier()
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
})

/** The receipt of a request as this client gets it, which both verifiers believe. */
async function verified(world: World, client: Client, id: string) {
  const file = await receiptFile(world, client, id)
  const key = await logKeyOf(world.ctx)
  const verdict = verifyReceipt(file, trusting([key]))
  expect(saidBy(verdict)).toBe('verified')
  const args = ['--key', verifierKeyText(key.name, key.type, key.publicKey)]
  expect(await second.verdictOn(file, args)).toEqual({ ok: true, failures: [] })
  if (verdict.verdict === 'refused') throw new Error('unreachable')
  return { receipt: statementIn(file).predicate, told: tellAccount(accountOf(verdict.verified)) }
}

describe('the receipt of a request for a role', () => {
  const day = 86_400_000
  const in_ = (days: number) => new Date(scene.world.clock.now().getTime() + days * day).toISOString()

  it('tells who asked for whom, for which role, who approved in both steps, and the terms that they put in', async () => {
    const { ada, ben, cleo, dana, eli } = scene
    const steps = [step('ALL', scene.roles.first, scene.roles.second), step('ANY', scene.roles.second)]
    await scene.workflow({ steps, grant_types: ['PERMANENT', 'TIME_RESTRICTED'] })
    const id = await scene.ask(ada, { target_user: { id: ben.id } })
    expect((await scene.decide(cleo, id, 'APPROVED', { comment: 'For the audit.' })).status).toBe(200)
    expect((await scene.decide(dana, id, 'APPROVED')).status).toBe(200)
    const terms = { grant_type: 'TIME_RESTRICTED', grant_start: in_(0), grant_end: in_(7) }
    expect((await scene.decide(dana, id, 'APPROVED', { step: 1, ...terms })).status).toBe(200)
    const { receipt, told } = await verified(scene.world, ben, id)
    expect(receipt.request).toMatchObject({
      dialect: 'privx',
      requester: ada.id,
      beneficiary: ben.id,
      expiresAt: '9999-12-31T23:59:59.999Z',
      grant: { operation: 'grant', principal: ben.id, group: scene.roles.target, grantKind: 'permanent' },
    })
    expect(receipt.votes.map(({ principal, stage, seats }) => [principal, stage, seats])).toEqual([
      [cleo.id, 0, [scene.roles.first]],
      [dana.id, 0, [scene.roles.second]],
      [dana.id, 1, [scene.roles.second]],
    ])
    expect(receipt.changes).toMatchObject([{ kind: 'request.terms-changed', seq: 3, grantKind: 'time-restricted' }])
    expect(JSON.parse(receipt.request.content ?? '').metadata.grant).toEqual(receipt.request.grant)
    expect(told).toContain(`For           "Ben" (${ben.id})`)
    expect(told).toContain(`is given the role ${scene.roles.target} for good`)
    expect(told).toContain(`Approved      from ${in_(0)} until before ${in_(7)}`)
    expect(told).toContain('Each approver votes once in a stage')
    expect(told).toContain('For the audit.')
    const stranger = await eli.get(`/v1/requests/${id}/receipt`)
    expect([stranger.status, stranger.body.code]).toEqual([404, 'WORKFLOW_NOT_FOUND'])
  })

  it('tells a denial, with the seat that it took', async () => {
    const id = await scene.ask(scene.ben)
    expect((await scene.ben.get(`/v1/requests/${id}/receipt`)).body.code).toBe('WORKFLOW_NOT_DECIDED')
    await scene.decide(scene.carl, id, 'DENIED', { comment: 'no' })
    const { receipt, told } = await verified(scene.world, scene.cleo, id)
    expect(receipt.decision).toMatchObject({ status: 'rejected', isFinal: true })
    expect(receipt.votes[0]).toMatchObject({ stance: 'veto', seats: [scene.roles.first] })
    expect(told).not.toContain('Approved  ')
  })

  it('stays good when its role was taken back', async () => {
    const wanted = await role(scene.world.ctx, 'backup')
    const steps = [step('ANY', scene.roles.first)]
    await scene.workflow({ steps, target_roles: [{ id: wanted }], can_bypass_revoke_workflow: true })
    const id = await scene.ask(scene.eli, { requested_role: { id: wanted } })
    await scene.decide(scene.cleo, id, 'APPROVED')
    const before = await verified(scene.world, scene.eli, id)
    expect(before.told).toContain('whoever approves may take it back')
    expect((await scene.cleo.post(`${engine}/requests/${id}/role/revoke`)).status).toBe(200)
    const after = await verified(scene.world, scene.eli, id)
    expect(after.receipt.decision).toEqual(before.receipt.decision)
  })
})

it('the receipt of what an API client asked for, with the names of everybody', async () => {
  await using privx = await startPrivx()
  const { admin, world } = privx
  const [approvers, wanted] = [await privx.role('team leads'), await privx.role('database')]
  const [uma, vic] = [await privx.user('uma', [approvers]), await privx.user('vic')]
  const workflow = { name: 'Access', target_roles: [{ id: wanted }], steps: [step('ANY', approvers)] }
  expect((await admin.post(`${engine}/workflows`, workflow)).status).toBe(201)
  const asked = { requested_role: { id: wanted }, target_user: { id: vic.id } }
  const { body } = await admin.post(`${engine}/requests`, asked)
  await uma.post(`${engine}/requests/${body.id}/decision`, { step: 0, decision: 'APPROVED' })
  expect((await admin.get(`${roleStore}/users/${vic.id}/roles`)).body.items).toHaveLength(1)
  const { receipt, told } = await verified(world, vic, body.id)
  expect(receipt.request.requester).toBe(apiClient.id)
  expect(receipt.names.principals.map(({ id }) => id).toSorted()).toEqual([apiClient.id, uma.id, vic.id].toSorted())
  expect(told).toContain(`the role "database" (${wanted}) for good`)
})
