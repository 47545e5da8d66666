import { setTimeout as sleep } from 'node:timers/promises'
import { killWhileStarting, withStore, type StoreEnv } from '../crash/store.ts'
import { dice, type Dice } from '../helpers/dice.ts'
import { apiClient, oauthClient, password, roleStore, userStore } from '../helpers/privx.ts'
import { startServer } from '../helpers/server-process.ts'
import { createLedger, type Granted, type Ledger, type Terms } from './granted.ts'
import { call, done, engine, look, passwordToken, places, type HeldRole, type OwnGrant } from './role-calls.ts'
import { storedFaults, watchByCounts, watchRows, type Lateness } from './stored-grants.ts'

export interface RestartOptions {
  readonly store: StoreEnv
  readonly restarts: number
  readonly people: number
  /** A role is one holder's at a time, so that many are there for each. */
  readonly roles: number
  /** No role is given for longer. */
  readonly longestMilliseconds: number
  readonly seed: number
  readonly onRound?: (round: number, grants: number) => void
}

export interface RestartReport {
  readonly restarts: number
  readonly killsAtStart: number
  readonly grants: number
  readonly ended: number
  readonly used: number
  readonly byRequest: number
  /** Calls that a kill left without an answer. */
  readonly unanswered: number
  readonly reads: number
  /** By how many milliseconds after its end a grant was still there, at most. */
  readonly worst: { readonly read: number } & Lateness
  readonly faults: readonly string[]
}

const clients = {
  QUORATE_PRIVX_OAUTH_CLIENT: `${oauthClient.id}:${oauthClient.secret}`,
  QUORATE_PRIVX_API_CLIENT: `${apiClient.id}:${apiClient.secret}`,
}

interface Person {
  readonly id: string
  readonly token: string
}

/** Everything that stays as it is while servers come and go. */
interface Scene {
  readonly admin: string
  readonly approver: Person
  readonly users: readonly Person[]
  readonly roles: readonly string[]
  readonly ledger: Ledger
  readonly chance: Dice
  readonly longestMilliseconds: number
  readonly count: { unanswered: number; used: number; byRequest: number; reads: number }
}

/** What a killed server left open; the next one is asked how it went. */
type Open = (url: string) => Promise<void>

/**
 * Roles are given for a while, by hand and by request, and used, over HTTP, while the server is killed with SIGKILL again and
 * again on one store. Whatever it shows is held against what was given: nothing in force before its start or after its end,
 * nothing there a minute later, nothing lost, ended twice or come back.
 */
export async function runRestarts(options: RestartOptions): Promise<RestartReport> {
  const { store, restarts, seed, longestMilliseconds, onRound } = options
  const env = { ...store, ...clients }
  const chance = dice(seed)
  let killsAtStart = 0
  let server = await startServer(env)
  try {
    const scene = await prepare(server.url, options, { chance, longestMilliseconds })
    const { ledger, count, roles } = scene
    const byCounts = watchByCounts(ledger, roles)
    await using rows = await watchRows(store, roles)
    for (let round = 0; round <= restarts; round++) {
      const [acting, looking] = [new AbortController(), new AbortController()]
      const acts = act(server.url, scene, acting.signal)
      const looks = [
        ...scene.users.map((user) => keepLooking(server.url, scene, user, dice(chance.roll(2 ** 31)), looking.signal)),
        byCounts.keepLooking(server.url, scene.admin, looking.signal),
      ]
      await sleep(300 + chance.roll(1_700))
      if (round === restarts) {
        acting.abort()
        await acts
        await sleep(Math.max(0, lastEnd(ledger) - Date.now()) + 2_000)
        looking.abort()
        await Promise.all(looks)
        break
      }
      await server.kill()
      const [open] = await Promise.all([acts, ...looks])
      // Some ends fall into a time without a server.
      if (chance.roll(8) === 0) await sleep(chance.roll(longestMilliseconds / 4))
      if (chance.roll(8) === 0) {
        killsAtStart += 1
        await killWhileStarting(env, chance.roll(1_500))
      }
      server = await startServer(env)
      await open?.(server.url)
      onRound?.(round + 1, ledger.all.length)
    }
    if ((await server.stop()) !== 0) ledger.faults.push('SIGTERM did not end the server well')
    const late = rows.lateness() ?? byCounts.lateness()
    const stored = await withStore(store, (ctx) => storedFaults(ctx, roles, ledger.all))
    return {
      restarts,
      killsAtStart,
      grants: ledger.all.length,
      ended: stored.ended,
      ...count,
      worst: { read: ledger.worstReadMilliseconds, ...late },
      faults: [...new Set([...ledger.faults, ...rows.faults, ...byCounts.faults, ...stored.faults])],
    }
  } finally {
    await server.kill()
  }
}

