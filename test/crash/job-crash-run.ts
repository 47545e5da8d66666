import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { prepareStore } from '../../src/demo/seed.ts'
import { insertGroupOf, insertVoters, voteBody, type Voter } from '../helpers/crowd.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { giveRole, insertPolicy, seats } from '../helpers/quorum.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import type { CrashOptions } from './crash-run.ts'
import { auditJobs, type Asked, type Audit, type Fault } from './job-faults.ts'
import { startReceivers, type Channel, type Receivers } from './receivers.ts'
import { refuseDecisions, rollbacks } from './rollbacks.ts'
import { killWhileStarting, withStore, type StoreEnv } from './store.ts'
import { bearer, cast, openRequest, signIn, type Attempt } from './wire.ts'

export interface JobCrashReport {
  /** Half of them between an effect and the note that it is done, half between a commit and its jobs. */
  readonly kills: number
  /** Kills while deciding votes were under way or the server was starting, beside the others. */
  readonly killsBeside: number
  /** Requests that are approved in the end. */
  readonly decisions: number
  /** Different keys that reached a receiver. */
  readonly effects: number
  /** How often a key came again. */
  readonly repeated: number
  readonly rolledBack: number
  readonly faults: readonly Fault[]
}

/** When a round kills the server. */
type Moment = 'before the answer' | 'after the answer' | 'after the decision' | 'while deciding'

const moments: readonly Moment[] = ['before the answer', 'after the decision', 'after the answer', 'after the decision']
const decisionsPerRound = 3

/**
 * Requests are decided over real HTTP, each with two effects, while the server that sends them is killed with SIGKILL again
 * and again on one growing store. At the end everything that was decided must have had its effects, once in effect, and
 * nothing else any.
 */
export async function runJobCrashes({ store, kills, seed, onRound }: CrashOptions): Promise<JobCrashReport> {
  const chance = dice(seed)
  await using receivers = await startReceivers()
  const env = { ...store, ...receivers.env }
  const company = await prepare(store, receivers)
  const asked: Asked[] = []
  const unrepeated = new Set<string>()
  let killsBeside = 0

  let server = await startServer(env)
  let audit: Audit
  try {
    const tokens = await Promise.all(
      company.voters.map(({ personId }) => signIn(server.url, `${personId}@example.com`)),
    )
    const play = async (moment: Moment, round: number) => {
      const channel = Math.floor(round / moments.length) % 4 === 3 ? 'mail' : 'webhook'
      const questions = await openAll({ server, tokens, company, channel, round, asked })
      const sprung = await killAt(moment, { server, receivers, channel, questions, chance })
      // Whose answer never left must be called again.
      if (moment === 'before the answer' && sprung !== null) unrepeated.add(sprung)
      if (chance.roll(16) === 0) {
        killsBeside += 1
        await killWhileStarting(env, chance.roll(1_500))
      }
      server = await startServer(env)
      // Half of those who got no answer ask again; the others leave it open whether their vote arrived.
      for (const { request, attempt } of questions) {
        if (request.answer === null && chance.roll(2) === 0) request.answer = await cast(server.url, attempt)
      }
    }
    for (let round = 0; round < kills; round++) {
      await play(moments[round % moments.length] as Moment, round)
      if (round % 16 === 15) {
        killsBeside += 1
        await play('while deciding', round)
      }
      onRound?.(round + 1, receivers.effects.length)
    }
    audit = await settle(env, server, tokens[0] as string, asked, receivers)
  } finally {
    await server.kill()
  }

  const keys = Map.groupBy(receivers.effects, ({ key }) => key)
  const unanswered = [...unrepeated].filter((key) => keys.get(key)?.length === 1)
  return {
    kills,
    killsBeside,
    decisions: audit.decisions,
    effects: keys.size,
    repeated: receivers.effects.length - keys.size,
    rolledBack: asked.filter(({ rollback, answer }) => rollback !== null && answer?.status === 500).length,
    faults: [
      ...audit.faults,
      ...unanswered.map((key): Fault => ({
        kind: 'lost',
        text: `${key}: nobody knows that it arrived, and it came once`,
      })),
    ],
  }
}

interface Company {
  readonly voters: readonly Voter[]
  readonly group: string
  readonly policies: Readonly<Record<Channel, string>>
}

/** People of whom each can decide alone, and policies whose approvals have two effects. Written before the server starts. */
async function prepare(store: StoreEnv, { webhookUrl: url }: Receivers): Promise<Company> {
  return await withStore(store, async (ctx) => {
    await prepareStore(ctx)
    await refuseDecisions(ctx)
    const voters = await insertVoters(
      ctx,
      Array.from({ length: decisionsPerRound + 1 }, () => ({})),
    )
    const ids = voters.map(({ id }) => id)
    await giveRole(ctx, ids[0] as string, 'OrgWideWorkflowTemplateInstantiator')
    const group = await insertGroupOf(ctx, ids)
    const hook = { type: 'WEBHOOK', method: 'POST', url } as const
    const letter = { type: 'EMAIL', recipients: ['ops@example.com', 'cfo@example.com'] } as const
    const policies = {
      webhook: await insertPolicy(ctx, seats(group, 1), {}, { actions: [hook, hook] }),
      mail: await insertPolicy(ctx, seats(group, 1), {}, { actions: [hook, letter] }),
    }
    return { voters, group, policies }
  })
}

