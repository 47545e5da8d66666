import { expect, it } from 'vitest'
import { addLogKey } from '../../src/audit/log-key.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf } from '../../src/monitor/finding.ts'
import type { SeenLogs } from '../../src/monitor/state-file.ts'
import { addDataKey } from '../../src/store/data-keys.ts'
import { makeBusy } from '../helpers/busy.ts'
import { orgId } from '../helpers/quorum.ts'
import { startWorld } from '../helpers/world.ts'
import { findingsOf } from './tried.ts'

it('finds nothing while a server votes, changes groups, seals and gets new keys', { timeout: 120_000 }, async () => {
  await using world = await startWorld({ engine: 'postgres' })
  const { ada, voters, guards, space } = await makeBusy(world)
  const template = {
    name: 'Beside',
    spaceId: space,
    approvalRule: { type: 'GROUP_REQUIREMENT', groupId: guards, minCount: 3 },
  }
  const { body } = await ada.post('/workflow-templates', template)
  let isOver = false
  let voted = 0
  const writers = voters.map(async (voter, index) => {
    for (let turn = 0; !isOver; turn++) {
      const name = `beside-${index}-${turn}`
      await ada.post('/workflows', { name, workflowTemplateId: body.id })
      for (const one of [...voters, voter]) {
        const voteType = turn % 3 === 0 ? { type: 'VETO' } : { type: 'APPROVE', votedForGroups: [guards] }
        const answer = await one.post(`/workflows/${name}/vote`, { voteType })
        if (answer.status === 200) voted += 1
      }
      const entities = [{ entity: { entityType: 'human', entityId: voter.id } }]
      await ada.delete(`/groups/${guards}/entities`, { entities })
      await ada.post(`/groups/${guards}/entities`, { entities })
    }
  })
  const sealer = (async () => {
    for (let round = 0; !isOver; round++) {
      await sealNow(world.ctx, orgId)
      if (round === 3) await addLogKey(world.ctx)
      if (round === 5) await addDataKey(world.ctx.db, null, world.clock.now())
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()

  let seen: SeenLogs = new Map()
  const found: string[] = []
  let [unsealed, grown] = [0, 0]
  for (let run = 0; run < 12; run++) {
    const size = seen.get(orgId)?.size ?? 0
    const after = await findingsOf(world, seen)
    seen = after.seen
    found.push(...after.found.map(lineOf))
    if ((seen.get(orgId)?.size ?? 0) > size) grown += 1
    unsealed += after.unsealed
  }
  isOver = true
  await Promise.all([...writers, sealer])
  expect(found).toEqual([])
  // It was beside something.
  expect([grown > 3, unsealed > 0, voted > 10]).toEqual([true, true, true])
})
