import { randomUUID } from 'node:crypto'
import { prepareStore } from '../../src/demo/seed.ts'
import { workflowStatus } from '../../src/dialects/native/wire/votes.ts'
import type { Stance } from '../../src/kernel/request.ts'
import type { Policy } from '../../src/kernel/rule.ts'
import { insertGroupOf, insertVoters, voteBody, type SentVote, type Voter } from '../helpers/crowd.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { countFaults, faultsOf, loadHistories } from '../helpers/history.ts'
import { giveRole, insertPolicy, nativeOptions, seats } from '../helpers/quorum.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import { createWorld } from '../kernel/world.ts'
import { followLog } from './follow-log.ts'
import { killWhileStarting, median, withStore, type StoreEnv } from './store.ts'
import { bearer, cast, openRequest, signIn, type Attempt } from './wire.ts'

export interface CrashOptions {
  readonly store: StoreEnv
  readonly kills: number
  readonly seed: number
  readonly onRound?: (round: number, acknowledged: number) => void
}

export interface CrashReport {
  readonly kills: number
  /** Kills while the server was still starting, beside the others. */
  readonly killsAtStart: number
  readonly acknowledged: number
  /** Calls that a kill left without an answer and that were made again with their Idempotency-Key. */
  readonly repeated: number
  /** Checkpoints of the log that were seen, each of which must be a beginning of the next. */
  readonly checkpoints: number
  readonly lost: number
  readonly doubled: number
  readonly faults: readonly string[]
  readonly restartMilliseconds: number
}

const voterCount = 16
const requestsPerRound = 4

/**
 * Sixteen people vote over real HTTP while their server is killed with SIGKILL, again and again on one growing store. After
 * each restart everything that was acknowledged must be there exactly once, and the state must be what the votes make it.
 */
export async function runCrashes({ store, kills, seed, onRound }: CrashOptions): Promise<CrashReport> {
  const chance = dice(seed)
  const electorate = await prepare(store)
  const sent: SentVote[] = []
  const unanswered = new Set<string>()
  const faults: string[] = []
  const restarts: number[] = []
  const requests: string[] = []
  let [repeated, killsAtStart] = [0, 0]
  const log = followLog()

  let server = await startServer(store)
  try {
    const tokens = await Promise.all(electorate.voters.map(({ email }) => signIn(server.url, email)))
    for (let round = 1; round <= kills; round++) {
      const open = await Promise.all(
        Array.from({ length: requestsPerRound }, () =>
          openRequest(server.url, tokens[0] as string, electorate.policyId),
        ),
      )
      requests.push(...open)
      const attempts: Attempt[] = []
      const voting = tokens.map((token) =>
        keepVoting(server.url, token, electorate.group, open, dice(chance.roll(2 ** 31)), attempts),
      )
      const looking = log.lookUntilGone(server.url, tokens[0] as string)
      await new Promise((resolve) => setTimeout(resolve, 100 + chance.roll(900)))
      await server.kill()
      await Promise.all([...voting, looking])

      if (chance.roll(8) === 0) {
        killsAtStart += 1
        await killWhileStarting(store, chance.roll(1_500))
      }
      server = await startServer(store)
      restarts.push(server.startMilliseconds)
      await log.look(server.url, tokens[0] as string)

      // Half of those who got no answer ask again; the others leave it open whether their vote arrived.
      for (const attempt of attempts.filter(({ answer }) => answer === null)) {
        if (chance.roll(2) === 0) {
          repeated += 1
          attempt.answer = await cast(server.url, attempt)
        }
        if (attempt.answer === null || attempt.answer.status >= 500) unanswered.add(attempt.tag)
      }
      const answered = attempts.map(({ answer }) => answer).filter((answer) => answer !== null)
      sent.push(...answered.filter(({ status }) => status < 500))
      faults.push(
        ...answered.filter(({ status }) => status >= 500).map(({ tag, status }) => `${tag}: answered ${status}`),
      )
      for (const id of open)
        faults.push(...(await wireFaults(server, tokens[0] as string, id, electorate, sent, unanswered)))
      onRound?.(round, acknowledged(sent))
    }
    const code = await server.stop()
    if (code !== 0) faults.push(`SIGTERM ended the server with ${code}`)
  } finally {
    await server.kill()
  }

  faults.push(...(await storedFaults(store, requests, electorate, sent, unanswered)))
  await withStore(store, (ctx) => log.compare(ctx))
  faults.push(...log.faults)
  const distinct = [...new Set(faults)]
  return {
    kills,
    killsAtStart,
    acknowledged: acknowledged(sent),
    repeated,
    checkpoints: log.seen,
    lost: distinct.filter((fault) => fault.endsWith(lost)).length,
    doubled: distinct.filter((fault) => fault.includes(doubled)).length,
    faults: distinct,
    restartMilliseconds: median(restarts),
  }
}

const lost = ': acknowledged, and lost'
const doubled = ': stored 2 times'

