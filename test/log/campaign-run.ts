import { spawnSync } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Ctx } from '../../src/context.ts'
import { prepareStore } from '../../src/demo/seed.ts'
import { signAccessToken } from '../../src/identity/access-token.ts'
import { parseCheckpoint } from '../../src/proof/checkpoint.ts'
import { findLogSize } from '../../src/store/log-reads.ts'
import { fillLeaves } from '../helpers/log.ts'
import { insertGroupOf, inBatches, insertRequests, insertVoters, voteBody, type Voter } from '../helpers/crowd.ts'
import { withStore, type StoreEnv } from '../crash/store.ts'
import { bearer } from '../crash/wire.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { giveRole, insertPolicy, orgId, seats } from '../helpers/quorum.ts'
import { startServer } from '../helpers/server-process.ts'

export interface LogCampaign {
  readonly store: StoreEnv
  readonly leaves: number
  readonly inclusion: number
  readonly consistency: number
  readonly seconds: number
  readonly clients: number
  readonly seed: number
  readonly python: string
  /** For what the checker reads. */
  readonly directory: string
  readonly say: (line: string) => void
}

/** True when everything was accepted. */
export async function runLogCampaign(campaign: LogCampaign): Promise<boolean> {
  const { store, say, seed, directory, python } = campaign
  return await withStore(store, async (ctx) => {
    await prepareStore(ctx)
    say(`seed ${seed}`)
    await insertMany(ctx, campaign)
    const server = await startServer(store)
    try {
      await timed(say, 'sealed', () => untilSealed(ctx))
      const voters = await insertVoters(ctx, Array(campaign.clients).fill({}))
      const tokens = await Promise.all(voters.map((voter) => tokenOf(ctx, voter)))
      if (campaign.seconds > 0) await measureVotes(ctx, campaign, server.url, voters, tokens)
      await giveRole(ctx, voters[0]?.id ?? '', 'AuditorViewer')
      await untilSealed(ctx)
      const ask = asker(server.url, tokens[0] ?? '')
      const note = await (await ask('checkpoint')).text()
      const checkpoint = parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1))
      const files = { leaves: join(directory, 'leaves.ndjson'), proofs: join(directory, 'proofs.ndjson') }
      await timed(say, 'exported', () => exportLeaves(ask, checkpoint.size, files.leaves))
      await timed(say, 'proven', () => takeProofs(ask, campaign, checkpoint.size, files.proofs))
      const checker = fileURLToPath(new URL('check_proofs.py', import.meta.url))
      const root = Buffer.from(checkpoint.root).toString('base64')
      const { status } = spawnSync(python, [checker, files.leaves, files.proofs, root], { stdio: 'inherit' })
      return status === 0
    } finally {
      await server.stop()
    }
  })
}

async function timed<T>(say: (line: string) => void, what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  say(`${what} ${typeof result === 'number' ? `${result} ` : ''}in ${Math.round(performance.now() - started)} ms`)
  return result
}

const chunk = 50_000

async function insertMany(ctx: Ctx, { leaves }: LogCampaign): Promise<void> {
  const present = await ctx.db.selectFrom('audit_leaves').select('id').execute()
  for (let from = present.length; from < leaves; from += chunk) {
    const to = Math.min(leaves, from + chunk)
    const content = `json_build_object('n', n, 'digest', md5(n::text))::text`
    await fillLeaves(ctx, { content, from: from + 1, to, kind: 'vote.cast', subject: 'gen_random_uuid()' })
  }
}

/** @returns how many leaves are sealed once all that there are are */
async function untilSealed({ db }: Ctx): Promise<number> {
  for (;;) {
    const { count } = await db
      .selectFrom('audit_leaves')
      .select(({ fn }) => fn.countAll<string>().as('count'))
      .where('org_id', '=', orgId)
      .executeTakeFirstOrThrow()
    const size = await findLogSize(db, orgId)
    if (size >= Number(count)) return size
    await sleep(200)
  }
}

async function tokenOf({ keys, clock }: Ctx, { id, kind }: Voter): Promise<string> {
  return await signAccessToken(keys.token, clock, {
    orgId,
    principalId: id,
    kind,
    name: id,
    email: null,
    isAdmin: false,
  })
}

type Ask = (path: string) => Promise<Response>

