import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openActions } from '../../../src/approvals/actions.ts'
import { runDueJobs } from '../../../src/jobs/worker.ts'
import { delivered } from '../../helpers/delivered.ts'
import { startHttpSink, type HttpSink, type SinkAnswer } from '../../helpers/http-sink.ts'
import { expectRefusal, templates } from '../../helpers/templates.ts'
import { startWorkflowWorld, workflows, type WorkflowWorld } from '../../helpers/workflows.ts'
import type { Answer } from '../../helpers/world.ts'

let sink: HttpSink
let world: WorkflowWorld
let answer: SinkAnswer = (response) => response.end()

beforeAll(async () => {
  sink = await startHttpSink((response, call) => answer(response, call))
  world = await startWorkflowWorld({ network: sink.network, env: { QUORATE_DELIVERY_WAIT: '0.001' } })
})

afterAll(async () => {
  await world.close()
  await sink[Symbol.asyncDispose]()
})

// Each in another place, so that the one that shows names the place.
const secret = {
  user: 'hidden1user',
  password: 'hidden2password',
  parameter: 'hidden3parameter',
  header: 'hidden4header',
  anyHeader: 'hidden5anyheader',
  anyParameter: 'hidden6anyparameter',
  slack: 'hidden7slack',
}
const hook = {
  type: 'WEBHOOK',
  method: 'POST',
  url: `https://${secret.user}:${secret.password}@hooks.example/path?a=1&api_key=${secret.parameter}`,
  headers: { 'X-Auth-Token': secret.header, Accept: 'text/plain' },
}
const hidden = {
  type: 'WEBHOOK',
  method: 'PUT',
  url: `https://hooks.example/all?plain=${secret.anyParameter}`,
  headers: { Accept: secret.anyHeader },
  redact: 'ALL',
}
const slack = { type: 'SLACK', webhookUrl: `https://hooks.slack.com/services/T1/B2/${secret.slack}` }
const email = { type: 'EMAIL', recipients: ['ops-recipient@example.com'] }
const all = [hook, hidden, slack, email]

const shownOf = {
  hook: {
    ...hook,
    url: 'https://***:***@hooks.example/path?a=1&api_key=***',
    headers: { 'X-Auth-Token': '***', Accept: 'text/plain' },
  },
  hidden: { ...hidden, url: 'https://hooks.example/all?plain=***', headers: { Accept: '***' } },
  slack: { ...slack, webhookUrl: 'https://hooks.slack.com/services/***' },
}

async function storedActions(id: string): Promise<unknown> {
  const row = await world.ctx.db.selectFrom('policies').select('actions').where('id', '=', id).executeTakeFirstOrThrow()
  return openActions(world.ctx, row.actions)
}

const made = async (actions: readonly object[] = all) => await world.made({ approvalRule: world.rule(1), actions })

describe('no answer shows what is secret', () => {
  it('of those that show an action, and of those that do not', async () => {
    const once = { 'idempotency-key': 'redacted' }
    const draft = world.draft({ approvalRule: world.rule(1), actions: all })
    const created = await world.ada.post(templates, draft, once)
    const { id, name } = created.body
    const workflowId = await world.openedUnder(id)
    await world.voted(world.cleo, workflowId, 'APPROVE')
    const updated = await world.ada.put(`${templates}/${name}`, { description: 'x' })
    const latest = `${templates}/${updated.body.id}`
    const answers: Record<string, Answer> = {
      created,
      updated,
      createdAgain: await world.ada.post(templates, draft, once),
      read: await world.ben.get(latest),
      readByName: await world.ben.get(`${templates}/${name}`),
      readOld: await world.ben.get(`${templates}/${id}`),
      deprecated: await world.ada.post(`${latest}/deprecate`),
      workflow: await world.ben.get(`${workflows}/${workflowId}?include=workflow-template`),
    }
    for (const [which, { status, body }] of Object.entries(answers)) {
      expect([which, status]).toEqual([which, which.startsWith('created') ? 201 : 200])
      const { actions } = which === 'workflow' ? body.ref.workflowTemplate : body
      expect(actions).toEqual([shownOf.hook, shownOf.hidden, shownOf.slack, email])
    }
    const others = [
      await world.ada.get(`${templates}?search=Template`),
      await world.ada.get(`${workflows}?include=workflow-template&limit=1000`),
      await world.ada.get(`${workflows}/${workflowId}/votes`),
      await world.ada.get('/audit-logs'),
      await world.ada.put(latest, { actions: all }),
      await world.ada.put(`${templates}/${id}`, { actions: [hidden, { ...hook, method: 'HEAD' }] }),
      await world.ada.post(
        templates,
        world.draft({ actions: [hook, { ...slack, webhookUrl: `${slack.webhookUrl}@`, on: [] }] }),
      ),
    ]
    const said = JSON.stringify([answers, others])
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 200, 400, 400, 400])
    for (const [where, text] of Object.entries(secret)) expect([where, said.includes(text)]).toEqual([where, false])
  })
})