interface Electorate {
  readonly voters: readonly (Voter & { readonly email: string })[]
  readonly group: string
  readonly policyId: string
  readonly policy: Policy
}

/** People, their group and a policy, written before the server starts. */
async function prepare(store: StoreEnv): Promise<Electorate> {
  return await withStore(store, async (ctx) => {
    await prepareStore(ctx)
    const voters = await insertVoters(
      ctx,
      Array.from({ length: voterCount }, () => ({})),
    )
    await giveRole(ctx, (voters[0] as Voter).id, 'OrgWideWorkflowTemplateInstantiator')
    const group = await insertGroupOf(
      ctx,
      voters.map(({ id }) => id),
    )
    // High enough that some requests are decided and others are still open when the kill comes.
    const rule = seats(group, 10)
    const policyId = await insertPolicy(ctx, rule)
    const policy = { stages: [{ binding: true, rule }], options: nativeOptions }
    return {
      voters: voters.map((voter) => ({ ...voter, email: `${voter.personId}@example.com` })),
      group,
      policyId,
      policy,
    }
  })
}

/** One person voting as fast as the server answers, until it does not. */
async function keepVoting(
  url: string,
  token: string,
  group: string,
  requests: readonly string[],
  chance: Dice,
  attempts: Attempt[],
): Promise<void> {
  for (;;) {
    const thrown = chance.roll(40)
    const stance: Stance = thrown === 0 ? 'veto' : thrown < 8 ? 'withdraw' : 'approve'
    const tag = randomUUID()
    const body = voteBody(stance, [group], tag)
    const attempt: Attempt = { token, requestId: chance.pick(requests), tag, key: randomUUID(), body, answer: null }
    attempts.push(attempt)
    try {
      attempt.answer = await cast(url, attempt)
    } catch {
      return
    }
  }
}

interface WireVote {
  readonly voterId: string
  readonly voteType: string
  readonly reason: string
  readonly timestamp: string
  readonly votedForGroups?: readonly string[]
}

/** What the API shows of one request: every acknowledged vote once, and the status that the votes make. */
async function wireFaults(
  { url }: ServerProcess,
  token: string,
  requestId: string,
  { voters, group, policy }: Electorate,
  sent: readonly SentVote[],
  unanswered: ReadonlySet<string>,
): Promise<string[]> {
  const read = async <T>(path: string) => (await (await fetch(`${url}${path}`, { headers: bearer(token) })).json()) as T
  const { votes } = await read<{ votes: readonly WireVote[] }>(`/workflows/${requestId}/votes`)
  const shown = await read<{ status: string; expiresAt: string }>(`/workflows/${requestId}`)
  const found: string[] = []
  const stored = Map.groupBy(votes, ({ reason }) => reason)
  const answers = new Map(sent.filter((vote) => vote.requestId === requestId).map((vote) => [vote.tag, vote]))
  for (const { tag, status } of answers.values()) {
    if (status === 200 && !stored.has(tag)) found.push(`${tag}${lost}`)
    if (status !== 200 && stored.has(tag)) found.push(`${tag}: refused, and stored`)
  }
  for (const [tag, same] of stored) {
    if (same.length > 1) found.push(`${tag}${doubled}`)
    if (!answers.has(tag) && !unanswered.has(tag)) found.push(`${tag}: stored, and nobody sent it`)
  }

  const members = voters.map(({ id }) => id)
  const world = createWorld(policy, {
    people: members,
    groups: { [group]: members },
    requester: members[0] as string,
    expiresAt: Date.parse(shown.expiresAt),
  })
  for (const { voterId, voteType, votedForGroups = [group], reason, timestamp } of votes) {
    const cast = {
      stance: voteType.toLowerCase() as Stance,
      assurance: [],
      seats: votedForGroups.map((id) => ({ kind: 'group' as const, id })),
    }
    const outcome = world.vote(voterId, cast, Date.parse(timestamp))
    if (outcome.kind !== 'decided') found.push(`${reason}: stored, and the kernel says ${JSON.stringify(outcome)}`)
  }
  const made = workflowStatus[world.state.status]
  if (made !== shown.status) found.push(`request ${requestId} is ${shown.status}, its votes make it ${made}`)
  return found
}

/** The same and more, read from the store once the server is gone: sequence numbers, tallies, leaves, digests, counts. */
async function storedFaults(
  store: StoreEnv,
  requests: readonly string[],
  { voters, group }: Electorate,
  sent: readonly SentVote[],
  unanswered: ReadonlySet<string>,
): Promise<string[]> {
  const cast = { voters, groups: { [group]: voters.map(({ id }) => id) } }
  const sentTo = Map.groupBy(sent, ({ requestId }) => requestId)
  return await withStore(store, async (ctx) => [
    ...(await loadHistories(ctx, requests)).flatMap((history) =>
      faultsOf(history, cast, sentTo.get(history.request.id) ?? [], unanswered),
    ),
    ...(await countFaults(ctx)),
  ])
}

function acknowledged(sent: readonly SentVote[]): number {
  return sent.filter(({ status }) => status === 200).length
}
