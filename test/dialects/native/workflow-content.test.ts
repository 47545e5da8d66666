import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { nativeOptions, orgId } from '../../helpers/quorum.ts'
import { nowhere } from '../../helpers/templates.ts'
import { refusals, startWorkflowWorld, workflows, type WorkflowWorld } from '../../helpers/workflows.ts'

let world: WorkflowWorld
beforeAll(async () => void (world = await startWorkflowWorld()))
afterAll(() => world.close())

const url = (id: string) => `/v1${workflows}/${id}/content`
const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex')
const seat = () => ({ kind: 'seats', atLeast: 2, from: { kind: 'group', id: world.guards } })

refusals('GET /v1/workflows/{workflowId}/content', () => world, [
  ['an unknown workflow', 404, 'WORKFLOW_NOT_FOUND', undefined, () => () => world.cleo.get(url(nowhere))],
  ['no token', 401, 'MISSING_JWT_TOKEN', undefined, () => () => world.anyone.get(url(nowhere))],
])

it('shows what a vote is cast on, and the digest is over exactly that', async () => {
  const made = await world.made({ approvalRule: world.rule(2) })
  const members = { name: 'release-9', description: 'straße', metadata: { b: '1', a: '𝄞' } }
  const id = await world.openedUnder(made.id, members)
  const { status, body } = await world.cleo.get(url(id))
  expect(status).toBe(200)
  expect(body).toEqual({
    organizationId: orgId,
    workflowId: id,
    digest: digestOf(body.content),
    stage: 0,
    content: {
      dialect: 'native',
      ...members,
      policyId: made.id,
      policyDigest: digestOf({ stages: [{ binding: true, rule: seat() }], options: nativeOptions }),
      requesterId: world.ada.id,
      revision: 1,
    },
  })
  const { digest } = await world.ctx.db
    .selectFrom('requests')
    .select('digest')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  expect(body.digest).toBe(digest)
  expect((await world.ben.get(url('release-9'))).body).toEqual(body)
})

it('the digest commits to the rule, but not to what its stages are called', async () => {
  const under = async (approvalRule: object, name: string) => {
    const id = await world.opened({ approvalRule: undefined, stages: [{ name, approvalRule }] })
    return (await world.ada.get(url(id))).body.content.policyDigest
  }
  const first = await under(world.rule(2), 'one')
  expect(await under(world.rule(2), 'another')).toBe(first)
  expect(await under(world.rule(3), 'one')).not.toBe(first)
  expect(await under({ ...world.rule(2), requireSignature: true }, 'one')).not.toBe(first)
})
