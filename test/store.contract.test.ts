import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appendLeaf } from '../src/audit/append.ts'
import { ensureDefaultOrganization } from '../src/identity/organization.ts'
import { registerPerson } from '../src/identity/register-person.ts'
import { listLog, type LogFilter, type LogPlace } from '../src/store/audit-log.ts'
import { constraintCodes } from '../src/store/constraints.ts'
import type { Tx } from '../src/store/open.ts'
import { migrations } from '../src/store/migrations/list.ts'
import { openStore, type Store } from '../src/store/open.ts'
import { findHumanByEmail, findOrInsertPerson } from '../src/store/people.ts'
import { foldRequestCounts } from '../src/store/request-list.ts'
import { findRequestForUpdate, updateRequest } from '../src/store/requests.ts'
import type { NewRow } from '../src/store/schema.ts'
import { transact, type Once } from '../src/store/unit-of-work.ts'
import { lockFacts } from '../src/store/fact-locks.ts'
import { findVotingFacts, lockRequestForVote } from '../src/store/voting.ts'
import { insertGroupOf, insertRequests, insertVoters, send, type Voter } from './helpers/crowd.ts'
import { emptyDatabase, freshDatabase } from './helpers/fresh-database.ts'
import { countFaults } from './helpers/history.ts'
import { untilWaiting } from './helpers/lock-waits.ts'
import { giveRole, insertPolicy, insertSpace, orgId, seats } from './helpers/quorum.ts'
import { startWorld, type Client, type World, type WorldOptions } from './helpers/world.ts'

const engines = [
  { engine: 'pglite', where: async () => ({ engine: 'pglite' as const }) },
  { engine: 'postgres', where: async () => ({ databaseUrl: await emptyDatabase() }) },
] as const

