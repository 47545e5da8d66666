import { expect, it } from 'vitest'
import { sealNow } from '../../src/audit/seal.ts'
import { leafHash, verifyInclusion } from '../../src/proof/merkle.ts'
import { faultsOfLog, logOf } from '../helpers/log.ts'
import { insertGroup, orgId } from '../helpers/quorum.ts'
import { startWorld } from '../helpers/world.ts'

it('goes on to prove a leaf whose text had to be erased', async () => {
  await using world = await startWorld()
  const { ctx } = world
  const ada = await world.person('Ada', { admin: true })
  await insertGroup(ctx, [ada.id])
  expect(await ada.post('/groups', { name: 'a name to be forgotten' })).toMatchObject({ status: 201 })
  await sealNow(ctx, orgId)
  const before = await logOf(ctx.db)
  const { index } = before.at(-1) as { index: number }
  const proof = async () => (await ada.get(`/v1/log/proof/inclusion?index=${index}`)).body
  const given = await proof()

  const leaf = ctx.db
    .selectFrom('audit_leaves')
    .select(['id', 'content', 'private'])
    .where('kind', '=', 'group.created')
    .executeTakeFirstOrThrow()
  const { id, content, private: kept } = await leaf
  expect(JSON.stringify(kept)).toContain('a name to be forgotten')
  expect(content).not.toContain('a name to be forgotten')
  await ctx.db.updateTable('audit_leaves').set({ private: null }).where('id', '=', id).execute()

  expect(await logOf(ctx.db)).toEqual(before)
  expect(await faultsOfLog(ctx)).toEqual([])
  expect(await proof()).toEqual(given)
  const decode = (text: string) => Buffer.from(text, 'base64')
  const { body: shown } = await ada.get(`/v1/log/leaf/${index}`)
  expect(
    verifyInclusion({
      index,
      size: given.size,
      leaf: leafHash(Buffer.from(shown.content)),
      path: given.path.map(decode),
      root: decode(given.root),
    }),
  ).toBe(true)
  await sealNow(ctx, orgId)
  const { body: exported } = await ada.get('/v1/log/export')
  expect(exported).not.toContain('a name to be forgotten')
})
