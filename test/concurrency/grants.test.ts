import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { revokeGrantOfRequest } from '../../src/approvals/revoke-grant.ts'
import { inBatches, moments } from '../helpers/crowd.ts'
import { dice } from '../helpers/dice.ts'
import { callerOf, startRoleWorld, type RoleWorld } from '../helpers/role-requests.ts'
import type { Client } from '../helpers/world.ts'

const rounds = 200
const width = 20

/** Only PostgreSQL has two transactions at once. */
describe('decisions on one role at the same time', { timeout: 170_000 }, () => {
  let world: RoleWorld
  let owners: string
  let voters: readonly Client[]
  let asker: Client
  let roles: readonly string[]

  beforeAll(async () => {
    world = await startRoleWorld({ engine: 'postgres' })
    asker = await world.person('Asker')
    voters = await Promise.all(Array.from({ length: width }, (_, number) => world.person(`Voter${number}`)))
    owners = await world.role('owners', ...voters)
    roles = await Promise.all(Array.from({ length: rounds }, (_, number) => world.role(`role ${number}`)))
  })
  afterAll(() => world.close())

  const ask = (role: string) => world.ask({ by: asker, role, steps: [[owners]] })
  const said = (settled: PromiseSettledResult<unknown>) =>
    settled.status === 'fulfilled' ? 'done' : String((settled.reason as { code?: string }).code ?? settled.reason)
  const grantsOf = async (request: string) =>
    await world.ctx.db.selectFrom('grants').selectAll().where('request_id', '=', request).execute()

  it(`of ${width} last approvals one takes effect, and grants once`, async () => {
    await inBatches(roles, 1, async (role) => {
      const request = await ask(role)
      const answers = (await Promise.allSettled(voters.map((voter) => world.decide(voter, request)))).map(said)
      expect(answers.filter((answer) => answer === 'done')).toHaveLength(1)
      expect(new Set(answers)).toEqual(new Set(['done', 'WORKFLOW_ALREADY_APPROVED']))
      const grants = await grantsOf(request)
      expect(grants).toMatchObject([{ group_id: role, principal_id: asker.id, ended_at: null }])
      const rows = await world.ctx.db.selectFrom('memberships').selectAll().where('group_id', '=', role).execute()
      expect(rows).toHaveLength(1)
    })
  })

  it('a denial and an approval: one of the two wins, and only an approval grants', async () => {
    const outcomes = { approved: 0, rejected: 0 }
    const [yes, no] = voters as unknown as readonly [Client, Client]
    await inBatches(roles, 4, async (role, round) => {
      const request = await world.ask({ by: no, target: await targetOf(round), role, steps: [[owners]] })
      // An approval has more to hold before it may be written: it wins only where it begins earlier.
      const [denialLeads, lead] = [round % 2 === 0, dice(round).roll(25)]
      const third = voters[2] as Client
      const [approval, denial] = await Promise.allSettled([
        moments(denialLeads ? lead : 0).then(() => world.decide(yes, request)),
        moments(denialLeads ? 0 : lead).then(() => world.decide(third, request, 'veto')),
      ])
      const status = await world.statusOf(request)
      outcomes[status as keyof typeof outcomes] += 1
      expect([said(approval), said(denial)]).toEqual(
        status === 'approved' ? ['done', 'WORKFLOW_ALREADY_APPROVED'] : ['WORKFLOW_ALREADY_REJECTED', 'done'],
      )
      expect(await grantsOf(request)).toHaveLength(status === 'approved' ? 1 : 0)
    })
    expect(outcomes.approved).toBeGreaterThan(0)
    expect(outcomes.rejected).toBeGreaterThan(0)
  })

  it('two requests for one role of one target leave one grant that stands', async () => {
    const target = await world.person('Twice')
    await inBatches(roles.slice(0, 50), 1, async (role) => {
      const terms = { kind: 'time-restricted', startsAt: 0, endsAt: Date.parse('2100-01-01T00:00:00Z') } as const
      const both = await Promise.all(
        [0, 1].map(() => world.ask({ by: asker, target, role, steps: [[owners]], grant: { terms } })),
      )
      await Promise.all(both.map((request, place) => world.decide(voters[place] as Client, request)))
      expect(await world.standing(target, role)).toHaveLength(1)
    })
  })

  it('two approvers whose votes make each other members of roles both get through', async () => {
    const [one, two] = voters as unknown as readonly [Client, Client]
    await inBatches(roles.slice(0, 50), 1, async (role) => {
      const [first, second] = await Promise.all([
        world.ask({ by: asker, target: two, role, steps: [[owners]] }),
        world.ask({ by: asker, target: one, role, steps: [[owners]] }),
      ])
      const answers = await Promise.all([world.decide(one, first), world.decide(two, second)])
      expect(answers).toMatchObject([{ status: 'approved' }, { status: 'approved' }])
    })
  })

  it('of many who take back one grant at once one does', async () => {
    await inBatches(roles.slice(100, 130), 1, async (role) => {
      const target = await world.person(`Target ${role}`)
      const request = await world.ask({ by: asker, target, role, steps: [[owners]], grant: { isRevocable: true } })
      const voter = voters[0] as Client
      await world.decide(voter, request)
      const answers = await Promise.allSettled(
        Array.from({ length: 5 }, () => revokeGrantOfRequest(world.ctx, callerOf(voter), request)),
      )
      expect(answers.map(said).toSorted()).toEqual([...Array.from({ length: 4 }, () => 'GRANT_NOT_REVOCABLE'), 'done'])
    })
  })

  const targets: Client[] = []
  /** Somebody new each time, who holds none of the roles. */
  async function targetOf(round: number): Promise<Client> {
    return (targets[round] ??= await world.person(`Denied${round}`))
  }
})