/** What every part of the server relies on from the store, the same on both engines. */
describe.each(engines)('the store on $engine', ({ engine, where }) => {
  let world: World
  let databaseUrl: string | undefined
  const newId = () => world.ctx.newId()
  const now = () => world.ctx.clock.now()

  beforeAll(async () => {
    const options: WorldOptions = await where()
    databaseUrl = options.databaseUrl
    world = await startWorld(options)
  })
  afterAll(() => world.close())

  const refusal = async (work: Promise<unknown>) =>
    await work.then(
      () => 'done',
      (error: { code?: unknown }) => error.code,
    )
  const group = (name = `g-${newId()}`): NewRow<'groups'> => ({
    org_id: orgId,
    id: newId(),
    name,
    created_at: now(),
    updated_at: now(),
  })

  describe('values', () => {
    it('gives 64-bit numbers as text, beyond what a JavaScript number holds', async () => {
      const row = { ...group(), row_version: '9007199254740993' }
      await world.ctx.db.insertInto('groups').values(row).execute()
      const read = await world.ctx.db
        .selectFrom('groups')
        .selectAll()
        .where('id', '=', row.id)
        .executeTakeFirstOrThrow()
      expect(read.row_version).toBe('9007199254740993')
      expect(read.member_count).toBe(0)
      const { rows } =
        await sql<object>`select count(*) as count, sum(row_version) as sum, 1::smallint as small, true as is,
        null::text as nothing from groups where id = ${row.id}`.execute(world.ctx.db)
      expect(rows).toEqual([{ count: '1', sum: '9007199254740993', small: 1, is: true, nothing: null }])
    })

    it('gives instants as dates, to the millisecond, whatever the time zone of the session', async () => {
      const at = new Date('2026-03-29T01:30:00.123Z')
      const row = { ...group(), created_at: at, updated_at: new Date('2026-10-25T00:59:59.999Z') }
      await transact(world.ctx, null, async (tx) => {
        await sql`set local time zone 'Asia/Kolkata'`.execute(tx)
        await tx.insertInto('groups').values(row).execute()
        const inside = await tx.selectFrom('groups').selectAll().where('created_at', '=', at).executeTakeFirstOrThrow()
        expect([inside.created_at, inside.updated_at]).toEqual([at, row.updated_at])
      })
      const read = await world.ctx.db
        .selectFrom('groups')
        .selectAll()
        .where('id', '=', row.id)
        .executeTakeFirstOrThrow()
      expect([read.created_at, read.updated_at]).toEqual([at, row.updated_at])
      expect(read.created_at).toBeInstanceOf(Date)
    })

    it('gives arrays, JSON and bytes as they were written', async () => {
      const [voter] = (await insertVoters(world.ctx, [{}])) as [Voter]
      const id = await insertGroupOf(world.ctx, [voter.id])
      const policyId = await insertPolicy(world.ctx, seats(id, 1), {}, { name: 'Ω "quoted" \\ name' })
      const metadata = { text: 'naïve 🗳 "x" \\ \n', list: [1, 2.5, null, true], '': {} }
      const actions = Buffer.from([0, 1, 39, 92, 128, 255])
      await world.ctx.db
        .updateTable('policies')
        .set({ metadata: JSON.stringify(metadata), actions })
        .where('id', '=', policyId)
        .execute()
      const read = await world.ctx.db
        .selectFrom('policies')
        .selectAll()
        .where('id', '=', policyId)
        .executeTakeFirstOrThrow()
      expect(read.metadata).toEqual(metadata)
      expect(read.name).toBe('Ω "quoted" \\ name')
      expect(read.group_ids).toEqual([id])
      expect(read.stages).toEqual([{ binding: true, rule: seats(id, 1) }])
      expect(Buffer.from(read.actions)).toEqual(actions)

      const [requestId] = (await insertRequests(world.ctx, policyId, voter, 1)) as [string]
      const vote = {
        org_id: orgId,
        request_id: requestId,
        seq: 1,
        stage: 0,
        principal_id: voter.id,
        stance: 'approve' as const,
      }
      const assurance = ['stepUp', 'password'] as ('stepUp' | 'password')[]
      await world.ctx.db
        .insertInto('votes')
        .values({ ...vote, seats: [], assurance, digest: 'd', reason: '{a,"b"}', cast_at: now() })
        .execute()
      const stored = await world.ctx.db
        .selectFrom('votes')
        .selectAll()
        .where('request_id', '=', requestId)
        .executeTakeFirstOrThrow()
      expect([stored.seats, stored.assurance, stored.reason]).toEqual([[], assurance, '{a,"b"}'])
    })

    it('orders by instant and then by id, as bytes', async () => {
      const rows = ['0b', 'a0', '9f', 'ff', '00'].map((start) => ({ ...group(), id: `${start}${newId().slice(2)}` }))
      await world.ctx.db.insertInto('groups').values(rows).execute()
      const read = await world.ctx.db
        .selectFrom('groups')
        .select('id')
        .where(
          'id',
          'in',
          rows.map(({ id }) => id),
        )
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      expect(read.map(({ id }) => id.slice(0, 2))).toEqual(['00', '0b', '9f', 'a0', 'ff'])
    })

    it('takes an e-mail for the same in any case', async () => {
      const find = (email: string) =>
        transact(world.ctx, null, (tx) => findOrInsertPerson(tx, { id: newId(), email, created_at: now() }))
      expect(await find('Mixed.Case@Example.com')).toBe(await find('mixed.case@example.COM'))
      // Whether other letters have a lower case is the database's to say, but it must always say the same.
      expect(await find('ÉVA.ΣΩ@example.com')).toBe(await find('ÉVA.ΣΩ@example.com'))
    })
  })

  describe('a transaction', () => {
    it('keeps all or nothing', async () => {
      const [kept, lost] = [group(), group()]
      await transact(world.ctx, null, async (tx) => void (await tx.insertInto('groups').values(kept).execute()))
      const failing = transact(world.ctx, null, async (tx) => {
        await tx.insertInto('groups').values(lost).execute()
        await tx.updateTable('groups').set({ name: 'changed' }).where('id', '=', kept.id).execute()
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      const read = await world.ctx.db
        .selectFrom('groups')
        .select('name')
        .where('id', 'in', [kept.id, lost.id])
        .execute()
      expect(read).toEqual([{ name: kept.name }])
    })

    it('does not interleave with another that holds the same row', async () => {
      const row = group()
      await world.ctx.db.insertInto('groups').values(row).execute()
      const count = () =>
        transact(world.ctx, null, async (tx) => {
          const { member_count: before } = await tx
            .selectFrom('groups')
            .select('member_count')
            .where('id', '=', row.id)
            .forUpdate()
            .executeTakeFirstOrThrow()
          await new Promise((resolve) => setTimeout(resolve, 1))
          await tx
            .updateTable('groups')
            .set({ member_count: before + 1 })
            .where('id', '=', row.id)
            .execute()
        })
      await Promise.all(Array.from({ length: 40 }, count))
      const read = await world.ctx.db
        .selectFrom('groups')
        .selectAll()
        .where('id', '=', row.id)
        .executeTakeFirstOrThrow()
      expect(read.member_count).toBe(40)
    })

    it.each(['40P01', '40001'])(
      'runs again when the database ends it with %s, and gives up after four times',
      async (code) => {
        const attempts = { passing: 0, failing: 0 }
        const row = group()
        const passing = transact(world.ctx, null, async (tx) => {
          attempts.passing += 1
          await tx.insertInto('groups').values(row).execute()
          if (attempts.passing < 4) throw Object.assign(new Error('deadlock'), { code })
          return 'through'
        })
        expect(await passing).toBe('through')
        const failing = transact(world.ctx, null, async () => {
          attempts.failing += 1
          throw Object.assign(new Error('deadlock'), { code })
        })
        expect(await refusal(failing)).toBe(code)
        expect(attempts).toEqual({ passing: 4, failing: 4 })
      },
    )

    it('answers a query beside it on PostgreSQL, and hangs it on PGlite, which has one connection', async () => {
      // On the embedded engine there is one connection, so whoever asks the database instead of their transaction hangs.
      const beside = await transact(world.ctx, null, async () => {
        const asked = sql`select 1`.execute(world.ctx.db).then(() => 'answered')
        const waited = new Promise((resolve) => setTimeout(resolve, 500, 'hangs'))
        return await Promise.race([asked, waited])
      })
      expect(beside).toBe(engine === 'pglite' ? 'hangs' : 'answered')
    })

    it('is not held up by use cases that ask beside it: a vote, a command and a submission come back', async () => {
      const [voter] = (await insertVoters(world.ctx, [{}])) as [Voter]
      await giveRole(world.ctx, voter.id, 'OrgWideWorkflowTemplateInstantiator')
      const id = await insertGroupOf(world.ctx, [voter.id])
      const policyId = await insertPolicy(world.ctx, seats(id, 1))
      // Policies read for the first time are read in the vote's own transaction.
      const [first, second] = (await insertRequests(world.ctx, policyId, voter, 2)) as [string, string]
      const client = await world.signedIn(voter.id)
      const inTime = async (work: Promise<{ status: number }>) =>
        await Promise.race([
          work.then(({ status }) => status),
          new Promise((resolve) => setTimeout(resolve, 10_000, 'hangs')),
        ])
      expect(await inTime(send(client, first, 'approve', [id]))).toBe(200)
      expect(await inTime(client.post(`/v1/workflows/${second}/cancel`))).toBe(200)
      const key = { 'Idempotency-Key': newId() }
      expect(await inTime(client.post('/workflows', { name: `w-${newId()}`, workflowTemplateId: policyId }, key))).toBe(
        201,
      )
    })
  })

  describe('a call with an Idempotency-Key', () => {
    const once = (key = newId(), fingerprint = 'asked', caller = 'ada'): Once => ({ caller, key, fingerprint })
    const insert = (row: NewRow<'groups'>) => async (tx: Tx) => {
      await tx.insertInto('groups').values(row).execute()
      return { id: row.id, at: now(), bytes: new Uint8Array([1, 2]), none: undefined, list: [null, 2n] }
    }

    it('takes effect once and gives the same answer, with its types', async () => {
      const [row, key] = [group(), once()]
      const first = await transact(world.ctx, key, insert(row))
      const again = await transact(world.ctx, key, async () => {
        throw new Error('ran twice')
      })
      expect(again).toEqual(first)
      const [racing, raced] = [group(), once()]
      const answers = await Promise.all([1, 2, 3].map(() => transact(world.ctx, raced, insert(racing))))
      expect(answers[1]).toEqual(answers[0])
      expect(answers[2]).toEqual(answers[0])
    })

    it('is refused when the key stood for another call, and free for another caller', async () => {
      const key = once()
      await transact(world.ctx, key, async () => 1)
      expect(await refusal(transact(world.ctx, { ...key, fingerprint: 'other' }, async () => 2))).toBe(
        'IDEMPOTENCY_KEY_REUSED',
      )
      expect(await transact(world.ctx, { ...key, caller: 'ben' }, async () => 3)).toBe(3)
    })

    it('keeps nothing when it is refused', async () => {
      const key = once()
      const row = group()
      const refused = transact(world.ctx, key, async (tx) => {
        await insert(row)(tx)
        throw new Error('not now')
      })
      await expect(refused).rejects.toThrow('not now')
      expect(await world.ctx.db.selectFrom('groups').select('id').where('id', '=', row.id).execute()).toEqual([])
      expect(await transact(world.ctx, key, async () => 'now')).toBe('now')
    })

    it('keeps its answer sealed', async () => {
      const key = once()
      await transact(world.ctx, key, async () => ({ token: 'very secret' }))
      const { answer } = await world.ctx.db
        .selectFrom('idempotency_keys')
        .select('answer')
        .where('key', '=', key.key)
        .executeTakeFirstOrThrow()
      expect(Buffer.from(answer as Uint8Array).includes('very secret')).toBe(false)
    })
  })

  describe('constraints', () => {
    it.each(Object.keys(constraintCodes))('%s is a unique index of the schema', async (name) => {
      const { rows } = await sql<{ unique: boolean }>`select i.indisunique as "unique" from pg_index i
        join pg_class c on c.oid = i.indexrelid where c.relname = ${name}`.execute(world.ctx.db)
      expect(rows).toEqual([{ unique: true }])
    })

    it('say what running into them means', async () => {
      const taken = group('taken')
      const [voter] = (await insertVoters(world.ctx, [{}])) as [Voter]
      await world.ctx.db.insertInto('groups').values(taken).execute()
      const membership = { org_id: orgId, group_id: taken.id, principal_id: voter.id, added_at: now() }
      await world.ctx.db.insertInto('memberships').values(membership).execute()
      const spaceId = await insertSpace(world.ctx, 'taken')
      const cases: readonly (readonly [string, (tx: Tx) => Promise<unknown>])[] = [
        ['GROUP_ALREADY_EXISTS', (tx) => tx.insertInto('groups').values(group('taken')).execute()],
        ['MEMBERSHIP_ENTITY_ALREADY_IN_GROUP', (tx) => tx.insertInto('memberships').values(membership).execute()],
        ['SPACE_ALREADY_EXISTS', (tx) => insertSpace({ ...world.ctx, db: tx }, 'taken')],
        // Not a rule of the product: the fault stays a fault.
        [
          '23505',
          (tx) =>
            tx
              .insertInto('groups')
              .values({ ...group(), id: taken.id })
              .execute(),
        ],
        [
          '23503',
          (tx) =>
            tx
              .insertInto('memberships')
              .values({ ...membership, group_id: newId() })
              .execute(),
        ],
        [
          '23514',
          (tx) =>
            sql`insert into quotas values (${orgId}, ${newId()}, 't', 's', ${spaceId}, -1, 1, now(), now())`.execute(
              tx,
            ),
        ],
      ]
      for (const [code, work] of cases) {
        expect(await refusal(transact(world.ctx, null, work))).toBe(code)
      }
    })
  })

  describe('the audit log', () => {
    it('is read by every filter, alone and together, newest first, page by page', async () => {
      const [human, agent] = [newId(), newId()]
      const [space, user] = [newId(), newId()]
      const made = [
        { kind: 'space.created', subjectId: space, actor: { kind: 'human', id: human }, facts: {} },
        { kind: 'roles.assigned', subjectId: user, actor: { kind: 'human', id: human }, facts: { holder: 'human' } },
        { kind: 'roles.assigned', subjectId: user, actor: { kind: 'agent', id: agent }, facts: { holder: 'agent' } },
        { kind: 'user.created', subjectId: user, actor: { kind: 'human', id: human }, facts: {} },
        { kind: 'space.deleted', subjectId: space, actor: { kind: 'system' }, facts: {} },
      ] as const
      await transact(world.ctx, null, async (tx) => {
        for (const leaf of made) await appendLeaf(world.ctx, tx, { ...leaf, orgId, at: now() })
      })
      const subjects = [space, user]
      const list = async (filter: Partial<LogFilter>, limit = 50, place: LogPlace | null = null) => {
        const none = { types: null, targets: null, actors: null }
        const rows = await listLog(world.ctx.db, orgId, { ...none, ...filter }, { since: now(), place, limit })
        return rows.filter((row) => subjects.includes(row.subject_id))
      }
      const shown = async (filter: Partial<LogFilter>) =>
        (await list(filter)).map(({ kind, content }) => `${kind} ${JSON.parse(content).actor.kind}`)
      const [created, byHuman, byAgent] = ['space.created human', 'roles.assigned human', 'roles.assigned agent']
      const ofHumans = { kind: 'roles.assigned', holder: 'human' } as const
      const ofSpaces = { kind: 'space.created', holder: '' } as const
      const [ada, bot] = [{ kind: 'human', id: human } as const, { kind: 'agent', id: agent } as const]

      expect(await shown({})).toEqual([byAgent, byHuman, created])
      expect(await shown({ types: [ofHumans, ofHumans] })).toEqual([byHuman])
      expect(await shown({ types: [ofHumans, ofSpaces] })).toEqual([byHuman, created])
      expect(await shown({ actors: [ada] })).toEqual([byHuman, created])
      expect(await shown({ actors: [bot, ada] })).toEqual([byAgent, byHuman, created])
      expect(await shown({ actors: [{ kind: 'agent', id: human }] })).toEqual([])
      expect(await shown({ actors: [ada], types: [ofSpaces] })).toEqual([created])
      expect(await shown({ targets: [{ ...ofHumans, id: user }] })).toEqual([byHuman])
      expect(await shown({ targets: [{ ...ofHumans, id: user }], actors: [bot] })).toEqual([])
      expect(await shown({ targets: [{ ...ofHumans, id: user }], types: [ofSpaces] })).toEqual([])
      expect(await shown({ types: [] })).toEqual([])

      const [first, second] = await list({}, 2)
      const place = { at: first?.created_at as Date, id: first?.id ?? '' }
      expect(await list({}, 1, place)).toEqual([second])
      expect(first?.created_at).toEqual(now())
    })
  })

  describe('audit leaves', () => {
    const leaf = async () => {
      const subjectId = newId()
      await transact(world.ctx, null, (tx) =>
        appendLeaf(world.ctx, tx, {
          orgId,
          kind: 'group.created',
          subjectId,
          actor: { kind: 'system' },
          at: now(),
          facts: {},
          privateText: { name: 'a name' },
        }),
      )
      return subjectId
    }
    const read = (subjectId: string) =>
      world.ctx.db.selectFrom('audit_leaves').selectAll().where('subject_id', '=', subjectId).executeTakeFirstOrThrow()

    it.each([
      ['deleted', sql`delete from audit_leaves where subject_id = `],
      ['given another content', sql`update audit_leaves set content = '{}' where subject_id = `],
      ['moved to another organization', sql`update audit_leaves set org_id = subject_id where subject_id = `],
      ['marked', sql`update audit_leaves set mark = null where subject_id = `],
      ['dated again', sql`update audit_leaves set created_at = now() where subject_id = `],
      ['given another private text', sql`update audit_leaves set private = '{"name":"other"}' where subject_id = `],
      ['given to another transaction', sql`update audit_leaves set tx_id = '1' where subject_id = `],
    ])('are never %s', async (_, change) => {
      const subjectId = await leaf()
      const before = await read(subjectId)
      expect(await refusal(sql`${change}${subjectId}`.execute(world.ctx.db))).toBe('23000')
      expect(await read(subjectId)).toEqual(before)
    })

    it('are never emptied all at once', async () => {
      const subjectId = await leaf()
      expect(await refusal(sql`truncate audit_leaves`.execute(world.ctx.db))).toBe('23000')
      expect(await read(subjectId)).toMatchObject({ kind: 'group.created' })
    })

    it('lose their private text when they must, and nothing else', async () => {
      const subjectId = await leaf()
      const before = await read(subjectId)
      expect(JSON.stringify(before.private)).toContain('a name')
      expect(before.content).not.toContain('a name')
      await world.ctx.db
        .updateTable('audit_leaves')
        .set({ private: null })
        .where('subject_id', '=', subjectId)
        .execute()
      expect(await read(subjectId)).toEqual({ ...before, private: null })
    })

    it('are a condition: without the leaf there is no vote, no command and no request', async () => {
      const [voter] = (await insertVoters(world.ctx, [{}])) as [Voter]
      await giveRole(world.ctx, voter.id, 'OrgWideWorkflowTemplateInstantiator')
      const id = await insertGroupOf(world.ctx, [voter.id])
      const policyId = await insertPolicy(world.ctx, seats(id, 1))
      const [requestId] = (await insertRequests(world.ctx, policyId, voter, 1)) as [string]
      const client = await world.signedIn(voter.id)
      const state = async () => ({
        request: await world.ctx.db.selectFrom('requests').selectAll().where('policy_id', '=', policyId).execute(),
        votes: await world.ctx.db.selectFrom('votes').selectAll().where('request_id', '=', requestId).execute(),
        counts: await world.ctx.db.selectFrom('request_counts').selectAll().where('policy_id', '=', policyId).execute(),
      })
      const before = await state()
      await sql`alter table audit_leaves add constraint broken check (kind = 'broken') not valid`.execute(world.ctx.db)
      try {
        const vote = { voteType: { type: 'APPROVE', votedForGroups: [id] } }
        const key = { 'Idempotency-Key': newId() }
        expect((await client.post(`/workflows/${requestId}/vote`, vote)).status).toBe(500)
        expect((await client.post(`/workflows/${requestId}/vote`, vote, key)).status).toBe(500)
        expect((await client.post(`/v1/workflows/${requestId}/cancel`)).status).toBe(500)
        expect((await client.post('/workflows', { name: `w-${newId()}`, workflowTemplateId: policyId })).status).toBe(
          500,
        )
        expect(await state()).toEqual(before)
      } finally {
        await sql`alter table audit_leaves drop constraint broken`.execute(world.ctx.db)
      }
      expect(await send(client, requestId, 'approve', [id])).toMatchObject({ status: 200, said: 'APPROVED' })
    })
  })

  it('folds the counts beside writers without losing one', async () => {
    const [voter] = (await insertVoters(world.ctx, [{}])) as [Voter]
    const id = await insertGroupOf(world.ctx, [voter.id])
    const policyId = await insertPolicy(world.ctx, seats(id, 1))
    const requests = await insertRequests(world.ctx, policyId, voter, 60)
    const client = await world.signedIn(voter.id)
    await Promise.all([
      ...requests.slice(0, 40).map((request) => send(client, request, 'approve', [id])),
      ...requests.slice(40).map((request) => client.post(`/v1/workflows/${request}/cancel`)),
      ...Array.from({ length: 12 }, () => insertRequests(world.ctx, policyId, voter, 1)),
      ...Array.from({ length: 12 }, () => foldRequestCounts(world.ctx.db)),
    ])
    expect(await countFaults(world.ctx)).toEqual([])
    await foldRequestCounts(world.ctx.db)
    expect(await countFaults(world.ctx)).toEqual([])
    const counts = await world.ctx.db
      .selectFrom('request_counts')
      .select(['is_final', 'difference'])
      .where('policy_id', '=', policyId)
      .orderBy('is_final')
      .execute()
    expect(counts).toEqual([
      { is_final: false, difference: '12' },
      { is_final: true, difference: '60' },
    ])
  })

  it('folds the letters of ASCII in an e-mail address and no others, whatever the locale', async () => {
    const { ctx } = world
    const register = (email: string) => {
      const person = { orgId, email, displayName: 'Mark', isAdmin: false }
      return transact(ctx, null, (tx) => registerPerson(ctx, tx, { kind: 'system' }, person))
    }
    const mark = await register('mark@example.com')
    // The Kelvin sign, of which Unicode's lower case is k.
    const impostor = await register('mar\u212A@example.com')
    expect((await findHumanByEmail(ctx.db, orgId, 'MARK@Example.com'))?.id).toBe(mark)
    expect((await findHumanByEmail(ctx.db, orgId, 'mar\u212A@example.com'))?.id).toBe(impostor)
    expect(impostor).not.toBe(mark)
  })

  it('is brought up to date once, however often it is opened', async () => {
    const before = await sql`select * from kysely_migration`.execute(world.ctx.db)
    expect(before.rows).toHaveLength(Object.keys(migrations).length)
    expect(await ensureDefaultOrganization(world.ctx)).toBe(false)
    if (databaseUrl === undefined) return
    const again = await openStore({ engine: 'postgres', url: databaseUrl })
    expect((await sql`select * from kysely_migration`.execute(again.db)).rows).toEqual(before.rows)
    await again.close()
  })
})

/** What one connection cannot show. */
describe('the store on postgres, between connections', () => {
  let world: World
  let voters: readonly Voter[]
  let group: string
  let requests: readonly string[]

  beforeAll(async () => {
    world = await startWorld({ engine: 'postgres' })
    voters = await insertVoters(world.ctx, [{}, {}])
    group = await insertGroupOf(
      world.ctx,
      voters.map(({ id }) => id),
    )
    requests = await insertRequests(world.ctx, await insertPolicy(world.ctx, seats(group, 2)), voters[0] as Voter, 6)
  })
  afterAll(() => world.close())

  /** Begins a transaction, does `work` in it and holds it until the returned function is called. */
  async function hold(work: (tx: Tx) => Promise<unknown>): Promise<() => Promise<void>> {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: worked, resolve: hasWorked, reject } = Promise.withResolvers<void>()
    const done = world.ctx.db.transaction().execute(async (tx) => {
      await work(tx)
      hasWorked()
      await released
    })
    done.catch(reject)
    await worked
    return async () => {
      release()
      await done
    }
  }

  const untilSomeoneWaits = (count?: number) => untilWaiting(world.ctx.db, count)

  function load(tx: Tx, requestId: string, voter: Voter) {
    return Promise.all([
      lockRequestForVote(tx, orgId, { id: requestId }),
      findVotingFacts(tx, orgId, { id: requestId }, voter.id, new Date()),
    ])
  }

  it('a vote that waited for the row reads what the other one committed', async () => {
    const requestId = requests[0] as string
    const release = await hold(async (tx) => {
      const row = await findRequestForUpdate(tx, orgId, requestId)
      if (row === undefined) throw new Error('no row')
      const change = { status: 'canceled', isFinal: true, stage: 0, tally: row.tally, updatedAt: new Date() } as const
      await updateRequest(tx, row, change)
    })
    const loaded = world.ctx.db.transaction().execute((tx) => load(tx, requestId, voters[0] as Voter))
    await untilSomeoneWaits()
    await release()
    expect((await loaded)[1]).toMatchObject({ status: 'canceled', is_final: true })
  })

  it('a vote that waited for a removal reads that it happened', async () => {
    const [voter] = voters as [Voter, Voter]
    const release = await hold(async (tx) => {
      await lockFacts(tx, orgId)
      await tx.deleteFrom('memberships').where('principal_id', '=', voter.id).execute()
    })
    const loaded = world.ctx.db.transaction().execute((tx) => load(tx, requests[1] as string, voter))
    await untilSomeoneWaits()
    await release()
    expect((await loaded)[1]).toMatchObject({ voter_groups: [] })
  })

  it('a removal waits for the vote in hand, and a vote that waits for it holds no row meanwhile', async () => {
    const [, voter] = voters as [Voter, Voter]
    const release = await hold((tx) => load(tx, requests[2] as string, voter))
    const removal = world.ctx.db.transaction().execute(async (tx) => {
      await lockFacts(tx, orgId)
      await tx.deleteFrom('memberships').where('principal_id', '=', voter.id).execute()
    })
    await untilSomeoneWaits()
    const late = world.ctx.db.transaction().execute((tx) => load(tx, requests[3] as string, voter))
    await untilSomeoneWaits(2)
    const free = sql`select 1 from requests where id = ${requests[3]} for update nowait`
    expect((await free.execute(world.ctx.db)).rows).toHaveLength(1)
    await release()
    await removal
    expect((await late)[1]).toMatchObject({ voter_groups: [] })
  })

  it('votes on different requests do not wait for each other', async () => {
    const release = await hold((tx) => load(tx, requests[4] as string, voters[0] as Voter))
    const other = await hold((tx) => load(tx, requests[5] as string, voters[1] as Voter))
    await other()
    await release()
  })

  it('two servers that start on an empty database at once both find it ready', async () => {
    for (let round = 0; round < 3; round++) {
      const url = await emptyDatabase()
      const stores: Store[] = await Promise.all([1, 2, 3, 4].map(() => openStore({ engine: 'postgres', url })))
      const { rows } = await sql`select * from kysely_migration`.execute((stores[0] as Store).db)
      expect(rows).toHaveLength(Object.keys(migrations).length)
      await Promise.all(stores.map((store) => store.close()))
    }
  })

  it('reads the same instants from a server with another time zone', async () => {
    const url = new URL(await freshDatabase())
    url.searchParams.set('options', '-c timezone=America/St_Johns')
    await using other = await startWorld({ databaseUrl: url.href })
    const { rows } = await sql<{ TimeZone: string }>`show timezone`.execute(other.ctx.db)
    expect(rows[0]?.TimeZone).toBe('America/St_Johns')
    const [voter] = (await insertVoters(other.ctx, [{}])) as [Voter]
    const id = await insertGroupOf(other.ctx, [voter.id])
    const deadline = new Date(other.clock.now().getTime() + 1_000)
    const [requestId] = (await insertRequests(
      other.ctx,
      await insertPolicy(other.ctx, seats(id, 1)),
      voter,
      1,
      deadline,
    )) as [string]
    const client: Client = await other.signedIn(voter.id)
    expect((await client.get(`/workflows/${requestId}`)).body.expiresAt).toBe(deadline.toISOString())
    other.clock.advance(999)
    expect((await client.get(`/workflows/${requestId}/canVote`)).body.canVote).toBe(true)
    other.clock.advance(1)
    expect((await client.get(`/workflows/${requestId}/canVote`)).body.cantVoteReason).toBe('WORKFLOW_EXPIRED')
  })

  it('commits to disk before it answers', async () => {
    const settings =
      await sql<object>`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('full_page_writes') as pages, current_setting('transaction_isolation') as isolation`.execute(
        world.ctx.db,
      )
    expect(settings.rows).toEqual([{ fsync: 'on', commit: 'on', pages: 'on', isolation: 'read committed' }])
  })
})
