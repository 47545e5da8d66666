import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { engine, hold, role, startAccessScene, step, type AccessScene } from '../../helpers/access.ts'
import type { Answer } from '../../helpers/world.ts'

/** Rulings of contract privx §3 and §4 that show only where several things meet. */
let scene: AccessScene
beforeAll(async () => void (scene = await startAccessScene()))
afterAll(() => scene[Symbol.asyncDispose]())

const nobody = '00000000-0000-7000-8000-00000000dead'
const requests = `${engine}/requests`
const workflows = `${engine}/workflows`

let wanted: string
beforeEach(async () => void (wanted = await newRole('wanted')))

const newRole = async (name: string) => await role(scene.world.ctx, `${name} ${scene.world.ctx.newId()}`)
const offer = async (members: object = {}) => await scene.workflow({ target_roles: [{ id: wanted }], ...members })
const post = async (members: object) => await scene.ben.post(requests, members)
const ask = async (members: object = {}) => await scene.ask(scene.ben, { requested_role: { id: wanted }, ...members })
const refusal = ({ status, body }: Answer) => [status, body.property ?? body.error_message]
const change = async (id: string, members: object) => {
  const { body } = await scene.ada.get(`${workflows}/${id}`)
  expect((await scene.ada.put(`${workflows}/${id}`, { ...body, ...members })).status).toBe(200)
}

describe('of all that is wrong with a request the first is told', () => {
  const floating = { grant_type: 'FLOATING', floating_length: 1 }
  const good = { request_justification: 'because', grant_type: 'PERMANENT', floating_length: 0 }
  /** What is sent last wins: each mends one thing more of what is wrong. */
  const mended: readonly (readonly [wrong: string, mend: () => object, told: readonly unknown[]])[] = [
    ['the role', () => ({ requested_role: { id: nobody } }), [400, 'requested_role']],
    ['the target', () => ({ requested_role: { id: wanted } }), [400, 'target_user']],
    [
      'asking for another',
      () => ({ target_user: { id: scene.eli.id } }),
      [403, 'This needs the permission to ask for others.'],
    ],
    ['the workflow', () => ({ target_user: undefined }), [400, 'workflow']],
    ['the justification', () => ({ workflow: undefined }), [400, 'request_justification']],
    ['the terms', () => ({ request_justification: 'because' }), [400, 'grant_type']],
    ['what is held', () => good, [400, 'The role is held for good already.']],
  ]

  it.each(mended.map(([wrong, , told], index) => [wrong, told, index] as const))('%s', async (_, told, index) => {
    await offer({ requires_justification: true })
    await ask({ request_justification: 'the one that may be open' })
    await hold(scene.world.ctx, wanted, scene.ben.id)
    const worst = { target_user: { id: nobody }, workflow: nobody, request_justification: ' ', ...floating }
    const sent = mended.slice(0, index + 1).reduce((body, [, mend]) => ({ ...body, ...mend() }), worst)
    expect(refusal(await post(sent))).toEqual(told)
  })

  it('the open request, when nothing else is wrong', async () => {
    await offer({ requires_justification: true })
    await ask(good)
    const { status, body } = await post({ requested_role: { id: wanted }, ...good })
    expect([status, body.property]).toEqual([400, undefined])
    expect(body.error_message).toMatch(/open|active/i)
  })
})

describe('of all that is wrong with a decision the first is told', () => {
  const decide = async (id: string, body: object, by = scene.eli) => await by.post(`${requests}/${id}/decision`, body)
  const wrong = { step: 1, decision: 'MAYBE' }
  const stranger = [403, expect.any(String)]

  it('that there is no such request, that it is decided, the decision, the step, and who decides', async () => {
    await offer({ steps: [step('ANY', scene.roles.first), step('ANY', scene.roles.first)], max_active_requests: 2 })
    const id = await ask()
    expect((await decide(nobody, wrong)).status).toBe(404)
    const over = await ask()
    await scene.decide(scene.cleo, over, 'DENIED')
    const { status, body } = await decide(over, wrong)
    expect([status, body.property]).toEqual([400, undefined])
    expect(refusal(await decide(id, wrong))).toEqual([400, 'decision'])
    expect(refusal(await decide(id, { step: 1, decision: 'APPROVED' }))).toEqual([400, 'step'])
    expect(refusal(await decide(id, { step: 0, decision: 'APPROVED' }))).toEqual(stranger)
  })
})

