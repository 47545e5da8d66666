import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eraseText } from '../../src/audit/erase-text.ts'
import { sealNow } from '../../src/audit/seal.ts'
import { lineOf } from '../../src/monitor/finding.ts'
import { findingsOf } from '../monitor/tried.ts'
import { engine, step } from '../helpers/access.ts'
import { madeId } from '../helpers/directory.ts'
import { placesOf } from '../helpers/places-of.ts'
import { orgId } from '../helpers/quorum.ts'
import { password, roleStore, userStore } from '../helpers/privx.ts'
import { startWorld, type Answer, type Client, type World } from '../helpers/world.ts'

const secret = 'a-text-to-forget'

describe.each(['postgres', 'pglite'] as const)('erasing what the PrivX API made, on %s', (engineName) => {
  let world: World
  let ada: Client
  let dan: Client
  beforeAll(async () => {
    world = await startWorld({ engine: engineName })
    ada = await world.person('Ada', { admin: true })
    dan = await world.person('Dan')
  })
  afterAll(() => world.close())

  const erase = (id: string, seq: number | null = null) => eraseText(world.ctx, { organization: 'default', id, seq })
  const places = () => placesOf(world.ctx.db, secret)
  const ok = async (call: Promise<Answer>): Promise<Answer> => {
    const answer = await call
    expect([answer.status < 300, answer.body]).toEqual([true, answer.body])
    return answer
  }
  const made = async (call: Promise<Answer>): Promise<string> => String((await ok(call)).body.id)
  const found = async () => (await findingsOf(world, new Map())).found.map(lineOf)
  /** Nothing is left of it, and the monitor has nothing to say, sealed or not. */
  const expectGone = async () => {
    expect(await places()).toEqual([])
    expect(await found()).toEqual([])
    await sealNow(world.ctx, orgId)
    expect(await found()).toEqual([])
  }
  let serial = 0
  const role = (members: object = {}) => made(ada.post(`${roleStore}/roles`, { name: `role ${++serial}`, ...members }))
  const local = (members: object = {}) => ({
    username: `${secret}-${++serial}`,
    full_name: secret,
    email: `${secret}@example.com`,
    comment: secret,
    tags: [secret],
    ...members,
  })

  it('forgets a local user who is disabled, and nobody signs in by what is left', async () => {
    const id = await made(ada.post(`${userStore}/users`, local({ password: { password } })))
    await ok(ada.put(`${userStore}/users/${id}`, local({ full_name: `${secret} 2` })))
    await expect(erase(id)).rejects.toThrow('signs in with their name: disable them first')
    await ok(ada.post(`/v1/users/${id}/disable`))
    expect(await places()).toEqual(['audit_leaves', 'credentials', 'principals', 'privx_users'])
    const fields = ['attributes', 'email', 'full_name', 'name', 'username']
    expect(await erase(id)).toEqual({ what: 'user', fields, leaves: 2 })
    await expectGone()
    expect(await erase(id)).toMatchObject({ fields: [] })
    const { hash } = await world.ctx.db
      .selectFrom('credentials')
      .select('hash')
      .where('principal_id', '=', id)
      .executeTakeFirstOrThrow()
    expect(hash).toBeNull()
  })

  it('forgets a local user who was removed, and one without an address', async () => {
    const [one, other] = [local(), local({ email: '' })]
    for (const user of [one, other]) {
      const id = await made(ada.post(`${userStore}/users`, user))
      await ok(ada.delete(`${userStore}/users/${id}`))
      await erase(id)
      await expectGone()
    }
  })

  it('goes on with the name that somebody is given after their erasure', async () => {
    const id = await made(ada.post(`${userStore}/users`, local()))
    await ok(ada.post(`/v1/users/${id}/disable`))
    await erase(id)
    await ok(ada.post(`/v1/users/${id}/enable`))
    await ok(ada.put(`${userStore}/users/${id}`, { username: `back-${++serial}`, full_name: 'Back' }))
    await expectGone()
    const group = await role({ name: secret })
    await erase(group)
    await ok(ada.put(`${roleStore}/roles/${group}`, { name: `named anew ${++serial}`, comment: 'as well' }))
    await expectGone()
    await world.ctx.db.updateTable('groups').set({ name: 'erased' }).where('id', '=', group).execute()
    expect(await found()).toEqual([expect.stringContaining(`groups  ${group}  edited name`)])
    await world.ctx.db
      .updateTable('groups')
      .set({ name: `named anew ${serial}` })
      .where('id', '=', group)
      .execute()
  })

  it('forgets an API client, in use or not', async () => {
    const id = await made(ada.post(`${userStore}/api-clients`, { name: secret, roles: [] }))
    await ok(ada.put(`${userStore}/api-clients/${id}`, { name: `${secret} 2`, roles: [] }))
    expect(await erase(id)).toEqual({ what: 'API client', fields: ['email', 'name'], leaves: 2 })
    await expectGone()
    await ok(ada.delete(`${userStore}/api-clients/${id}`))
    expect(await erase(id)).toMatchObject({ fields: [] })
  })

  it('forgets a role, deleted or not, with what is only shown of it', async () => {
    for (const isDeleted of [false, true]) {
      const id = await role({ name: secret, comment: secret, context: { note: secret } })
      await ok(ada.put(`${roleStore}/roles/${id}`, { name: secret, comment: `${secret} 2`, context: { note: secret } }))
      if (isDeleted) await ok(ada.delete(`${roleStore}/roles/${id}`))
      expect(await erase(id)).toEqual({ what: 'group', fields: ['attributes', 'description', 'name'], leaves: 2 })
      await expectGone()
    }
  })

  it('forgets a workflow that is deleted with every version of its rule, and a request of it by itself', async () => {
    const [wanted, deciders] = [await role(), await role()]
    await ok(ada.put(`${roleStore}/users/${dan.id}/roles`, [{ id: deciders, explicit: true }]))
    // A template of the native API, and another workflow, that are called the same: they are not meant.
    const group = madeId(await ada.post('/groups', { name: `voters-${++serial}` }))
    const space = madeId(await ada.post('/spaces', { name: `space-${serial}` }))
    const rule = { approvalRule: { type: 'GROUP_REQUIREMENT', groupId: group, minCount: 1 } }
    const namesake = `namesake-${serial}`
    const { body: template } = await ok(
      ada.post('/workflow-templates', { name: namesake, spaceId: space, ...rule, actions: [] }),
    )
    const roles = [
      {
        roleName: 'WorkflowTemplateVoter',
        scope: { type: 'workflow_template', workflowTemplateId: template.id },
      },
    ]
    await ok(ada.put(`/users/${dan.id}/roles`, { roles }))
    const content = { name: namesake, target_roles: [{ id: wanted }], steps: [step('ANY', deciders)] }
    await ok(ada.post(`${engine}/workflows`, content))

    const flow = { ...content, comment: secret, steps: [{ ...step('ANY', deciders), name: secret }] }
    const id = await made(ada.post(`${engine}/workflows`, flow))
    await ok(ada.put(`${engine}/workflows/${id}`, { ...flow, name: secret }))
    const versions = await world.ctx.db
      .selectFrom('policies')
      .select('id')
      .where('description', '=', secret)
      .orderBy('version')
      .execute()
    const request = await made(
      ada.post(`${engine}/requests`, {
        requested_role: { id: wanted },
        workflow: id,
        request_justification: secret,
        comment: secret,
      }),
    )
    await expect(erase(request)).rejects.toThrow('can still be voted on')
    await expect(erase(id)).rejects.toThrow('is in use under its name: delete it first')
    await expect(erase(versions[0]?.id ?? '')).rejects.toThrow(`is the rule of the workflow ${id}: erase that`)
    await ok(ada.delete(`${engine}/workflows/${id}`))
    await expect(erase(id)).rejects.toThrow(`Requests of the workflow ${id} are open: let them end`)
    const decision = { step: 0, decision: 'APPROVED', comment: secret }
    await ok(dan.post(`${engine}/requests/${request}/decision`, decision))

    expect(await erase(id)).toMatchObject({ what: 'workflow', fields: ['comment', 'name', 'steps'] })
    expect(await places()).toEqual(['audit_leaves', 'privx_requests', 'requests', 'votes'])
    expect(await erase(request)).toMatchObject({
      what: 'request',
      fields: ['comment', 'description', 'metadata', 'name', 'steps'],
    })
    expect(await places()).toEqual(['votes'])
    expect(await erase(request, 1)).toMatchObject({ fields: ['reason', 'reason_salt'] })
    await expectGone()
    expect(await erase(id)).toMatchObject({ fields: [] })
    expect(await placesOf(world.ctx.db, namesake)).toEqual([
      'audit_leaves',
      'policies',
      'privx_workflows',
      'role_bindings',
    ])
    const { body } = await ok(ada.get(`${engine}/requests/${request}`))
    expect([body.name, body.steps[0].name, body.request_comment ?? body.comment]).toEqual([
      `erased:${request}`,
      'erased',
      '',
    ])
  })

  it('forgets the settings of mail once none is sent by them, and takes others', async () => {
    const settings = {
      smtp_server: secret,
      smtp_server_enabled: true,
      smtp_server_username: secret,
      smtp_server_password: 'hidden',
      smtp_sender_address: `${secret}@example.com`,
      smtp_server_port: 25,
    }
    await ok(ada.put(`${engine}/settings`, settings))
    await expect(erase(orgId)).rejects.toThrow('Mail is sent by the settings: switch it off first')
    await ok(ada.put(`${engine}/settings`, { ...settings, smtp_server_enabled: false }))
    expect(await erase(orgId)).toMatchObject({ fields: ['sealed_password', 'settings'], leaves: 2 })
    await expectGone()
    const { body } = await ok(ada.get(`${engine}/settings`))
    expect(body).toMatchObject({ smtp_server: '', smtp_server_port: 25 })
    const row = world.ctx.db.selectFrom('privx_settings').select('sealed_password')
    expect(await row.executeTakeFirst()).toEqual({ sealed_password: null })
    expect(await erase(orgId)).toMatchObject({ fields: [] })
    // The organization is called as before.
    expect(await eraseText(world.ctx, { organization: orgId, id: orgId, seq: null })).toMatchObject({ fields: [] })
    await ok(ada.put(`${engine}/settings`, { smtp_server: 'mail.example' }))
    expect(await found()).toEqual([])
  })

  it('forgets all versions of a template that was deleted, by any of them', async () => {
    const group = madeId(await ada.post('/groups', { name: `guards-${++serial}` }))
    const space = madeId(await ada.post('/spaces', { name: `hall-${serial}` }))
    const rule = { approvalRule: { type: 'GROUP_REQUIREMENT', groupId: group, minCount: 1 } }
    for (const [which, ends] of [
      [0, 'template'],
      [1, 'template'],
      [2, 'space'],
    ] as const) {
      const ids: string[] = [
        (await ok(ada.post('/workflow-templates', { name: secret, spaceId: space, ...rule }))).body.id,
      ]
      for (const version of [2, 3]) {
        const description = `${secret} ${version}`
        const { body } = await ok(ada.put(`/workflow-templates/${ids.at(-1)}`, { description }))
        ids.push(body.id)
      }
      await ok(ada.delete(ends === 'space' ? `/spaces/${space}` : `/workflow-templates/${ids[2]}`))
      expect(await places()).toEqual(['audit_leaves'])
      expect(await erase(ids[which] as string)).toMatchObject({ what: 'template' })
      await expectGone()
      for (const id of ids) expect(await erase(id)).toMatchObject({ fields: [] })
    }
  })

  it('forgets where an action that was tried was sent', async () => {
    const action = { type: 'WEBHOOK', url: `https://${secret}.invalid/`, method: 'POST' }
    await ada.post('/v1/actions/test', { action })
    const { subject_id: id } = await world.ctx.db
      .selectFrom('audit_leaves')
      .select('subject_id')
      .where('kind', '=', 'action.tested')
      .executeTakeFirstOrThrow()
    expect(await places()).toEqual(['audit_leaves'])
    expect(await erase(id)).toEqual({ what: 'test', fields: ['destination'], leaves: 1 })
    await expectGone()
  })
})