/** People, roles, and a workflow by which any of the roles may be asked for. */
async function prepare(
  url: string,
  size: Pick<RestartOptions, 'people' | 'roles'>,
  part: Pick<Scene, 'chance' | 'longestMilliseconds'>,
): Promise<Scene> {
  const admin = await passwordToken(url, oauthClient, apiClient)
  const create = async (path: string, body: object) => String((await done(url, 'POST', path, admin, body))['id'])
  const person = async (username: string): Promise<Person> => {
    const id = await create(`${userStore}/users`, { username, password: { password } })
    return { id, token: await passwordToken(url, oauthClient, { id: username, secret: password }) }
  }
  const approver = await person('approver')
  const approvers = await create(`${roleStore}/roles`, { name: 'approvers' })
  const held = [{ id: approvers, explicit: true }]
  await done(url, 'PUT', `${roleStore}/users/${approver.id}/roles`, admin, held as object)
  const users: Person[] = []
  for (let number = 0; number < size.people; number++) users.push(await person(`user${number}`))
  const roles: string[] = []
  for (let number = 0; number < size.roles; number++) {
    roles.push(await create(`${roleStore}/roles`, { name: `role ${number}` }))
  }
  await create(`${engine}/workflows`, {
    name: 'Any role',
    target_roles: roles.map((id) => ({ id })),
    grant_types: ['TIME_RESTRICTED', 'FLOATING'],
    max_active_requests: 1_000_000,
    steps: [{ name: '', match: 'ANY', approvers: [{ role: { id: approvers } }] }],
  })
  const count = { unanswered: 0, used: 0, byRequest: 0, reads: 0 }
  return { admin, approver, users, roles, ledger: createLedger(), count, ...part }
}

/** Gives and uses roles until the server is gone. @returns what must be asked of the next, if anything */
async function act(url: string, scene: Scene, stop: AbortSignal): Promise<Open | null> {
  const { chance } = scene
  while (!stop.aborted) {
    const action = chance.pick([give, give, ask, useOne])
    const open = await action(url, scene)
    if (open === 'gone') return null
    if (open !== null) {
      scene.count.unanswered += 1
      return open
    }
    await sleep(chance.roll(60))
  }
  return null
}

type Acted = Open | 'gone' | null

function terms({ chance, longestMilliseconds: longest }: Scene): Terms {
  if (chance.roll(4) === 0) return { startsAt: null, endsAt: null, hours: 1 + chance.roll(9) }
  // A third is in force at once.
  const startsAt = Date.now() + Math.max(0, chance.roll(longest * 0.6) - chance.roll(longest * 0.6))
  return { startsAt, endsAt: Math.max(Date.now(), startsAt) + 1_000 + chance.roll(longest * 0.4), hours: null }
}

function grantMembers({ startsAt, endsAt, hours }: Terms): object {
  if (startsAt === null || endsAt === null) return { grant_type: 'FLOATING', floating_length: hours }
  const text = (time: number) => new Date(time).toISOString()
  return { grant_type: 'TIME_RESTRICTED', grant_start: text(startsAt), grant_end: text(endsAt) }
}

/** A role that nobody holds: none that was given before stands there, not even as a row. `gone` when the server is. */
async function freeRole(url: string, { admin, roles, ledger, chance }: Scene): Promise<string | null> {
  const isPast = (roleId: string) => {
    const grant = ledger.current(roleId)
    return grant === undefined || (grant.hours === null && (grant.endsAt ?? Infinity) < Date.now() - 2_000)
  }
  const free = roles.filter(isPast)
  if (free.length === 0) return null
  const roleId = chance.pick(free)
  const role = await call(url, 'GET', `${roleStore}/roles/${roleId}`, admin)
  if (role === null) return 'gone'
  return role.body['member_count'] === 0 ? roleId : null
}

/** An administrator gives one or two roles beside those that are there. */
async function give(url: string, scene: Scene): Promise<Acted> {
  const { admin, users, ledger, chance } = scene
  const user = chance.pick(users)
  const found = [await freeRole(url, scene), await freeRole(url, scene)]
  if (found.includes('gone')) return 'gone'
  const wanted = [...new Set(found)].filter((roleId) => roleId !== null)
  const held = await look(url, admin, 'roles', user.id)
  if (held === null) return 'gone'
  if (!('body' in held)) return null
  const added = wanted.map((roleId) => ledger.add(user.id, roleId, terms(scene)))
  const body = [
    ...(held.body['items'] as HeldRole[]),
    ...added.map((grant) => ({ id: grant.roleId, explicit: true, ...grantMembers(grant) })),
  ]
  const answer = await call(url, 'PUT', `${roleStore}/users/${user.id}/roles`, admin, body)
  if (answer === null) return async (next) => await settle(next, scene, added)
  // What was held may have ended since it was read.
  if (answer.status !== 200) for (const grant of added) ledger.drop(grant)
  if (answer.status >= 500) ledger.faults.push(`PUT roles answered ${answer.status}`)
  for (const grant of added) grant.knownFrom = Date.now()
  return null
}

