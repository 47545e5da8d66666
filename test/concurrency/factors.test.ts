import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authenticator } from '../helpers/authenticator.ts'
import { inBatches } from '../helpers/crowd.ts'
import { outcomeOf, startFactorWorld, type FactorWorld, type Voter } from '../helpers/factors.ts'

const width = 20
const rounds = [...Array(25).keys()]

/** Only PostgreSQL has two transactions at once. */
describe('assertions of security keys at the same time', { timeout: 170_000 }, () => {
  let world: FactorWorld
  let ada: Voter
  let ben: Voter
  let key: Authenticator

  beforeAll(async () => {
    world = await startFactorWorld({ engine: 'postgres' })
    ada = await world.voter('Ada')
    ben = await world.voter('Ben')
    key = new Authenticator()
    await world.addKey(ada, key)
    await world.addKey(ben, new Authenticator())
  })
  afterAll(() => world.close())

  const counter = async () => {
    const row = await world.ctx.db
      .selectFrom('person_credentials')
      .select('counter')
      .where('credential_id', '=', key.credentialId)
      .executeTakeFirstOrThrow()
    return Number(row.counter)
  }

  it(`of ${width} votes with one assertion exactly one is cast`, async () => {
    await inBatches(rounds, 1, async () => {
      const request = await world.ask([ada, ben], ['securityKey'])
      const fido2 = key.assert(world.ceremony(await world.fido2(ada, request)))
      const votes = Array.from({ length: width }, () => outcomeOf(world.approve(ada, request, { fido2 })))
      const outcomes = await Promise.all(votes)
      expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(1)
      // Whoever came later either found the challenge gone or, looking under the lock, the vote cast.
      for (const outcome of outcomes) expect(['open', 'FACTOR_WRONG', 'ALREADY_VOTED']).toContain(outcome)
      expect(await world.votesOn(request)).toHaveLength(1)
    })
  })

  it('of answers that a copied key gives on many requests none is taken twice with one counter', async () => {
    await inBatches(rounds.slice(0, 10), 1, async () => {
      const next = (await counter()) + 1
      const requests = await Promise.all(Array.from({ length: width }, () => world.ask([ada, ben], ['securityKey'])))
      const votes = requests.map(async (request) => {
        const fido2 = key.assert(world.ceremony(await world.fido2(ada, request)), { counter: next })
        return await outcomeOf(world.approve(ada, request, { fido2 }))
      })
      const outcomes = await Promise.all(votes)
      expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'FACTOR_WRONG')).toHaveLength(width - 1)
      expect(await counter()).toBe(next)
    })
  })

  it('of challenges that are opened beside each other the last is good, and no other', async () => {
    await inBatches(rounds.slice(0, 10), 1, async () => {
      const request = await world.ask([ada, ben], ['securityKey'])
      const asked = await Promise.all(Array.from({ length: width }, () => world.fido2(ada, request)))
      const open = await world.ctx.db
        .selectFrom('key_challenges')
        .select('challenge')
        .where('subject', '=', request)
        .execute()
      expect(open).toHaveLength(1)
      const challenge = Buffer.from(open[0]?.challenge ?? []).toString('base64url')
      const good = asked.find((options) => options.challenge === challenge)
      key.counter = await counter()
      const fido2 = key.assert(world.ceremony(good ?? { challenge: '' }))
      expect(await outcomeOf(world.approve(ada, request, { fido2 }))).toBe('open')
    })
  })
})
