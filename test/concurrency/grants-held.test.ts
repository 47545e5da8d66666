import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shareFacts } from '../../src/store/fact-locks.ts'
import { lockEligibility } from '../../src/store/principal-locks.ts'
import type { Db, Tx } from '../../src/store/open.ts'
import { insertGroupOf, insertRequests, insertVoters, send, type Voter } from '../helpers/crowd.ts'
import { untilWaiting } from '../helpers/lock-waits.ts'
import { insertPolicy, orgId, seats } from '../helpers/quorum.ts'
import { startRoleWorld, type RoleWorld } from '../helpers/role-requests.ts'
import type { Client } from '../helpers/world.ts'

const aWhile = { kind: 'time-restricted', startsAt: 0, endsAt: Date.parse('2100-01-01T00:00:00Z') } as const

/** Only PostgreSQL has two transactions at once. */
describe('what a vote on a role waits for', () => {
  let world: RoleWorld
  let db: Db
  let asker: Client
  let one: Client
  let two: Client
  let owners: string
  let guards: string
  let serial = 0

  beforeAll(async () => {
    world = await startRoleWorld({ engine: 'postgres' })
    db = world.ctx.db
    asker = await world.person('Asker')
    one = await world.person('One')
    two = await world.person('Two')
    owners = await world.role('owners', one)
    guards = await world.role('guards', two)
  })
  afterAll(() => world.close())

  const newRole = async () => await world.role(`role ${++serial}`)
  /** Runs `work` while another transaction, such as a vote in hand, holds this. */
  const during = async <T>(held: (tx: Tx) => Promise<unknown>, work: () => Promise<T>): Promise<T> =>
    await db.transaction().execute(async (tx) => {
      await held(tx)
      return await work()
    })
  const aVoteInHand = (tx: Tx) => shareFacts(tx, orgId)

  /** Starts `work` while this is held, and gives it back once it waits: it must not end before. */
  async function waitsFor<T>(held: (tx: Tx) => Promise<unknown>, work: () => Promise<T>): Promise<T> {
    const { promise } = await during(held, async () => {
      const started = work()
      await untilWaiting(db)
      return { promise: started }
    })
    return await promise
  }

  it('an approval that decides nothing does not wait for votes on other requests', async () => {
    const request = await world.ask({ by: asker, role: await newRole(), steps: [[owners], [guards]] })
    const cast = await during(aVoteInHand, () => world.decide(one, request))
    expect(cast).toMatchObject({ status: 'open' })
  })

  it('nor does one that decides nothing yet of a removal', async () => {
    const role = await newRole()
    await world.give(asker, role)
    const grant = { operation: 'remove' } as const
    const request = await world.ask({ by: asker, role, steps: [[owners], [guards]], grant })
    expect(await during(aVoteInHand, () => world.decide(one, request))).toMatchObject({ status: 'open' })
  })

  it('nor does one that gives a role which nobody took away', async () => {
    const role = await newRole()
    const request = await world.ask({ by: asker, role, steps: [[owners]] })
    expect(await during(aVoteInHand, () => world.decide(one, request))).toMatchObject({ status: 'approved' })
    expect(await world.standing(asker, role)).toHaveLength(1)
  })

  it('nor one that leaves a role as it stands for good', async () => {
    const role = await newRole()
    await world.give(asker, role)
    const request = await world.ask({ by: asker, role, steps: [[owners]] })
    expect(await during(aVoteInHand, () => world.decide(one, request))).toMatchObject({ status: 'approved' })
  })

  it('a native vote does not wait for an approval in hand', async () => {
    const [someone, asking] = (await insertVoters(world.ctx, [{}, {}])) as [Voter, Voter]
    const voter = await world.signedIn(someone.id)
    const group = await insertGroupOf(world.ctx, [voter.id])
    const policyId = await insertPolicy(world.ctx, seats(group, 1))
    const [requestId] = (await insertRequests(world.ctx, policyId, asking, 1)) as [string]
    const request = await world.ask({ by: asker, role: await newRole(), steps: [[owners], [guards]] })
    // Its request is held by another: the approval stands in the middle of its transaction.
    const holdRequest = (tx: Tx) => sql`select from requests where id = ${request} for update`.execute(tx)
    const { approval } = await during(holdRequest, async () => {
      const undecided = world.decide(one, request)
      await untilWaiting(db)
      expect(await send(voter, requestId, 'approve', [group])).toMatchObject({ status: 200, said: 'APPROVED' })
      return { approval: undecided }
    })
    expect(await approval).toMatchObject({ status: 'open' })
  })

  it('one that takes a role away waits for the votes in hand', async () => {
    const role = await newRole()
    await world.give(asker, role)
    const request = await world.ask({ by: asker, role, steps: [[owners]], grant: { operation: 'remove' } })
    expect(await waitsFor(aVoteInHand, () => world.decide(one, request))).toMatchObject({ status: 'approved' })
    expect(await world.standing(asker, role)).toEqual([])
  })

  it('and so does one that puts a grant in the place of another', async () => {
    const role = await newRole()
    await world.give(asker, role, aWhile)
    const request = await world.ask({ by: asker, role, steps: [[owners]] })
    expect(await waitsFor(aVoteInHand, () => world.decide(one, request))).toMatchObject({ status: 'approved' })
    expect(await world.standing(asker, role)).toMatchObject([{ kind: 'permanent' }])
  })

  it('one that turns out to take a role away begins again and waits', async () => {
    const role = await newRole()
    await world.give(asker, role)
    const grant = { operation: 'remove' } as const
    const request = await world.ask({ by: asker, role, steps: [[owners, guards]], grant })
    // Both see an open request of which they are the first to approve; only one of them is.
    const both = await during(aVoteInHand, async () => {
      const started = await during(
        (tx) => sql`select from requests where id = ${request} for update`.execute(tx),
        async () => {
          const votes = [world.decide(one, request), world.decide(two, request)]
          await untilWaiting(db, 2)
          return { votes }
        },
      )
      await Promise.race(started.votes)
      await untilWaiting(db)
      expect(await world.statusOf(request)).toBe('open')
      return started
    })
    expect((await Promise.all(both.votes)).map(({ status }) => status).toSorted()).toEqual(['approved', 'open'])
    expect(await world.standing(asker, role)).toEqual([])
    const votes = await db.selectFrom('votes').select('seq').where('request_id', '=', request).execute()
    expect(votes).toHaveLength(2)
  })

  it('of two that give one role to one target the second sees the first, and replaces what it gave', async () => {
    const role = await newRole()
    const asked = { by: asker, role, steps: [[owners]], grant: { terms: aWhile } }
    const requests = [await world.ask(asked), await world.ask(asked)] as const
    const { votes } = await during(aVoteInHand, async () => {
      const started = await during(
        (tx) => lockEligibility(tx, orgId, asker.id),
        async () => {
          const both = requests.map((request) => world.decide(one, request))
          await untilWaiting(db, 2)
          return { votes: both }
        },
      )
      await Promise.race(started.votes)
      // The second takes away what the first gave: for that it waits.
      await untilWaiting(db)
      return started
    })
    expect(await Promise.all(votes)).toMatchObject([{ status: 'approved' }, { status: 'approved' }])
    const grants = await db.selectFrom('grants').select('ended_because').where('group_id', '=', role).execute()
    const endings = grants.map((grant) => grant.ended_because ?? 'stands')
    expect(endings.toSorted()).toEqual(['replaced', 'stands'])
  })
})