describe('open requests for a role', () => {
  it('count by whatever workflow they were made', async () => {
    const one = await offer()
    scene.world.clock.advance(1)
    const other = await offer()
    await ask({ workflow: one })
    expect((await post({ requested_role: { id: wanted }, workflow: other })).status).toBe(400)
  })

  it('count whether they give it or take it away', async () => {
    await offer({ action: 'BOTH' })
    const terms = { kind: 'floating', floatingHours: 1 } as const
    await hold(scene.world.ctx, wanted, scene.ben.id, terms)
    await ask({ action: 'REMOVE' })
    expect((await post({ requested_role: { id: wanted } })).status).toBe(400)
  })
})

describe('what a request was made with', () => {
  const floating = { grant_types: ['FLOATING'], max_floating_duration: 8 }
  const asked = { grant_type: 'FLOATING', floating_length: 4 }

  it.each([
    ['raised', 100, 9, 400],
    ['lowered', 1, 8, 200],
  ])('holds its ceilings, though they are %s in the workflow by now', async (_, ceiling, hours, status) => {
    const workflow = await offer(floating)
    const id = await ask(asked)
    await change(workflow, { max_floating_duration: ceiling })
    const answer = await scene.decide(scene.cleo, id, 'APPROVED', { floating_length: hours })
    expect(answer.status).toBe(status)
  })

  it('is one role, of the many that the workflow is for', async () => {
    const other = await newRole('other')
    await offer({ target_roles: [{ id: other }, { id: wanted }] })
    const { target_roles, requested_role } = await scene.request(await ask())
    expect(target_roles).toEqual([requested_role])
    expect(requested_role.id).toBe(wanted)
  })

  it('stands with the names that the roles have now, and the last ones of those that are gone', async () => {
    const { ctx } = scene.world
    const [kept, gone] = [await newRole('kept'), await newRole('gone')]
    await offer({ steps: [step('ALL', kept, gone)] })
    const id = await ask()
    const name = (of: string, to: string) =>
      ctx.db.updateTable('groups').set({ name: to }).where('id', '=', of).execute()
    await name(kept, `renamed ${kept}`)
    await name(gone, `last ${gone}`)
    await name(wanted, `last ${wanted}`)
    for (const role of [gone, wanted]) {
      await ctx.db.updateTable('groups').set({ deleted_at: ctx.clock.now() }).where('id', '=', role).execute()
    }
    const { requested_role, target_roles, steps } = await scene.request(id)
    const posterity = { id: wanted, name: `last ${wanted}`, deleted: true }
    expect([requested_role, target_roles]).toEqual([posterity, [posterity]])
    expect(steps[0].approvers.map((approver: { role: object }) => approver.role)).toEqual([
      { id: kept, name: `renamed ${kept}` },
      { id: gone, name: `last ${gone}`, deleted: true },
    ])
  })

  it('is changed by an approval of any step, and so stands for the last one', async () => {
    await offer({ ...floating, steps: [step('ANY', scene.roles.first), step('ANY', scene.roles.second)] })
    const id = await ask(asked)
    await scene.decide(scene.cleo, id, 'APPROVED', { floating_length: 2 })
    expect(await scene.request(id)).toMatchObject({
      status: 'WAITING',
      floating_length: 2,
      requested_floating_length: 4,
    })
    expect((await scene.decide(scene.dana, id, 'APPROVED', { step: 1, floating_length: 9 })).status).toBe(400)
    expect((await scene.decide(scene.dana, id, 'APPROVED', { step: 1 })).status).toBe(200)
    expect(await heldRole()).toMatchObject({ floating_length: 2 })
  })
})

/** The wanted role among those of Ben, as the role store has it. */
async function heldRole(): Promise<object | undefined> {
  const { body } = await scene.ben.get(`/role-store/api/v1/users/${scene.ben.id}/roles`)
  return body.items.find(({ id }: { id: string }) => id === wanted)
}

describe('an approval', () => {
  const from = '2026-11-21T12:00:00Z'
  const to = '2027-11-21T12:00:00Z'

  it.each<[string, object]>([
    ['PERMANENT', {}],
    ['FLOATING', { floating_length: 3 }],
    ['TIME_RESTRICTED', { grant_start: from, grant_end: to }],
  ])('gives the role to the target at once, %s as the role store tells it', async (grant_type, members) => {
    await offer({ grant_types: ['PERMANENT', 'FLOATING', 'TIME_RESTRICTED'] })
    const id = await ask({ grant_type, ...members })
    expect(await heldRole()).toBeUndefined()
    await scene.decide(scene.cleo, id, 'APPROVED')
    const { name } = (await scene.request(id)).requested_role
    const held = { id: wanted, name, permissions: [], explicit: true, implicit: false }
    expect(await heldRole()).toEqual({ ...held, grant_type, ...members })
  })

  it('takes it from the target at once, when that was asked for', async () => {
    await offer({ action: 'REMOVE' })
    await hold(scene.world.ctx, wanted, scene.ben.id)
    const id = await ask({ action: 'REMOVE' })
    expect(await heldRole()).toBeDefined()
    await scene.decide(scene.cleo, id, 'APPROVED')
    expect(await heldRole()).toBeUndefined()
  })

  it('puts what was asked for in the place of what is held for a while', async () => {
    await offer()
    await hold(scene.world.ctx, wanted, scene.ben.id, { kind: 'floating', floatingHours: 1 })
    await scene.decide(scene.cleo, await ask(), 'APPROVED')
    expect(await heldRole()).toMatchObject({ grant_type: 'PERMANENT' })
    const { body } = await scene.ben.get(`/role-store/api/v1/users/${scene.ben.id}/roles`)
    expect(body.items.filter(({ id }: { id: string }) => id === wanted)).toHaveLength(1)
  })
})

