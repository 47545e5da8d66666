import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addLogKey } from '../../src/audit/log-key.ts'
import type { Ctx } from '../../src/context.ts'
import { buildReceipt } from '../../src/receipts/build-receipt.ts'
import { orgId } from '../helpers/quorum.ts'
import { logKeyOf, trusting, verdictOn } from '../helpers/receipts.ts'
import { witnessedBy, Witnesses } from '../helpers/witnessed.ts'
import { startWorkflowWorld, type WorkflowWorld } from '../helpers/workflows.ts'

describe('a receipt of a server with witnesses', () => {
  let world: WorkflowWorld
  let witnesses: Witnesses
  beforeAll(async () => void (world = await startWorkflowWorld()))
  afterAll(() => world.close())
  beforeEach(() => void (witnesses = new Witnesses()))
  afterEach(() => witnesses[Symbol.asyncDispose]())

  const approved = async () => {
    const id = await world.opened({ approvalRule: world.rule(1) })
    await world.voted(world.cleo, id, 'APPROVE')
    return id
  }
  const receiptOf = async (ctx: Ctx, id: string) => {
    const row = await ctx.db
      .selectFrom('requests')
      .selectAll()
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    return await buildReceipt(ctx, row)
  }

  it('carries a cosignature although the decision was made a moment ago', async () => {
    await approved().then((id) => receiptOf(world.ctx, id))
    const witness = await witnesses.start(world.ctx, 'w1')
    const file = await receiptOf(witnessedBy(world.ctx, [witness]), await approved())
    const keys = [await logKeyOf(world.ctx)]
    expect(verdictOn(file, trusting(keys, { witnessKeys: [witness.key] }))).toBe('verified')
  })

  it('is given without, while too few witnesses answer, and verifies for who does not ask for theirs', async () => {
    const witness = await witnesses.start(world.ctx, 'w2')
    const ctx = witnessedBy(world.ctx, [witness])
    await witness.kill()
    const file = await receiptOf(ctx, await approved())
    const keys = [await logKeyOf(world.ctx)]
    expect(verdictOn(file, trusting(keys))).toBe('verified')
    expect(verdictOn(file, trusting(keys, { witnessKeys: [witness.key] }))).toMatch(/^witness-missing/)
  })

  it('verifies under the newest key, also when nothing was logged since that was made', async () => {
    const id = await approved()
    await receiptOf(world.ctx, id)
    const former = await logKeyOf(world.ctx)
    await addLogKey(world.ctx)
    const newest = await logKeyOf(world.ctx)
    expect(newest.id).not.toEqual(former.id)
    const file = await receiptOf(world.ctx, id)
    expect(verdictOn(file, trusting([newest]))).toBe('verified')
    expect(verdictOn(file, trusting([former]))).toMatch(/^unknown-key/)
  })
})