/** Every row of every table there is, as text; bytes are in hexadecimal. */
async function everyRow(): Promise<string[]> {
  const { db } = world.ctx
  const { rows: tables } = await sql<{ name: string }>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`.execute(db)
  expect(tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['public.deliveries', 'public.policies', 'jobs.job']),
  )
  const rows: string[] = []
  for (const { name } of tables) {
    const found = await sql<{ row: string }>`select to_jsonb(t)::text as row from ${sql.raw(name)} t`.execute(db)
    rows.push(...found.rows.map(({ row }) => `${name} ${row}`))
  }
  return rows
}

/** A text as it may stand in a row: as it is, in hexadecimal, or in Base64 wherever in a longer value it begins. */
function formsOf(text: string): string[] {
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.from(text.slice(shift, text.length - ((text.length - shift) % 3))).toString('base64'),
  )
  return [text, Buffer.from(text).toString('hex'), ...shifted]
}

const holding = (rows: readonly string[], text: string) =>
  rows.filter((row) => formsOf(text).some((form) => row.includes(form))).map((row) => row.slice(0, 200))

describe('no table holds what is secret in clear', () => {
  it('before anything was sent, after it was, and after it failed', async () => {
    const draft = world.draft({ approvalRule: world.rule(1), actions: all })
    const { id, name } = (await world.ada.post(templates, draft, { 'idempotency-key': 'stored' })).body
    await world.ada.put(`${templates}/${name}`, { actions: [shownOf.hook, hidden] })
    const workflowId = await world.openedUnder((await world.ben.get(`${templates}/${name}`)).body.id)
    const failing = await world.openedUnder((await made()).id)
    await world.voted(world.cleo, workflowId, 'APPROVE')
    await world.voted(world.cleo, failing, 'APPROVE')
    const moments = [await everyRow()]
    answer = (response) => response.writeHead(503).end()
    await runDueJobs(world.ctx)
    moments.push(await everyRow())
    await delivered(world.ctx, failing)
    answer = (response) => response.end()
    await delivered(world.ctx, workflowId)
    moments.push(await everyRow())
    for (const rows of moments) {
      for (const text of [...Object.values(secret), ...email.recipients]) expect(holding(rows, text)).toEqual([])
      expect(holding(rows, name)).not.toEqual([])
    }
    expect(await storedActions(id)).toEqual(all)
  })

  it('which would show if one did', async () => {
    const [row] = await world.ctx.db.selectFrom('deliveries').selectAll().limit(1).execute()
    for (const prefix of ['', 'x', 'xy']) {
      const text = `${prefix}${secret.header}..`
      for (const column of [{ action: Buffer.from(text) }, { reason: text }, { reason: btoa(text) }]) {
        await world.ctx.db.updateTable('deliveries').set(column).where('id', '=', String(row?.id)).execute()
        expect(holding(await everyRow(), secret.header)).toHaveLength(1)
        await world.ctx.db
          .updateTable('deliveries')
          .set({ action: row?.action as Buffer, reason: null })
          .where('id', '=', String(row?.id))
          .execute()
      }
    }
  })
})

describe('what is sent is whole', () => {
  it('also after the stars were sent back', async () => {
    const { name } = await made()
    const sentBack = [shownOf.hook, shownOf.hidden]
    const { body } = await world.ada.put(`${templates}/${name}`, { actions: sentBack })
    const workflowId = await world.openedUnder(body.id)
    await world.voted(world.cleo, workflowId, 'APPROVE')
    const before = sink.calls.length
    await delivered(world.ctx, workflowId)
    const heard = sink.calls.slice(before).toSorted((one, other) => one.method.localeCompare(other.method))
    expect(heard).toMatchObject([
      {
        method: 'POST',
        url: `/path?a=1&api_key=${secret.parameter}`,
        headers: {
          'x-auth-token': secret.header,
          accept: 'text/plain',
          authorization: `Basic ${btoa(`${secret.user}:${secret.password}`)}`,
        },
      },
      { method: 'PUT', url: `/all?plain=${secret.anyParameter}`, headers: { accept: secret.anyHeader } },
    ])
  })
})

describe('stars sent back through PUT', () => {
  const other = { ...email, recipients: ['other@example.com'] }
  const asShown = [shownOf.hook, shownOf.hidden, shownOf.slack, email]

  const kept: readonly (readonly [what: string, sent: readonly object[], stored: readonly object[]])[] = [
    ['keep every secret when nothing changed', asShown, all],
    ['keep the others when one changes that holds none', [...asShown.slice(0, 3), other], [...all.slice(0, 3), other]],
    [
      'keep the others when one is replaced as a whole',
      [shownOf.hook, { ...hidden, headers: { Accept: 'new' } }, shownOf.slack, email],
      [hook, { ...hidden, headers: { Accept: 'new' } }, slack, email],
    ],
    ['keep those before one that was removed', [shownOf.hook, shownOf.hidden], [hook, hidden]],
    ['keep those before one that was added', [...asShown, other], [...all, other]],
    ['keep those whose places others did not take', [shownOf.hook, email, shownOf.slack], [hook, email, slack]],
    ['are not needed where the secret itself is sent, at any place', [slack, hook], [slack, hook]],
    ['nor where nothing is kept', [], []],
  ]

  it.each(kept)('%s', async (_, sent, stored) => {
    const { name } = await made()
    const { status, body } = await world.ada.put(`${templates}/${name}`, { actions: sent })
    expect(status).toBe(200)
    expect(await storedActions(body.id)).toEqual(stored)
    // The next version is made from this one in the same way.
    const again = await world.ada.put(`${templates}/${body.id}`, { actions: body.actions })
    expect(await storedActions(again.body.id)).toEqual(stored)
  })

  it('keep the secrets when the member is left out, and a value that is no list leaves none', async () => {
    const { name } = await made()
    const copied = (await world.ada.put(`${templates}/${name}`, { description: 'x' })).body
    expect(await storedActions(copied.id)).toEqual(all)
    const emptied = (await world.ada.put(`${templates}/${name}`, { actions: 'none' })).body
    expect(emptied.actions).toEqual([])
  })

  const url = 'WORKFLOW_ACTION_URL_INVALID'
  const refused: readonly (readonly [what: string, code: string, field: string, sent: readonly object[]])[] = [
    ['in another order', url, 'actions[0].url', [shownOf.hidden, shownOf.hook, shownOf.slack, email]],
    ['after the first was removed', url, 'actions[0].url', asShown.slice(1)],
    ['with a Slack URL moved up', 'WORKFLOW_ACTION_WEBHOOK_URL_INVALID', 'actions[0].webhookUrl', [shownOf.slack]],
    ['with another method', url, 'actions[0].url', [{ ...shownOf.hook, method: 'PUT' }]],
    ['with other decisions', url, 'actions[0].url', [{ ...shownOf.hook, on: ['REJECTED'] }]],
    ['to another host', url, 'actions[0].url', [{ ...shownOf.hook, url: shownOf.hook.url.replace('hooks', 'evil') }]],
    [
      'with one secret changed and stars for another',
      'WORKFLOW_ACTION_HEADERS_INVALID',
      'actions[0].headers.X-Auth-Token',
      [{ ...shownOf.hook, url: hook.url }],
    ],
    ['with redact taken away', url, 'actions[1].url', [shownOf.hook, { ...shownOf.hidden, redact: undefined }]],
  ]

  it.each(refused)('%s: 400, and nothing changes', async (_, code, field, sent) => {
    const { id, name } = await made()
    for (const key of [id, name]) {
      expectRefusal(await world.ada.put(`${templates}/${key}`, { actions: sent }), 400, code, field)
    }
    expect((await world.ben.get(`${templates}/${name}`)).body).toMatchObject({ id, version: '1', status: 'ACTIVE' })
    expect(await storedActions(id)).toEqual(all)
  })
})