interface Question {
  readonly request: Asked
  readonly attempt: Attempt
}

interface Round {
  readonly server: ServerProcess
  readonly tokens: readonly string[]
  readonly company: Company
  readonly channel: Channel
  readonly round: number
  readonly asked: Asked[]
}

/** Opens requests, the last of them one whose decision will be rolled back. */
async function openAll({ server, tokens, company, channel, round, asked }: Round): Promise<Question[]> {
  const questions = await Promise.all(
    tokens.map(async (token, index): Promise<Question> => {
      const rollback = index < decisionsPerRound ? null : (rollbacks[round % rollbacks.length] ?? null)
      const name = `${rollback ?? 'request'}-${randomUUID()}`
      const id = await openRequest(server.url, tokens[0] as string, company.policies[channel], name)
      const tag = randomUUID()
      const body = voteBody('approve', [company.group], tag)
      const attempt = { token, requestId: id, tag, key: randomUUID(), body, answer: null }
      return { request: { id, actions: 2, rollback, answer: null }, attempt }
    }),
  )
  asked.push(...questions.map(({ request }) => request))
  return questions
}

interface Kill {
  readonly server: ServerProcess
  readonly receivers: Receivers
  readonly channel: Channel
  readonly questions: readonly Question[]
  readonly chance: Dice
}

/** Votes on all at once and kills the server. @returns the key of the effect that had it killed, if one had */
async function killAt(moment: Moment, { server, receivers, channel, questions, chance }: Kill): Promise<string | null> {
  const requests = new Set(questions.map(({ request }) => request.id))
  const trap = { channel, requests, delay: chance.roll(6), kill: () => server.kill() }
  const vote = async ({ request, attempt }: Question) => {
    request.answer = await cast(server.url, attempt)
    if (request.rollback !== null) throw new Error('it was to be rolled back')
  }
  const cause =
    moment === 'before the answer'
      ? receivers.spring({ ...trap, when: 'before' })
      : moment === 'after the answer'
        ? receivers.spring({ ...trap, when: 'after' })
        : null
  const votes = questions.map(vote)
  const voted = Promise.allSettled(votes)
  if (moment === 'after the decision') {
    await Promise.any(votes)
    await sleep(chance.roll(30))
  }
  if (moment === 'while deciding') await sleep(chance.roll(30))
  const sprung = await cause
  await server.kill()
  await voted
  return sprung?.key ?? null
}

/** Longer than a lease and the longest wait after it, on a machine that has other things to do. */
const settleMilliseconds = 150_000

/**
 * Lets the server finish, ends it, and looks. Where something is still to do it is started again: what has arrived may have
 * to arrive once more, when the lease of the one that was killed has ended.
 */
async function settle(
  env: StoreEnv,
  first: ServerProcess,
  token: string,
  asked: readonly Asked[],
  receivers: Receivers,
): Promise<Audit> {
  let server = first
  const faults: Fault[] = []
  for (const until = performance.now() + settleMilliseconds; ; await sleep(10_000)) {
    await untilSent(server, token, asked, receivers, until)
    const code = await server.stop()
    const audit = await withStore(env, (ctx) => auditJobs(ctx, asked, receivers.effects))
    if (code !== 0) faults.push({ kind: 'other', text: `SIGTERM ended the server with ${code}` })
    const isLate = performance.now() > until
    if (audit.isPending && isLate) faults.push({ kind: 'lost', text: 'something is never done' })
    if (!audit.isPending || isLate) return { ...audit, faults: [...audit.faults, ...faults] }
    server = await startServer(env)
  }
}

/** Waits until whatever was approved has arrived, or until that moment. */
async function untilSent(
  { url }: ServerProcess,
  token: string,
  asked: readonly Asked[],
  { effects }: Receivers,
  until: number,
): Promise<void> {
  const approved = new Map<string, number>()
  for (const { id, actions, answer } of asked) {
    if (answer?.status === 200 || (answer === null && (await statusOf(url, token, id)) === 'APPROVED')) {
      approved.set(id, actions)
    }
  }
  for (; performance.now() < until; await sleep(200)) {
    const reached = Map.groupBy(new Map(effects.map(({ key, requestId }) => [key, requestId])), ([, id]) => id)
    if ([...approved].every(([id, actions]) => (reached.get(id)?.length ?? 0) >= actions)) break
  }
  // The last ones have arrived; that is not noted yet.
  await sleep(500)
}

async function statusOf(url: string, token: string, id: string): Promise<string> {
  const answer = await fetch(`${url}/workflows/${id}`, { headers: bearer(token) })
  return ((await answer.json()) as { status: string }).status
}
