import { setTimeout as sleep } from 'node:timers/promises'
import { prepareStore } from '../../src/demo/seed.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { expectStatus, peopleOver, sendTo, type FortanixUser } from '../helpers/fortanix.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import type { CrashOptions } from './crash-run.ts'
import { listen, slowDown, type Ear } from './moments-of-operations.ts'
import { auditOperations, type Asked, type OperationAudit, type OperationFault, type Sent } from './operation-faults.ts'
import { killWhileStarting, withStore, type StoreEnv } from './store.ts'

export interface OperationCrashReport extends Omit<OperationAudit, 'faults' | 'isPending'> {
  readonly kills: number
  /** Kills while the server was starting, beside the others. */
  readonly killsAtStart: number
  readonly requests: number
  /** Decisions that were answered. */
  readonly acknowledged: number
  /** Decisions that a kill left without an answer. */
  readonly unanswered: number
  readonly faults: readonly OperationFault[]
}

/** When a round kills the server; where the store cannot be listened to, always at some moment or other. */
const moments = ['any', 'decided', 'executing', 'executed'] as const
/** As many of the three reviewers as have to approve. */
const quorum = 2

/**
 * Signatures are asked for and approved over real HTTP, several last approvals of each at once, while the server is killed with
 * SIGKILL again and again: before an approval is committed, between that and the signature, while it is made, and before that is
 * answered. At the end every approved request has used the key once, and no other has.
 */
export async function runOperationCrashes(options: CrashOptions): Promise<OperationCrashReport> {
  const { kills, seed, onRound } = options
  const chance = dice(seed)
  const env = { ...options.store, QUORATE_FORTANIX_OPEN_SIGNUP: '1' }
  await withStore(env, async (ctx) => {
    await prepareStore(ctx)
    await slowDown(ctx)
  })
  const databaseUrl = options.store['DATABASE_URL']
  await using ear = databaseUrl === undefined ? null : await listen(databaseUrl)
  const asked: Asked[] = []
  const sent: Sent[] = []
  let [killsAtStart, unanswered] = [0, 0]

  let server = await startServer(env)
  let audit: OperationAudit
  try {
    const vault = await furnish(server)
    for (let round = 0; round < kills; round++) {
      const requests = await askAll(server, vault)
      const before = sent.length
      const deciding = decideAll(server, vault, requests, sent)
      await untilMoment(moments[round % moments.length] ?? 'any', { ear, chance, deciding })
      const killedAt = new Date()
      await server.kill()
      await deciding
      asked.push(...requests.map((id) => ({ id, killedAt })))
      if (chance.roll(12) === 0) {
        killsAtStart += 1
        await killWhileStarting(env, chance.roll(1_500))
      }
      server = await startServer(env)
      // Half of those who got no answer say it again; the others leave it open whether they were heard.
      const silent = sent.slice(before).filter(({ answer }) => answer === null)
      unanswered += silent.length
      for (const one of silent) if (chance.roll(2) === 0) await send(server, vault, one)
      onRound?.(round + 1, sent.length - unanswered)
    }
    audit = await settle(env, server, { kid: vault.kid, quorum, asked, sent })
  } finally {
    await server.kill()
  }
  const { isPending: _isPending, ...found } = audit
  const requests = asked.length
  const acknowledged = sent.filter(({ answer }) => answer?.status === 200).length
  return { kills, killsAtStart, requests, acknowledged, unanswered, ...found }
}

interface Vault {
  readonly kid: string
  readonly requester: FortanixUser
  readonly reviewers: readonly [FortanixUser, FortanixUser, FortanixUser]
}

/** An account with three reviewers, of whom two have to approve whatever is done with its key. */
async function furnish({ url }: ServerProcess): Promise<Vault> {
  const people = peopleOver(sendTo(url))
  const requester = await people.signUp('Ada')
  const account = await people.account(requester, 'Vault')
  const [ben, cleo, dora] = [await people.signUp('Ben'), await people.signUp('Cleo'), await people.signUp('Dora')]
  const reviewers = [ben, cleo, dora] as const
  for (const reviewer of reviewers) await people.join(requester, reviewer, account)
  const policy = { quorum: { n: quorum, members: reviewers.map(({ id }) => ({ user: id })) } }
  const group = await requester.post('/sys/v1/groups', { name: 'signing', approval_policy: policy })
  const { group_id: groupId } = expectStatus(group, 201)
  const key = { name: 'root', obj_type: 'EC', elliptic_curve: 'NistP256', group_id: groupId }
  const { kid } = expectStatus(await requester.post('/crypto/v1/keys', key), 201)
  return { kid, requester, reviewers }
}

