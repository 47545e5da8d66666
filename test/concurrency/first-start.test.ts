import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { insertOrganization } from '../../src/store/organizations.ts'
import { startWorld } from '../helpers/world.ts'

it('of the servers that start at once on an empty store each finds the default organization, and one has made it', async () => {
  await using world = await startWorld({ engine: 'postgres' })
  const { db, clock } = world.ctx
  for (let round = 0; round < 100; round++) {
    const organization = { id: randomUUID(), name: `made at once ${round}`, created_at: clock.now() }
    const made = await Promise.all(Array.from({ length: 8 }, () => insertOrganization(db, organization)))
    expect(made.filter(Boolean)).toHaveLength(1)
  }
})
