import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { engine, role, startAccessScene, step, workflowBody, type AccessScene } from '../../helpers/access.ts'
import { startMailPeer } from '../../helpers/mail-peer.ts'
import type { Client } from '../../helpers/world.ts'

let scene: AccessScene
let manager: Client
beforeAll(async () => {
  scene = await startAccessScene({ env: { QUORATE_WEBHOOK_ALLOW: '127.0.0.1', QUORATE_MAIL_TIMEOUT: '1' } })
  manager = await scene.world.person('Mia')
  await role(scene.world.ctx, 'workflow managers', [manager], ['workflows-manage'])
})
afterAll(() => scene[Symbol.asyncDispose]())

const path = `${engine}/settings`
const defaults = {
  smtp_server: '',
  smtp_server_port: 0,
  smtp_server_enabled: false,
  smtp_server_username: '',
  smtp_server_password: '',
  smtp_server_protocol: '',
  smtp_server_insecure_verify: false,
  smtp_sender_address: '',
  smtp_retry_attempts: 0,
  smtp_provider: '',
  smtp_authentication_mode: '',
  smtp_provider_token_endpoint: '',
  smtp_provider_token_scope: '',
  privx_backend_address: '',
  request_role_max_approvers: 10,
}
const given = {
  smtp_server: 'mail.example.com',
  smtp_server_port: 2525,
  smtp_server_enabled: true,
  smtp_server_username: 'robot',
  smtp_server_password: 'hunter2',
  smtp_server_protocol: 'STARTTLS',
  smtp_server_insecure_verify: true,
  smtp_sender_address: 'robot@example.com',
  smtp_retry_attempts: 3,
  smtp_provider: 'GENERIC',
  smtp_authentication_mode: 'PLAIN',
  smtp_provider_token_endpoint: 'https://login.example.com/token',
  smtp_provider_token_scope: 'mail.send',
  privx_backend_address: 'https://privx.example.com',
  request_role_max_approvers: 4,
}
const withoutPassword = { ...given, smtp_server_password: '' }

describe('the settings', () => {
  it('are the defaults, until they are replaced as a whole', async () => {
    expect((await manager.get(path)).body).toEqual(defaults)
    expect((await manager.put(path, given)).status).toBe(200)
    expect((await manager.get(path)).body).toEqual(withoutPassword)
    expect((await scene.ada.put(path, { smtp_server: 'other.example.com', colour: 'red' })).status).toBe(200)
    expect((await manager.get(path)).body).toEqual({ ...defaults, smtp_server: 'other.example.com' })
  })

  it('hold the password sealed, and in no leaf', async () => {
    await manager.put(path, given)
    const { settings, sealed_password } = await scene.world.ctx.db
      .selectFrom('privx_settings')
      .select(['settings', 'sealed_password'])
      .executeTakeFirstOrThrow()
    expect(JSON.stringify(settings)).not.toContain('hunter2')
    expect(Buffer.from(sealed_password ?? []).toString('latin1')).not.toContain('hunter2')
    const leaves = await scene.world.ctx.db.selectFrom('audit_leaves').select(['content', 'private']).execute()
    expect(JSON.stringify(leaves)).not.toContain('hunter2')
  })

  it.each<[string, object, string]>([
    ['no approvers at all', { request_role_max_approvers: 0 }, 'request_role_max_approvers'],
    ['approvers that are a text', { request_role_max_approvers: '3' }, 'request_role_max_approvers'],
    ['a port that is none', { smtp_server_port: 65_536 }, 'smtp_server_port'],
    ['a flag that is a number', { smtp_server_enabled: 1 }, 'smtp_server_enabled'],
    ['a server that is a number', { smtp_server: 7 }, 'smtp_server'],
  ])('refuse %s', async (_, members, property) => {
    const { status, body } = await manager.put(path, { ...given, ...members })
    expect([status, body.property]).toEqual([400, property])
  })

  it('limit the approvers of a step', async () => {
    await manager.put(path, { request_role_max_approvers: 1 })
    const { first, second } = scene.roles
    const make = async (...ids: string[]) =>
      await manager.post(`${engine}/workflows`, workflowBody(scene.roles, { steps: [step('ANY', ...ids)] }))
    expect((await make(first)).status).toBe(201)
    const { status, body } = await make(first, second)
    expect([status, body.property]).toEqual([400, 'steps[0].approvers'])
    await manager.put(path, {})
    expect((await make(first, second)).status).toBe(201)
  })

  it('and their test are for who manages workflows', async () => {
    for (const call of [
      scene.ben.get(path),
      scene.ben.put(path, given),
      scene.ben.put(path, '{}'),
      scene.ben.post(`${engine}/testsmtp`, given),
    ]) {
      const { status, body } = await call
      expect([status, body.error_code]).toEqual([403, 'PERMISSION_DENIED'])
    }
  })
})

