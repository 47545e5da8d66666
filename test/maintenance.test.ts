import { afterAll, beforeAll, expect, it } from 'vitest'
import { maintain } from '../src/maintenance.ts'
import { insertDelivery } from './helpers/delivery-rows.ts'
import { insertGroup, insertPolicy, orgId, seats } from './helpers/quorum.ts'
import { startWorld, type Client, type World } from './helpers/world.ts'

let world: World
let ada: Client

beforeAll(async () => {
  world = await startWorld()
  ada = await world.person('Ada', { admin: true })
})
afterAll(() => world.close())

it('writes down what has expired, and folds the counts that lists read', async () => {
  const { ctx, clock } = world
  const policyId = await insertPolicy(ctx, seats(await insertGroup(ctx, [ada.id]), 1), {}, { expiresInHours: 1 })
  for (const name of ['one', 'two', 'three']) await ada.post('/workflows', { name, workflowTemplateId: policyId })
  clock.advance(3_600_000)
  await maintain(ctx)
  const stored = await ctx.db.selectFrom('requests').select('status').where('policy_id', '=', policyId).execute()
  expect(stored).toEqual([{ status: 'expired' }, { status: 'expired' }, { status: 'expired' }])
  const counts = await ctx.db
    .selectFrom('request_counts')
    .select(['is_final', 'difference'])
    .where('policy_id', '=', policyId)
    .orderBy('is_final')
    .execute()
  expect(counts).toEqual([
    { is_final: false, difference: '0' },
    { is_final: true, difference: '3' },
  ])
})

it('forgets a stored answer after a day, and not before', async () => {
  const { ctx, clock } = world
  const keys = () => ctx.db.selectFrom('idempotency_keys').select('key').execute()
  const signedInAgain = await world.signedIn(ada.id)
  await signedInAgain.post('/groups', { name: 'kept' }, { 'idempotency-key': 'once' })
  clock.advance(86_400_000 - 1)
  await maintain(ctx)
  expect(await keys()).toEqual([{ key: 'once' }])
  clock.advance(2)
  await maintain(ctx)
  expect(await keys()).toEqual([])
})

it('forgets deliveries that were sent after 30 days and failed ones after 90, never those still to be sent', async () => {
  const { ctx, clock } = world
  const kept = async () =>
    (await ctx.db.selectFrom('deliveries').select('status').orderBy('status').execute()).map(({ status }) => status)
  const day = 86_400_000
  for (const status of ['completed', 'error', 'pending'] as const) await insertDelivery(ctx, { status })
  clock.advance(30 * day)
  await maintain(ctx)
  expect(await kept()).toEqual(['completed', 'error', 'pending'])
  clock.advance(1)
  await maintain(ctx)
  expect(await kept()).toEqual(['error', 'pending'])
  clock.advance(60 * day - 1)
  await maintain(ctx)
  expect(await kept()).toEqual(['error', 'pending'])
  clock.advance(1)
  await maintain(ctx)
  expect(await kept()).toEqual(['pending'])
})

it('goes on with the other tasks when one fails', async () => {
  const { ctx } = world
  const at = new Date(ctx.clock.now().getTime() - 2 * 86_400_000)
  await ctx.db
    .insertInto('single_use_tokens')
    .values({ id: 'old', purpose: 'step-up', org_id: orgId, principal_id: ada.id, expires_at: at })
    .execute()
  const broken = { ...ctx, config: { ...ctx.config, levers: null as never } }
  await maintain(broken)
  expect(await ctx.db.selectFrom('single_use_tokens').select('id').execute()).toEqual([])
})
