import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { Authenticator } from '../helpers/authenticator.ts'
import { startFactorWorld } from '../helpers/factors.ts'
import { findingsOf, tried } from './tried.ts'

it('finds what a security key signed when it was changed, taken away or put beside a vote', async () => {
  await using world = await startFactorWorld()
  const [ada, ben] = [await world.voter('Ada'), await world.voter('Ben')]
  const key = new Authenticator()
  await world.addKey(ada, key)
  const request = await world.ask([ada, ben])
  await world.approve(ada, request, { fido2: key.assert(world.ceremony(await world.fido2(ada, request))) })
  await world.approve(ben, request)
  expect((await findingsOf(world, new Map())).found).toEqual([])

  const [own] = await world.votesOn(request)
  const found = async (seq: number, written: string | null) => {
    const done = await tried(world, new Map(), async (tx) => {
      await sql`update votes set evidence = ${written}::jsonb where request_id = ${request} and seq = ${seq}`.execute(
        tx,
      )
      return true
    })
    return done?.found.map(({ table, row, what, column }) => ({ table, row, what, column }))
  }
  const edited = (seq: number) => [{ table: 'votes', row: `${request}/${seq}`, what: 'edited', column: 'evidence' }]
  expect(await found(1, JSON.stringify({ ...own?.evidence, nonce: 'other' }))).toEqual(edited(1))
  expect(await found(1, null)).toEqual(edited(1))
  expect(await found(2, 'null')).toEqual(edited(2))
  expect(await found(2, JSON.stringify(own?.evidence))).toEqual(edited(2))
})