describe('a test of mail settings', () => {
  // Each has its own ten tests of a minute.
  beforeEach(() => scene.world.clock.advance(60_000))

  const test = async (settings: object) => {
    const { status, body } = await scene.ada.post(`${engine}/testsmtp`, settings)
    expect([status, Object.keys(body)]).toEqual([200, ['status', 'details']])
    return body
  }
  const insecure = { smtp_server_insecure_verify: true }

  it('connects, secures the connection and signs in, and sends nothing', async () => {
    await using peer = await startMailPeer({
      onAuth: ({ username, password }, _, done) =>
        password === 'hunter2' ? done(null, { user: username ?? '' }) : done(new Error('no')),
    })
    const server = {
      smtp_server: '127.0.0.1',
      smtp_server_port: peer.port,
      smtp_server_protocol: 'STARTTLS',
      ...insecure,
    }
    const named = { ...server, smtp_server_username: 'robot' }
    expect(await test(server)).toEqual({ status: 'OK', details: expect.stringContaining('127.0.0.1') })
    expect((await test({ ...named, smtp_server_password: 'hunter2' })).status).toBe('OK')
    const refused = await test({ ...named, smtp_server_password: 'secret-8' })
    expect(refused.status).toBe('ERROR')
    expect(refused.details).not.toContain('secret-8')
    // The password that is kept goes to the server and user that it was given for, and to no other.
    expect((await test(named)).status).toBe('ERROR')
    await manager.put(path, { ...named, smtp_server_password: 'hunter2' })
    expect((await test(named)).status).toBe('OK')
    await manager.put(path, named)
    expect((await test(named)).status).toBe('OK')
    expect((await test({ ...named, smtp_server_username: 'other' })).status).toBe('ERROR')
    await manager.put(path, { ...named, smtp_server_username: 'other' })
    await manager.put(path, named)
    expect((await test(named)).status).toBe('ERROR')
    expect(peer.received).toEqual([])
  })

  it.each<[string, object, RegExp]>([
    ['names no server', {}, /No mail server/],
    ['names a server that nobody knows', { smtp_server: 'nowhere.invalid' }, /nowhere\.invalid/],
    ['leads inside', { smtp_server: '10.0.0.1', smtp_server_port: 25 }, /not allowed/],
    ['leads to a port where nobody listens', { smtp_server: '127.0.0.1', smtp_server_port: 1 }, /ECONNREFUSED/],
  ])('that %s is answered with 200 and what is wrong', async (_, settings, details) => {
    expect(await test(settings)).toEqual({ status: 'ERROR', details: expect.stringMatching(details) })
  })

  it('does not trust a certificate that nobody vouches for, unless it is told to', async () => {
    await using peer = await startMailPeer({ secure: true })
    const server = { smtp_server: '127.0.0.1', smtp_server_port: peer.port, smtp_server_protocol: 'tls' }
    const strict = await manager.post(`${engine}/testsmtp`, server)
    expect(strict.body).toEqual({ status: 'ERROR', details: expect.stringContaining('SELF_SIGNED') })
    expect((await manager.post(`${engine}/testsmtp`, { ...server, ...insecure })).body.status).toBe('OK')
  })

  it('is for ten a minute', async () => {
    const statuses = []
    const other = await scene.world.person('Olga')
    await role(scene.world.ctx, 'other managers', [other], ['workflows-manage'])
    for (let call = 0; call < 11; call++) statuses.push((await other.post(`${engine}/testsmtp`, {})).status)
    expect(statuses).toEqual([...Array(10).fill(200), 429])
  })

  it('refuses what is wrong with the settings themselves', async () => {
    const { status, body } = await manager.post(`${engine}/testsmtp`, { smtp_server_port: 'x' })
    expect([status, body.property]).toEqual([400, 'smtp_server_port'])
  })
})
