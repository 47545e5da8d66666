import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openActions } from '../../../src/approvals/actions.ts'
import { expectRefusal, startTemplateWorld, templates, type TemplateWorld } from '../../helpers/templates.ts'

let world: TemplateWorld
beforeAll(async () => void (world = await startTemplateWorld()))
afterAll(() => world.close())

const email = { type: 'EMAIL', recipients: ['ops@example.com'] }
const hook = { type: 'WEBHOOK', url: 'https://hook.example/run', method: 'POST' }
const slack = { type: 'SLACK', webhookUrl: 'https://hooks.slack.com/services/T1/B2/XyZ' }

async function storedActions(id: string): Promise<unknown> {
  const row = await world.ctx.db.selectFrom('policies').select('actions').where('id', '=', id).executeTakeFirstOrThrow()
  return openActions(world.ctx, row.actions)
}

const refused: readonly (readonly [code: string, at: string, action: unknown])[] = [
  ['TYPE_INVALID', '', null],
  ['TYPE_INVALID', '', 'EMAIL'],
  ['TYPE_INVALID', '', [email]],
  ['TYPE_INVALID', '.type', {}],
  ['TYPE_INVALID', '.type', { ...email, type: 'email' }],
  ['RECIPIENTS_EMPTY', '.recipients', { type: 'EMAIL' }],
  ['RECIPIENTS_EMPTY', '.recipients', { type: 'EMAIL', recipients: [] }],
  ['RECIPIENTS_EMPTY', '.recipients', { type: 'EMAIL', recipients: 'ops@example.com' }],
  ['RECIPIENTS_INVALID_EMAIL', '.recipients', { type: 'EMAIL', recipients: Array(6).fill('ops@example.com') }],
  ...[
    'ops',
    'ops@',
    '@example.com',
    'a b@example.com',
    'a\u0001b@example.com',
    'a@b@example.com',
    'ops@localhost',
    'a@x..com',
    7,
    null,
  ].map(
    (address) =>
      [
        'RECIPIENTS_INVALID_EMAIL',
        '.recipients[1]',
        { type: 'EMAIL', recipients: ['ops@example.com', address] },
      ] as const,
  ),
  ['URL_INVALID', '.url', { type: 'WEBHOOK' }],
  ['URL_INVALID', '.url', { ...hook, url: 'hook.example' }],
  ['URL_INVALID', '.url', { ...hook, url: 'ftp://hook.example/' }],
  ['URL_INVALID', '.url', { ...hook, url: 'javascript:alert(1)' }],
  ['URL_INVALID', '.url', { ...hook, url: 'https://' }],
  ['METHOD_INVALID', '.method', { ...hook, method: 'DELETE' }],
  ['METHOD_INVALID', '.method', { ...hook, method: 'post' }],
  ['METHOD_INVALID', '.method', { ...hook, method: null }],
  ['HEADERS_INVALID', '.headers', { ...hook, headers: 'X: y' }],
  ['HEADERS_INVALID', '.headers', { ...hook, headers: [] }],
  ['HEADERS_INVALID', '.headers.X-Count', { ...hook, headers: { 'X-Count': 1 } }],
  ['HEADERS_INVALID', '.headers.X-Split', { ...hook, headers: { 'X-Split': 'a\r\nX-Other: b' } }],
  ['HEADERS_INVALID', '.headers.X Y', { ...hook, headers: { 'X Y': 'z' } }],
  ['REDACT_INVALID', '.redact', { ...hook, redact: 'NOTHING' }],
  ['REDACT_INVALID', '.redact', { ...hook, redact: null }],
  ...[
    'http://hooks.slack.com/services/T/B/X',
    'https://hooks.slack.com.evil.example/services/T/B/X',
    'https://hooks.slack.com:8443/services/T/B/X',
    'https://hooks.slack.com@evil.example/services/T/B/X',
    'https://me:pw@hooks.slack.com/services/T/B/X',
    'https://slack.com/services/T/B/X',
    'hooks.slack.com',
    7,
    undefined,
  ].map((webhookUrl) => ['WEBHOOK_URL_INVALID', '.webhookUrl', { type: 'SLACK', webhookUrl }] as const),
  ...[[], 'APPROVED', ['PENDING'], ['APPROVED', 1], null, {}].map(
    (on) => ['ON_INVALID', '.on', { ...email, on }] as const,
  ),
]

describe('a bad action is refused', () => {
  it.each(refused)('POST /workflow-templates 400 WORKFLOW_ACTION_%s at actions[1]%s', async (code, at, action) => {
    const answer = await world.ada.post(templates, world.draft({ actions: [email, action] }))
    expectRefusal(answer, 400, `WORKFLOW_ACTION_${code}`, `actions[1]${at}`)
  })

  it('PUT /workflow-templates/{templateIdentifier} 400 with the same codes', async () => {
    const { id } = await world.made()
    for (const [code, at, action] of refused) {
      const answer = await world.ada.put(`${templates}/${id}`, { actions: [email, action] })
      expectRefusal(answer, 400, `WORKFLOW_ACTION_${code}`, `actions[1]${at}`)
    }
  })
})