/** All of what a call without an answer gave is there, or nothing. */
async function settle(url: string, { admin, ledger }: Scene, added: readonly Granted[]): Promise<void> {
  const [first] = added
  if (first === undefined) return
  const now = await look(url, admin, 'roles', first.userId)
  if (now === null || !('seen' in now)) throw new Error('the server did not show roles')
  const shown = new Set(now.seen.roles.map(({ roleId }) => roleId))
  const canBeTold = added.filter(({ endsAt }) => endsAt === null || endsAt > now.seen.to)
  const there = canBeTold.filter(({ roleId }) => shown.has(roleId))
  if (there.length > 0 && there.length < canBeTold.length) ledger.faults.push(`half of one call came through`)
  for (const grant of added) {
    if (!canBeTold.includes(grant)) grant.isUncertain = true
    else if (there.length === 0) ledger.drop(grant)
    else grant.knownFrom = now.seen.from
  }
}

/** Somebody asks for a role, and it is approved. */
async function ask(url: string, scene: Scene): Promise<Acted> {
  const { users, ledger, chance } = scene
  const user = chance.pick(users)
  const roleId = await freeRole(url, scene)
  if (roleId === 'gone') return 'gone'
  if (roleId === null) return null
  const wanted = terms(scene)
  const body = { requested_role: { id: roleId }, ...grantMembers(wanted) }
  const request = await call(url, 'POST', `${engine}/requests`, user.token, body)
  if (request === null) return 'gone'
  if (request.status !== 201) {
    ledger.faults.push(`a request was answered ${request.status} ${JSON.stringify(request.body)}`)
    return null
  }
  const grant = ledger.add(user.id, roleId, wanted)
  return await approve(url, scene, String(request.body['id']), grant)
}

async function approve(url: string, scene: Scene, requestId: string, grant: Granted): Promise<Acted> {
  const { approver, admin, ledger, count } = scene
  const decision = { step: 0, decision: 'APPROVED' }
  const answer = await call(url, 'POST', `${engine}/requests/${requestId}/decision`, approver.token, decision)
  const to = Date.now()
  if (answer === null) {
    return async (next) => {
      const { status } = await done(next, 'GET', `${engine}/requests/${requestId}`, admin)
      // Approved and granted are one: what is approved must be there from now on.
      if (status === 'APPROVED') grantedAt(grant, Date.now())
      else if ((await approve(next, scene, requestId, grant)) !== null) throw new Error('the server did not answer')
    }
  }
  if (answer.status === 200) {
    count.byRequest += 1
    grantedAt(grant, to)
  } else {
    ledger.faults.push(`an approval was answered ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  return null
}

/** Of what was over before it was approved nothing is made. */
function grantedAt(grant: Granted, at: number): void {
  if (grant.endsAt !== null && grant.endsAt <= at) grant.isUncertain = true
  else grant.knownFrom = at
}

/** Somebody uses a role that floats, or one that they have used before. */
async function useOne(url: string, { users, ledger, chance, count }: Scene): Promise<Acted> {
  const user = chance.pick(users)
  const own = await look(url, user.token, 'own grants', user.id)
  if (own === null) return 'gone'
  if (!('body' in own)) return null
  const floating = (own.body['grants'] as OwnGrant[]).filter(({ role }) => ledger.current(role.id)?.hours != null)
  if (floating.length === 0) return null
  const { id, role } = chance.pick(floating)
  const grant = ledger.current(role.id) as Granted
  grant.useSentAt ??= Date.now()
  const path = `/v1/grants/${id}/use`
  const from = Date.now()
  const used = await Promise.all([0, 1].map(() => call(url, 'POST', path, user.token)))
  for (const answer of used) {
    if (answer === null) continue
    if (answer.status !== 200) ledger.faults.push(`a use was answered ${answer.status} ${JSON.stringify(answer.body)}`)
    else {
      const { kind, startsAt, endsAt } = answer.body as unknown as OwnGrant
      const [start, end] = [Date.parse(startsAt ?? ''), Date.parse(endsAt ?? '')]
      const roles = [{ roleId: role.id, kind, startsAt: start, endsAt: end }]
      // Only this one: what else they hold is not in the answer.
      ledger.hold({ place: 'own grants', userId: user.id, from, to: Date.now(), roles, only: role.id })
      count.used += 1
    }
  }
  if (used.every((answer) => answer !== null)) grant.useKnownFrom = Math.min(grant.useKnownFrom, Date.now())
  return used.includes(null) ? async () => {} : null
}

async function keepLooking(url: string, scene: Scene, user: Person, chance: Dice, stop: AbortSignal): Promise<null> {
  const { admin, ledger, count } = scene
  while (!stop.aborted) {
    const place = chance.pick(places)
    const found = await look(url, place === 'own grants' ? user.token : admin, place, user.id)
    if (found === null) return null
    count.reads += 1
    if ('seen' in found) ledger.hold(found.seen)
    else ledger.faults.push(`${place} answered ${found.status}`)
    await sleep(20 + chance.roll(80))
  }
  return null
}

function lastEnd({ all }: Ledger): number {
  return Math.max(0, ...all.map(({ hours, endsAt }) => (hours === null ? (endsAt ?? 0) : 0)))
}
