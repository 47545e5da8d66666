import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { giveRoles } from '../../src/identity/grants/give-roles.ts'
import type { Db, Tx } from '../../src/store/open.ts'
import { markRoleDeleted } from '../../src/store/roles.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { lockFacts } from '../../src/store/fact-locks.ts'
import { untilWaiting } from '../helpers/lock-waits.ts'
import { orgId } from '../helpers/quorum.ts'
import { startRoleWorld, type RoleWorld } from '../helpers/role-requests.ts'
import type { Client } from '../helpers/world.ts'

/** What a vote on a role rests on stays as it was judged until the vote is committed. Only PostgreSQL has two transactions at once. */
describe('a vote on a role', () => {
  let world: RoleWorld
  let db: Db
  let asker: Client
  let voter: Client
  let owners: string
  let role: string
  let request: string
  let serial = 0

  beforeAll(async () => {
    world = await startRoleWorld({ engine: 'postgres' })
    db = world.ctx.db
    asker = await world.person('Asker')
  })
  afterAll(() => world.close())
  beforeEach(async () => {
    voter = await world.person(`Voter${++serial}`)
    owners = await world.role(`owners ${serial}`, voter)
    role = await world.role(`role ${serial}`)
    request = await world.ask({ by: asker, role, steps: [[owners]] })
  })

  const actor = { kind: 'system' } as const
  const given = (who: Client) => ({ orgId, actor, principalId: who.id, roles: [] })
  const takeAll = async (who: Client) => await transact(world.ctx, null, (tx) => giveRoles(world.ctx, tx, given(who)))
  const deleteRole = async () =>
    await transact(world.ctx, null, async (tx) => {
      await lockFacts(tx, orgId)
      await markRoleDeleted(tx, orgId, role, world.clock.now())
    })

  /** Starts the vote, and what would change its ground once the vote has begun; both wait until the row of the request is free. */
  async function duringTheVote(change: () => Promise<unknown>) {
    const started = await db.transaction().execute(async (tx) => {
      await sql`select from requests where id = ${request} for update`.execute(tx)
      const vote = world.decide(voter, request)
      await untilWaiting(db)
      const changed = change()
      await untilWaiting(db, 2)
      return { vote, changed }
    })
    const cast = await started.vote
    await started.changed
    return cast
  }

  it('stands when the seat is taken from its voter meanwhile: that waits', async () => {
    expect(await duringTheVote(() => takeAll(voter))).toMatchObject({ status: 'approved' })
    expect([await world.standing(voter), await world.standing(asker, role)]).toMatchObject([[], [{ group_id: role }]])
  })

  it('grants when the role is deleted meanwhile: that waits', async () => {
    expect(await duringTheVote(deleteRole)).toMatchObject({ status: 'approved' })
    expect(await world.standing(asker, role)).toHaveLength(1)
  })

  /** The vote comes while the change is in hand, and waits for it. */
  async function afterTheChange(change: (tx: Tx) => Promise<unknown>) {
    const started = await db.transaction().execute(async (tx) => {
      await lockFacts(tx, orgId)
      await change(tx)
      const vote = world.decide(voter, request).then(
        () => 'cast',
        (error: { code?: string }) => error.code,
      )
      await untilWaiting(db)
      return { vote }
    })
    return await started.vote
  }

  it('is refused when the seat was taken before', async () => {
    const said = await afterTheChange((tx) => giveRoles(world.ctx, tx, given(voter)))
    expect(said).toBe('ENTITY_NOT_IN_REQUIRED_GROUP')
    expect(await world.statusOf(request)).toBe('open')
  })

  it('is refused when the role was deleted before', async () => {
    expect(await afterTheChange((tx) => markRoleDeleted(tx, orgId, role, world.clock.now()))).toBe('ROLE_DELETED')
    expect(await world.standing(asker, role)).toEqual([])
  })
})
