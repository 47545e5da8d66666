import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiClient, roleStore, startPrivx, userStore, type PrivxWorld } from '../../helpers/privx.ts'
import { engine as workflowEngine, step } from '../../helpers/access.ts'
import type { Answer, Client } from '../../helpers/world.ts'

/** In UTC these are in a year that not both stores, or not every client, can write or read back. */
const outOfRange = [
  '0000-01-01T00:00:00Z',
  '0000-01-01T00:00:00+10:00',
  '0001-01-01T00:00:00Z',
  '0050-01-01T00:00:00Z',
  '1969-12-31T23:59:59.999Z',
  '1970-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-10:00',
  '9999-12-31T23:59:59.999-00:01',
]

describe.each(['postgres', 'pglite'] as const)('times on %s', (engine) => {
  let privx: PrivxWorld
  let admin: Client
  let target: string
  let requestId: string

  beforeAll(async () => {
    privx = await startPrivx({ engine })
    ;({ admin } = privx)
    target = await privx.role('wanted')
    const made = await admin.post(`${workflowEngine}/workflows`, {
      name: 'timed',
      grant_types: ['PERMANENT', 'TIME_RESTRICTED'],
      target_roles: [{ id: target }],
      steps: [step('ANY', target)],
    })
    expect(made.status).toBe(201)
    const user = await privx.user('asker')
    const request = await user.post(`${workflowEngine}/requests`, { requested_role: { id: target } })
    expect(request.status).toBe(201)
    requestId = request.body.id
  })
  afterAll(() => privx.close())

  const latest = '9999-12-31T23:59:59.999Z'
  const restricted = { grant_type: 'TIME_RESTRICTED', grant_start: '2026-11-21T12:00:00Z', grant_end: latest }
  /** Every place where a time is taken: the name it is refused by, and the call with a time in it. */
  const places: [property: string, place: string, call: (time: string) => Promise<Answer>][] = [
    ...(['grant_start', 'grant_end'] as const).flatMap((member): typeof places => [
      [
        `[0].${member}`,
        'roles that are given',
        (time) =>
          admin.put(`${roleStore}/users/${apiClient.id}/roles`, [{ id: target, ...restricted, [member]: time }]),
      ],
      [
        `roles[0].${member}`,
        'roles of an API client',
        (time) =>
          admin.post(`${userStore}/api-clients`, { name: 'x', roles: [{ id: target, ...restricted, [member]: time }] }),
      ],
      [
        member,
        'a request',
        (time) =>
          admin.post(`${workflowEngine}/requests`, { requested_role: { id: target }, ...restricted, [member]: time }),
      ],
      [
        `requested_${member}`,
        'a request',
        (time) =>
          admin.post(`${workflowEngine}/requests`, {
            requested_role: { id: target },
            ...restricted,
            [`requested_${member}`]: time,
          }),
      ],
      [
        member,
        'a decision',
        (time) =>
          admin.post(`${workflowEngine}/requests/${requestId}/decision`, {
            step: 0,
            decision: 'APPROVED',
            ...restricted,
            [member]: time,
          }),
      ],
    ]),
    ...(['start_time', 'end_time'] as const).map((member): (typeof places)[number] => [
      member,
      'a search',
      (time) => admin.post(`${workflowEngine}/requests/search`, { [member]: time }),
    ]),
  ]

  test.each(places)('%s of %s is refused outside of 1970 to 9999', async (property, _place, call) => {
    for (const time of outOfRange) {
      const { status, body } = await call(time)
      expect([time, status, body.error_code, body.property]).toEqual([time, 400, 'BAD_REQUEST', property])
    }
  })

  test('what is finer than a millisecond is dropped before anything is compared', async () => {
    const made = await admin.post(`${workflowEngine}/workflows`, {
      name: 'for a day',
      grant_types: ['TIME_RESTRICTED'],
      max_time_restricted_duration: 1,
      target_roles: [{ id: target }],
      steps: [step('ANY', target)],
    })
    const ask = async (grant_start: string, grant_end: string) => {
      const asker = await privx.user(`asker from ${grant_start} to ${grant_end}`)
      const terms = { grant_type: 'TIME_RESTRICTED', grant_start, grant_end }
      const question = { requested_role: { id: target }, workflow: made.body.id, ...terms }
      const { status, body } = await asker.post(`${workflowEngine}/requests`, question)
      return status === 201 ? (await asker.get(`${workflowEngine}/requests/${body.id}`)).body : body.property
    }
    const day = { grant_start: '2027-01-01T00:00:00Z', grant_end: '2027-01-02T00:00:00Z' }
    expect(await ask('2027-01-01T00:00:00.0004Z', '2027-01-02T00:00:00.0009Z')).toMatchObject(day)
    expect(await ask('2027-01-01T00:00:00.0004Z', '2027-01-02T00:00:00.001Z')).toBe('grant_end')
    expect(await ask('2027-01-01T00:00:00.0001Z', '2027-01-01T00:00:00.0009Z')).toBe('grant_end')
  })

  test('the first and the last time are kept as they are', async () => {
    const user = await privx.user('holder')
    const roles = `${roleStore}/users/${user.id}/roles`
    for (const [sent, shown] of [
      ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'],
      ['1970-01-01T05:30:00+05:30', '1970-01-01T00:00:00Z'],
      ['1999-12-31T23:59:59.123456789Z', '1999-12-31T23:59:59.123Z'],
    ]) {
      const grant = { id: target, grant_type: 'TIME_RESTRICTED', grant_start: sent, grant_end: latest }
      expect((await admin.put(roles, [grant])).status).toBe(200)
      expect((await admin.get(roles)).body.items).toMatchObject([{ grant_start: shown, grant_end: latest }])
    }
    const found = async (bounds: object) =>
      (await admin.post(`${workflowEngine}/requests/search`, bounds)).body.count as number
    const all = await found({})
    expect(all).toBeGreaterThan(0)
    expect(await found({ start_time: '1970-01-01T00:00:00Z', end_time: latest })).toBe(all)
    expect(await found({ start_time: latest })).toBe(0)
    expect(await found({ end_time: '1970-01-01T00:00:00Z' })).toBe(0)
  })
})