it('nothing waits for who has decided in the open step, though a place of theirs is free; the next step does', async () => {
  const { ctx } = scene.world
  const both = await scene.world.person(`Both ${wanted.slice(-8)}`)
  const { first, second } = scene.roles
  for (const id of [first, second]) await hold(ctx, id, both.id)
  await offer({ steps: [step('ALL', first, second), step('ANY', second)] })
  const id = await ask()
  const waiting = async () => {
    const { body } = await both.get(`${requests}?filter=active_approvals`)
    return body.items.some((item: { id: string }) => item.id === id)
  }
  expect(await waiting()).toBe(true)
  await scene.decide(both, id, 'APPROVED')
  expect((await scene.request(id)).steps[0].approvers[1].decision).toBe('WAITING')
  expect(await waiting()).toBe(false)
  await scene.decide(scene.dana, id, 'APPROVED')
  expect(await waiting()).toBe(true)
})

describe('a role that is gone', () => {
  it('is refused in every step once the role is gone, and the request can be denied', async () => {
    await offer({ steps: [step('ANY', scene.roles.first), step('ANY', scene.roles.second)] })
    const id = await ask()
    const { ctx } = scene.world
    await ctx.db.updateTable('groups').set({ deleted_at: ctx.clock.now() }).where('id', '=', wanted).execute()
    expect((await scene.decide(scene.cleo, id, 'APPROVED')).status).toBe(400)
    expect((await scene.request(id)).steps[0].approvers[0].decision).toBe('WAITING')
    expect((await scene.decide(scene.cleo, id, 'DENIED')).status).toBe(200)
  })
})

describe('a workflow', () => {
  it('gets its ids from the server when it is made, whatever was sent', async () => {
    const sent = { id: nobody, ...step('ANY', scene.roles.first) }
    const id = await offer({ id: nobody, steps: [sent] })
    const { body } = await scene.ada.get(`${workflows}/${id}`)
    expect(body.steps[0].id).not.toBe(nobody)
    expect(body.id).not.toBe(nobody)
  })

  it('may have ten approvers in a step, as long as no settings say otherwise', async () => {
    const roles = await Promise.all(Array.from({ length: 11 }, (_, index) => newRole(`approvers ${index}`)))
    const make = async (...ids: string[]) =>
      await scene.ada.post(workflows, {
        name: 'crowded',
        target_roles: [{ id: wanted }],
        steps: [step('ALL', scene.roles.first), step('ALL', ...ids)],
      })
    expect((await make(...roles.slice(1))).status).toBe(201)
    expect(refusal(await make(...roles))).toEqual([400, 'steps[1].approvers'])
  })
})

describe('a list', () => {
  it('has fifty items, unless it is asked for others', async () => {
    const many = await startAccessScene()
    try {
      const target = { requested_role: { id: many.roles.target } }
      for (let count = 0; count < 51; count++) {
        const workflow = await many.workflow(count === 0 ? { max_active_requests: 51 } : {})
        await many.ask(many.ben, { ...target, workflow: count === 0 ? workflow : undefined })
        many.world.clock.advance(1)
      }
      for (const path of ['workflows', 'workflows/roles', 'requests?filter=all']) {
        const { body } = await many.ada.get(`${engine}/${path}`)
        expect([path, body.count, body.items.length]).toEqual([path, 51, 50])
      }
      const { body } = await many.ada.post(`${requests}/search`, {})
      expect([body.count, body.items.length]).toEqual([51, 50])
    } finally {
      await many[Symbol.asyncDispose]()
    }
  })

  it('is none where a request is made: its part of one is not looked at', async () => {
    await offer()
    const { status } = await scene.ben.post(`${requests}?offset=-1&limit=many`, { requested_role: { id: wanted } })
    expect(status).toBe(201)
  })
})