function asker(url: string, token: string): Ask {
  return async (path) => {
    const answer = await fetch(`${url}/v1/log/${path}`, { headers: bearer(token) })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
}

async function exportLeaves(ask: Ask, size: number, file: string): Promise<number> {
  writeFileSync(file, '')
  const limit = 10_000
  for (let from = 0; from < size; from += limit) {
    const count = Math.min(limit, size - from)
    appendFileSync(file, await (await ask(`export?from=${from}&limit=${count}`)).text())
  }
  return size
}

async function takeProofs(ask: Ask, campaign: LogCampaign, size: number, file: string): Promise<number> {
  const chance = dice(campaign.seed)
  const wanted = [
    ...Array.from({ length: campaign.inclusion }, (_, at) => inclusionOf(chance, at % 2 === 0 ? size : 0, size)),
    ...Array.from({ length: campaign.consistency }, () => consistencyOf(chance, size)),
  ]
  const lines: string[] = []
  await inBatches(wanted, 8, async ({ kind, ...query }) => {
    const parameters = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    )
    const { path } = (await (await ask(`proof/${kind}?${parameters.toString()}`)).json()) as { path: string[] }
    lines.push(JSON.stringify({ kind, ...query, path }))
  })
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
  return wanted.length
}

function inclusionOf(chance: Dice, within: number, size: number) {
  const tree = within === 0 ? 1 + chance.roll(size) : within
  return { kind: 'inclusion', index: chance.roll(tree), size: tree } as const
}

function consistencyOf(chance: Dice, size: number) {
  const to = 1 + chance.roll(size)
  return { kind: 'consistency', from: chance.roll(to + 1), to } as const
}

/** Votes over HTTP, and how long after its answer each was covered by a checkpoint that anyone could read. */
async function measureVotes(
  ctx: Ctx,
  { seconds, say }: LogCampaign,
  url: string,
  voters: readonly Voter[],
  tokens: readonly string[],
): Promise<void> {
  const group = await insertGroupOf(
    ctx,
    voters.map(({ id }) => id),
  )
  const policyId = await insertPolicy(ctx, seats(group, voters.length + 1))
  const requests = await insertRequests(ctx, policyId, voters[0] as Voter, voters.length)
  const answered = new Map<string, number[]>()
  const seen: (readonly [size: number, at: number])[] = []
  const until = performance.now() + seconds * 1_000
  let isVoting = true
  const watching = (async () => {
    while (isVoting) {
      seen.push([await signedSize(ctx), performance.now()])
      await sleep(10)
    }
  })()
  await Promise.all(
    tokens.map(async (token, place) => {
      const requestId = requests[place] as string
      const times: number[] = []
      answered.set(requestId, times)
      while (performance.now() < until) await castVote(url, token, requestId, group, times)
    }),
  )
  await untilSealed(ctx)
  await sleep(100)
  isVoting = false
  await watching
  const waits: number[] = []
  for (const [requestId, times] of answered) {
    const indexes = await votesOf(ctx, requestId)
    if (indexes.length !== times.length) throw new Error(`${times.length} votes, ${indexes.length} leaves`)
    for (const [place, index] of indexes.entries()) {
      const [, at = Number.NaN] = seen.find(([size]) => size > index) ?? []
      waits.push(Math.max(0, at - (times[place] as number)))
    }
  }
  const sorted = waits.toSorted((a, b) => a - b)
  const quantile = (share: number) => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN)
  say(
    `${waits.length} votes in ${seconds} s by ${voters.length} clients; from a vote's answer to a checkpoint that covers it: ` +
      `p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, longest ${quantile(1)} ms`,
  )
}

async function castVote(url: string, token: string, requestId: string, group: string, times: number[]): Promise<void> {
  const stance = times.length % 2 === 0 ? 'approve' : 'withdraw'
  const answer = await fetch(`${url}/workflows/${requestId}/vote`, {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': 'application/json' },
    body: JSON.stringify(voteBody(stance, [group], '')),
  })
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`)
  await answer.arrayBuffer()
  times.push(performance.now())
}

async function signedSize({ db }: Ctx): Promise<number> {
  const row = await db
    .selectFrom('log_checkpoints')
    .select('size')
    .where('org_id', '=', orgId)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  return Number(row?.size ?? 0)
}

/** Where the votes on a request are in the log, in the order in which they were cast. */
async function votesOf({ db }: Ctx, requestId: string): Promise<number[]> {
  const rows = await db
    .selectFrom('audit_leaves')
    .innerJoin('log_entries', (join) =>
      join.onRef('log_entries.org_id', '=', 'audit_leaves.org_id').onRef('log_entries.leaf_id', '=', 'audit_leaves.id'),
    )
    .select('log_entries.index')
    .where('audit_leaves.subject_id', '=', requestId)
    .where('kind', '=', 'vote.cast')
    .orderBy('log_entries.index')
    .execute()
  return rows.map(({ index }) => Number(index))
}
