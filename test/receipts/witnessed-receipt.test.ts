import { expect, it } from 'vitest'
import type { Ctx } from '../../src/context.ts'
import { buildReceipt } from '../../src/receipts/build-receipt.ts'
import { findRequest } from '../../src/store/requests.ts'
import { orgId } from '../helpers/quorum.ts'
import { logKeyOf, trusting, verdictOn } from '../helpers/receipts.ts'
import { witnessedBy, Witnesses } from '../helpers/witnessed.ts'
import { startWorkflowWorld } from '../helpers/workflows.ts'

it('a receipt carries the cosignatures of witnesses, and goes without when they are away', async () => {
  await using world = await startWorkflowWorld()
  await using witnesses = new Witnesses()
  const decided = async () => {
    const id = await world.opened()
    await world.voted(world.cleo, id, 'APPROVE')
    return id
  }
  const receipt = async (ctx: Ctx, id: string) => {
    const row = await findRequest(ctx.db, orgId, id)
    if (row === undefined) throw new Error('no request')
    return await buildReceipt(ctx, row)
  }
  const witness = await witnesses.start(world.ctx, 'one')
  const ctx = witnessedBy(world.ctx, [witness])
  const file = await receipt(ctx, await decided())
  const trust = trusting([await logKeyOf(ctx)])
  expect(verdictOn(file, { ...trust, witnessKeys: [witness.key] })).toBe('verified')

  await witness.kill()
  const unseen = await receipt(ctx, await decided())
  expect(verdictOn(unseen, trust)).toBe('verified')
  expect(verdictOn(unseen, { ...trust, witnessKeys: [witness.key] })).toMatch(/^witness-missing/)
})
