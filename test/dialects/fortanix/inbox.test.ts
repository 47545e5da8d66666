import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultOrganization } from '../../../src/identity/organization.ts'
import { basic, callsWith, expectStatus, type FortanixCalls } from '../../helpers/fortanix.ts'
import { startedSignIn } from '../../helpers/sign-in.ts'
import { startWorld, type Client, type World } from '../../helpers/world.ts'

const requests = '/sys/v1/approval_requests'

let world: World
let ada: FortanixCalls
let ben: FortanixCalls
let benHere: Client
let cleoHere: Client
let benId: string
let path: string

beforeAll(async () => {
  world = await startWorld({ env: { QUORATE_DEMO: '1' } })
  const custodian = async (email: string) => {
    const begun = await callsWith(world, basic(email, 'demo')).post('/sys/v1/session/auth')
    const { access_token: token, entity_id: id } = expectStatus(begun, 200)
    const calls = callsWith(world, `Bearer ${token}`)
    expectStatus(await calls.post('/sys/v1/session/select_account', { acct_id: defaultOrganization.id }), 200)
    return { calls, id: id as string }
  }
  const native = async (email: string): Promise<Client> => {
    const answer = await world.anyone.post('/auth/cli/token', await startedSignIn(world, email))
    return world.withToken('', answer.body.accessToken)
  }
  const [adas, bens] = [await custodian('ada@example.com'), await custodian('ben@example.com')]
  ;[ada, ben, benId] = [adas.calls, bens.calls, bens.id]
  benHere = await native('ben@example.com')
  cleoHere = await native('cleo@example.com')
  const group = { name: 'guarded', approval_policy: { user: benId } }
  path = `/sys/v1/groups/${expectStatus(await ada.post('/sys/v1/groups', group), 201).group_id}`
})
afterAll(() => world.close())

const ask = async (): Promise<string> => {
  const body = { description: 'renamed' }
  const question = { method: 'PATCH', operation: path, body, description: 'for the audit' }
  return expectStatus(await ada.post(requests, question), 201).request_id
}

describe('an operation that waits for somebody', () => {
  it('is in their inbox of all that waits, can be read there, and leaves it with their approval', async () => {
    const id = await ask()
    const inbox = await benHere.get('/v1/inbox')
    expect(inbox.body.requests).toMatchObject([
      { id, dialect: 'fortanix', name: `PATCH ${path}`, description: 'for the audit' },
    ])
    expect(await benHere.get(`/v1/requests/${id}`)).toMatchObject({ status: 200, body: { id, dialect: 'fortanix' } })
    expectStatus(await ben.post(`${requests}/${id}/approve`), 200)
    const after = await benHere.get('/v1/inbox')
    expect(after.body.requests).toEqual([])
  })

  it('is not there for those whom it does not concern', async () => {
    const id = await ask()
    expect(await cleoHere.get(`/v1/requests/${id}`)).toMatchObject({ status: 404 })
    expect((await cleoHere.get('/v1/inbox')).body.requests).toEqual([])
  })

  it('cannot be voted on by a call of the native API, nor is it among its workflows', async () => {
    const id = await ask()
    const vote = { voteType: { type: 'APPROVE', votedForGroups: [] } }
    expect(await benHere.post(`/workflows/${id}/vote`, vote)).toMatchObject({ status: 404 })
    expect(await benHere.get(`/workflows/${id}`)).toMatchObject({ status: 404 })
  })

  it('has a receipt once it is decided', async () => {
    const id = await ask()
    expectStatus(await ben.post(`${requests}/${id}/approve`), 200)
    const receipt = await benHere.get(`/v1/requests/${id}/receipt`)
    expect([receipt.status, Object.keys(receipt.body)]).toMatchObject([200, expect.arrayContaining(['payload'])])
  })
})