const path = '/sys/v1/approval_requests'

async function post({ url }: ServerProcess, { token }: FortanixUser, where: string, body?: object) {
  const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
  return await sendTo(url)({ method: 'POST', url: where, headers: { authorization: `Bearer ${token}` }, ...payload })
}

const requestsPerRound = 5

async function askAll(server: ServerProcess, { kid, requester }: Vault): Promise<string[]> {
  const body = { key: { kid }, hash_alg: 'SHA256', data: Buffer.from('what is signed').toString('base64') }
  const question = { operation: '/crypto/v1/sign', body }
  const ask = async (): Promise<string> => expectStatus(await post(server, requester, path, question), 201).request_id
  return await Promise.all(Array.from({ length: requestsPerRound }, ask))
}

/** All that is said of the requests of a round. Of the last, less than it takes. */
async function decideAll(
  server: ServerProcess,
  vault: Vault,
  requests: readonly string[],
  sent: Sent[],
): Promise<void> {
  const [ben, cleo, dora] = vault.reviewers
  const say = async (request: string, { id: by }: FortanixUser, stance: Sent['stance'] = 'approve') => {
    const one: Sent = { request, by, stance, answer: null }
    sent.push(one)
    await send(server, vault, one).catch(() => {})
  }
  const last: ((request: string) => readonly Promise<void>[])[] = [
    (request) => [say(request, ben), say(request, cleo), say(request, cleo)],
    (request) => [say(request, ben), say(request, cleo, 'deny')],
    (request) => [say(request, cleo), say(request, ben)],
    (request) => [say(request, dora), say(request, ben), say(request, cleo)],
    () => [],
  ]
  await Promise.all(
    requests.map(async (request, index) => {
      if (index !== 3) await say(request, dora)
      await Promise.all(last[index]?.(request) ?? [])
    }),
  )
}

async function send(server: ServerProcess, { reviewers }: Vault, one: Sent): Promise<void> {
  const reviewer = reviewers.find(({ id }) => id === one.by)
  if (reviewer === undefined) throw new Error('nobody says this')
  const { status, text, body } = await post(server, reviewer, `${path}/${one.request}/${one.stance}`)
  one.answer = { status, text, state: body?.status ?? null }
}

interface Watch {
  readonly ear: Ear | null
  readonly chance: Dice
  readonly deciding: Promise<void>
}

/** So long all that is said of a round takes at most, about. */
const roundMilliseconds = 500

async function untilMoment(moment: (typeof moments)[number], { ear, chance, deciding }: Watch): Promise<void> {
  if (ear === null || moment === 'any') return await sleep(chance.roll(roundMilliseconds))
  const heard = ear.hear(moment === 'executed' ? 'executed' : 'decided', 1 + chance.roll(3))
  // Less of them may come than are waited for.
  await Promise.race([heard, deciding])
  if (moment === 'executing') await sleep(chance.roll(40))
}

/** Longer than a job is somebody's who was killed, and the time until somebody looks. */
const settleMilliseconds = 60_000

/** Lets the server finish what is due, ends it, and looks; where something is still to do it is started again. */
async function settle(
  env: StoreEnv,
  first: ServerProcess,
  facts: Parameters<typeof auditOperations>[1],
): Promise<OperationAudit> {
  let server = first
  const faults: OperationFault[] = []
  for (const until = performance.now() + settleMilliseconds; ;) {
    await sleep(2_500)
    const code = await server.stop()
    if (code !== 0) faults.push({ kind: 'other', text: `SIGTERM ended the server with ${code}` })
    const audit = await withStore(env, (ctx) => auditOperations(ctx, facts))
    const isLate = performance.now() > until
    if (audit.isPending && isLate) faults.push({ kind: 'lost', text: 'something is never done' })
    if (!audit.isPending || isLate) return { ...audit, faults: [...audit.faults, ...faults] }
    server = await startServer(env)
  }
}