describe('actions are stored and answered', () => {
  const people = (count: number) => Array.from({ length: count }, (_, index) => `p${index}@example.com`)
  it.each<[string, object]>([
    ['one recipient', { ...email, recipients: people(1) }],
    ['five recipients', { ...email, recipients: people(5) }],
    ['a recipient with a tag, below a subdomain', { ...email, recipients: ["o'neil+ops@mail.example.co"] }],
    ['an http URL', { ...hook, url: 'http://hook.example/run' }],
    ['a URL with a port and without a path', { ...hook, url: 'https://hook.example:8443' }],
    ['POST', { ...hook, method: 'POST' }],
    ['PUT', { ...hook, method: 'PUT' }],
    ['GET', { ...hook, method: 'GET' }],
    ['no header', { ...hook, headers: {} }],
    ['a header with an empty value', { ...hook, headers: { 'X-Empty': '' } }],
    ['redact HEADERS', { ...hook, redact: 'HEADERS' }],
    ['redact URL', { ...hook, redact: 'URL' }],
    ['redact ALL', { ...hook, redact: 'ALL' }],
  ])('as they were sent: %s', async (_, action) => {
    expect((await world.made({ actions: [action] })).actions).toEqual([action])
  })

  it.each(['https://hooks.slack.com/services/T/B/X', 'HTTPS://HOOKS.SLACK.COM:443/services/T/B/X'])(
    'with the address of Slack however it is written: %s',
    async (webhookUrl) => {
      const { id } = await world.made({ actions: [{ type: 'SLACK', webhookUrl }] })
      expect(await storedActions(id)).toEqual([{ type: 'SLACK', webhookUrl }])
    },
  )

  it('with POST as the method of a webhook that names none, and without unknown members', async () => {
    const { actions } = await world.made({ actions: [{ type: 'WEBHOOK', url: 'http://hook.example', x: 1 }] })
    expect(actions).toEqual([{ type: 'WEBHOOK', url: 'http://hook.example', method: 'POST' }])
  })

  it('with the decisions they run after', async () => {
    const on = ['APPROVED', 'REJECTED', 'EXPIRED', 'CANCELED']
    const sent = [
      { ...email, on },
      { ...hook, on: ['REJECTED'] },
      { ...slack, on: ['EXPIRED', 'EXPIRED'] },
    ]
    const { actions } = await world.made({ actions: sent })
    expect(actions).toMatchObject([{ on }, { on: ['REJECTED'] }, { on: ['EXPIRED'] }])
  })

  it.each([['a text'], [{ 0: email }], [7], [null], [undefined]])('as none when they are %o', async (actions) => {
    expect((await world.made({ actions })).actions).toEqual([])
  })
})

const shown: readonly (readonly [what: string, sent: object, shown: object])[] = [
  ['recipients', email, email],
  ['a URL with nothing secret, byte for byte', { ...hook, url: 'HTTPS://Hook.Example?b=%2a&A' }, {}],
  [
    'the user and password of a URL',
    { ...hook, url: 'https://u:p@h.example/a' },
    { url: 'https://***:***@h.example/a' },
  ],
  ['a user alone', { ...hook, url: 'https://u@h.example/' }, { url: 'https://***@h.example/' }],
  [
    'sensitive parameters',
    { ...hook, url: 'https://h.example/?a=1&apiToken=x&b' },
    { url: 'https://h.example/?a=1&apiToken=***&b' },
  ],
  [
    'a sensitive parameter behind escapes',
    { ...hook, url: 'https://h.example/?%74oken=x' },
    { url: 'https://h.example/?%74oken=***' },
  ],
  [
    'a sensitive parameter given twice',
    { ...hook, url: 'https://h.example/?key=1&key=2' },
    { url: 'https://h.example/?key=***&key=***' },
  ],
  [
    'every parameter with redact URL',
    { ...hook, url: 'https://h.example/?a=1&b', redact: 'URL' },
    { url: 'https://h.example/?a=***&***' },
  ],
  [
    'every parameter with redact ALL',
    { ...hook, url: 'https://h.example/?a=1', redact: 'ALL' },
    { url: 'https://h.example/?a=***' },
  ],
  ['no parameter with redact HEADERS', { ...hook, url: 'https://h.example/?a=1', redact: 'HEADERS' }, {}],
  [
    'sensitive headers',
    {
      ...hook,
      headers: {
        Authorization: 'a',
        'X-TOKEN': 'b',
        'x-secret': 'c',
        'X-Api-Key': 'd',
        'x-Password': 'e',
        'X-Credential-Id': 'f',
        Accept: 'text/plain',
      },
    },
    {
      headers: {
        Authorization: '***',
        'X-TOKEN': '***',
        'x-secret': '***',
        'X-Api-Key': '***',
        'x-Password': '***',
        'X-Credential-Id': '***',
        Accept: 'text/plain',
      },
    },
  ],
  [
    'every header with redact HEADERS',
    { ...hook, headers: { Accept: 'x' }, redact: 'HEADERS' },
    { headers: { Accept: '***' } },
  ],
  [
    'every header with redact ALL',
    { ...hook, headers: { Accept: 'x' }, redact: 'ALL' },
    { headers: { Accept: '***' } },
  ],
  ['no header with redact URL', { ...hook, headers: { Accept: 'x' }, redact: 'URL' }, {}],
  ['a Slack URL', slack, { webhookUrl: 'https://hooks.slack.com/services/***' }],
  [
    'another Slack URL',
    { ...slack, webhookUrl: 'https://hooks.slack.com/workflows/T/1' },
    { webhookUrl: 'https://hooks.slack.com/***' },
  ],
]

