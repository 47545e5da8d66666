import { openFloorRequests, openRequests, type Ground } from './ground.ts'
import { median, runLoad, type Call, type Load } from './load.ts'
import type { BenchRow } from './report.ts'
import { listBenchmark } from './list.ts'
import { bigGroup, bigRequest } from './big.ts'
import { seats } from '../test/helpers/quorum.ts'

export interface Effort {
  readonly rounds: number
  readonly seconds: number
  /** Seconds of each load before the first round, for nothing: until then much of the time goes into compiling. */
  readonly warmUp: number
}

export type Benchmark = (ground: Ground, effort: Effort) => Promise<BenchRow[]>

/** Requests that votes and reads are spread over. */
const spread = 2000
const clients = 16

export const benchmarks: Readonly<Record<string, Benchmark>> = {
  vote: async (ground, effort) => {
    const { ours, floor } = await requestsOfBoth(ground)
    const body = voteBody(ground.groupId)
    const measured = await alternate(effort, {
      ours: (seconds) =>
        runLoad({ origin: ground.ours.origin, clients, seconds, next: (n) => voteCall(ground, ours, body, n) }),
      floor: (seconds) =>
        runLoad({
          origin: ground.floor.origin,
          clients,
          seconds,
          next: (n) => ({
            method: 'POST',
            path: `/requests/${floor[n % spread]}/vote`,
            body: `{"voter":"voter-${n % 16}"}`,
          }),
        }),
    })
    return [{ name: 'vote', unit: 'calls/s', ...rates(measured), against: 'floor', bar: { atLeast: 0.7 } }]
  },

  reads: async (ground, effort) => {
    const { ours, floor } = await requestsOfBoth(ground)
    const read = async (name: string, path: string): Promise<BenchRow> => {
      const measured = await alternate(effort, {
        ours: (seconds) =>
          runLoad({
            origin: ground.ours.origin,
            clients,
            seconds,
            next: (n) => readCall(ground, `/workflows/${ours[n % spread]}${path}`, n),
          }),
        floor: (seconds) =>
          runLoad({
            origin: ground.floor.origin,
            clients,
            seconds,
            next: (n) => ({ method: 'GET', path: `/requests/${floor[n % spread]}` }),
          }),
      })
      return { name, unit: 'calls/s', ...rates(measured), against: 'floor', bar: { atLeast: 0.5 } }
    }
    return [await read('canVote', '/canVote'), await read('get', '')]
  },

  list: listBenchmark,
  'big-request': bigRequest,
  'big-group': bigGroup,
}

/** Rounds of both in turn, so that a machine that slows down slows both. */
export async function alternate<K extends string>(
  effort: Effort,
  loads: Record<K, (seconds: number) => Promise<Load>>,
): Promise<Record<K, Load[]>> {
  const names = Object.keys(loads) as K[]
  const measured = Object.fromEntries(names.map((name) => [name, [] as Load[]])) as Record<K, Load[]>
  for (const name of names) await loads[name](effort.warmUp)
  for (let round = 0; round < effort.rounds; round++) {
    for (const name of names) measured[name].push(await loads[name](effort.seconds))
  }
  return measured
}

export function voteBody(groupId: string): string {
  return JSON.stringify({ voteType: { type: 'APPROVE', votedForGroups: [groupId] }, reason: 'Looks good to me.' })
}

export function voteCall(ground: Pick<Ground, 'voters'>, requests: readonly string[], body: string, n: number): Call {
  const token = ground.voters[n % ground.voters.length]!.token
  return { method: 'POST', path: `/workflows/${requests[n % requests.length]}/vote`, token, body }
}

function readCall(ground: Ground, path: string, n: number): Call {
  return { method: 'GET', path, token: ground.voters[n % ground.voters.length]!.token }
}

async function requestsOfBoth(ground: Ground): Promise<{ ours: string[]; floor: string[] }> {
  // More than there are voters, so that no vote of the run decides and each is a vote like the last.
  const rule = seats(ground.groupId, 1000)
  return {
    ours: await openRequests(ground.ctx, rule, ground.voters[0]!.id, spread),
    floor: await openFloorRequests(ground.floorUrl, spread),
  }
}

function rates(measured: Record<'ours' | 'floor', Load[]>): { ours: number; floor: number } {
  const rate = (loads: readonly Load[]) => median(loads.map((load) => load.rate))
  return { ours: rate(measured.ours), floor: rate(measured.floor) }
}
