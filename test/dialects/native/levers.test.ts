import { describe, expect, test } from 'vitest'
import { maintain } from '../../../src/maintenance.ts'
import { insertGroup, insertPolicy, seats } from '../../helpers/quorum.ts'
import { startWorld } from '../../helpers/world.ts'

const unavailable = { status: 503, body: { code: 'SERVICE_UNAVAILABLE' } }
const withLever = (lever: string) => startWorld({ env: { QUORATE_LEVERS: lever } })

describe('read_only_mode', () => {
  test('blocks every call that writes, signing in and unknown routes too, before anyone asks for a token', async () => {
    await using world = await withLever('read_only_mode')
    const ada = await world.person('Ada', { admin: true })
    for (const caller of [world.anyone, ada]) {
      for (const path of ['/groups', '/auth/cli/initiate', '/auth/cli/token', '/auth/cli/refresh', '/no/such/route']) {
        expect(await caller.post(path, {})).toMatchObject(unavailable)
      }
      expect(await caller.post('/resources/resolve', '{not JSON')).toMatchObject(unavailable)
      expect(await caller.put('/users/x/roles', {})).toMatchObject(unavailable)
      expect(await caller.patch('/quotas/x', {})).toMatchObject(unavailable)
      expect(await caller.delete('/quotas/x')).toMatchObject(unavailable)
    }
  })

  test('lets everyone read', async () => {
    await using world = await withLever('read_only_mode')
    const ada = await world.person('Ada', { admin: true })
    for (const path of ['/roles', '/groups', '/quotas', '/audit-logs', '/health']) {
      expect([path, (await ada.get(path)).status]).toEqual([path, 200])
    }
    expect(await world.anyone.get('/groups')).toMatchObject({ status: 401 })
    expect(await ada.post('/workflow-engine/api/v1/requests/search', {})).toMatchObject({ status: 200 })
    expect(await world.anyone.post('/crypto/v1/verify', {})).toMatchObject({ status: 401 })
  })
})

describe('disable_workflow_creation', () => {
  test('blocks opening a workflow, before anyone asks for a token, and nothing else', async () => {
    await using world = await withLever('disable_workflow_creation')
    const ada = await world.person('Ada', { admin: true })
    expect(await world.anyone.post('/workflows', {})).toMatchObject(unavailable)
    expect(await ada.post('/workflows', '{not JSON')).toMatchObject(unavailable)
    expect(await ada.get('/workflows')).toMatchObject({ status: 200 })
    expect(await ada.post('/groups', { name: 'still' })).toMatchObject({ status: 201 })
    expect(await ada.post('/workflows/x/vote', {})).toMatchObject({ status: 400 })
  })
})

describe('disable_workflow_expiration_sweep', () => {
  test.each([
    ['disable_workflow_expiration_sweep', 'open'],
    ['', 'expired'],
  ])(
    'with the lever "%s" a workflow past its deadline is stored as %s, and shown as expired',
    async (lever, stored) => {
      await using world = await withLever(lever)
      const ada = await world.person('Ada', { admin: true })
      const rule = seats(await insertGroup(world.ctx, [ada.id]), 1)
      const policyId = await insertPolicy(world.ctx, rule, {}, { expiresInHours: 1 })
      await ada.post('/workflows', { name: 'late', workflowTemplateId: policyId })
      world.clock.advance(3_600_000)
      await maintain(world.ctx)
      const row = await world.ctx.db.selectFrom('requests').select('status').executeTakeFirstOrThrow()
      expect(row.status).toBe(stored)
      const again = await world.signedIn(ada.id)
      expect((await again.get('/workflows/late')).body.status).toBe('EXPIRED')
    },
  )
})

test('without levers everything is on', async () => {
  await using world = await startWorld()
  expect(await world.anyone.post('/auth/cli/initiate', { redirectUri: 'http://localhost:1/cb' })).toMatchObject({
    status: 200,
  })
  expect(await world.anyone.post('/workflows', {})).toMatchObject({ status: 401 })
})