describe('every answer hides what is secret, and the store keeps it', () => {
  it.each(shown)('%s', async (_, sent, hidden) => {
    const visible = { ...sent, ...hidden }
    const created = await world.ada.post(templates, world.draft({ actions: [sent] }))
    expect(created.body.actions).toEqual([visible])
    expect((await world.ben.get(`${templates}/${created.body.id}`)).body.actions).toEqual([visible])
    const updated = await world.ada.put(`${templates}/${created.body.id}`, {})
    expect(updated.body.actions).toEqual([visible])
    const deprecated = await world.ada.post(`${templates}/${updated.body.id}/deprecate`)
    expect(deprecated.body.actions).toEqual([visible])
    expect(await storedActions(updated.body.id)).toEqual([sent])
  })

  it.each(shown)('%s: sent back as shown, it is kept', async (_, sent) => {
    const created = await world.made({ actions: [email, sent] })
    const { status, body } = await world.ada.put(`${templates}/${created.id}`, { actions: created.actions })
    expect(status).toBe(200)
    expect(await storedActions(body.id)).toEqual([email, sent])
  })
})

describe('stars that no stored secret explains are refused', () => {
  const secret = { ...hook, url: 'https://u:p@h.example/?key=k', headers: { Authorization: 'a' } }
  const starred: readonly (readonly [code: string, at: string, action: object])[] = [
    ['HEADERS_INVALID', '.headers.Authorization', { ...hook, headers: { Authorization: '***' } }],
    ['HEADERS_INVALID', '.headers.Accept', { ...hook, headers: { Accept: '***' } }],
    ['URL_INVALID', '.url', { ...hook, url: 'https://***:***@h.example/' }],
    ['URL_INVALID', '.url', { ...hook, url: 'https://h.example/?key=***' }],
    ['URL_INVALID', '.url', { ...hook, url: 'https://h.example/?***' }],
    ['WEBHOOK_URL_INVALID', '.webhookUrl', { ...slack, webhookUrl: 'https://hooks.slack.com/services/***' }],
    ['WEBHOOK_URL_INVALID', '.webhookUrl', { ...slack, webhookUrl: 'https://hooks.slack.com/***' }],
  ]

  it.each(starred)('POST /workflow-templates 400 WORKFLOW_ACTION_%s at actions[0]%s', async (code, at, action) => {
    const answer = await world.ada.post(templates, world.draft({ actions: [action] }))
    expectRefusal(answer, 400, `WORKFLOW_ACTION_${code}`, `actions[0]${at}`)
  })

  it.each(starred)(
    'PUT /workflow-templates/{name} 400 WORKFLOW_ACTION_%s at actions[0]%s',
    async (code, at, action) => {
      const { id, name } = await world.made({ actions: [secret] })
      const answer = await world.ada.put(`${templates}/${name}`, { actions: [action] })
      expectRefusal(answer, 400, `WORKFLOW_ACTION_${code}`, `actions[0]${at}`)
      expect(await storedActions(id)).toEqual([secret])
    },
  )

  it('also when the action moved to another place, or was changed beside the stars', async () => {
    const created = await world.made({ actions: [email, secret] })
    const [, visible] = created.actions
    for (const [actions, field] of [
      [[visible, email], 'actions[0].url'],
      [[email, { ...visible, method: 'PUT' }], 'actions[1].url'],
      [[email, { ...visible, url: 'https://evil.example/' }], 'actions[1].headers.Authorization'],
    ]) {
      const answer = await world.ada.put(`${templates}/${created.id}`, { actions })
      expect(answer).toMatchObject({ status: 400, body: { details: [{ field }] } })
    }
    expect((await world.ada.get(`${templates}/${created.id}`)).body.version).toBe('1')
  })
})
