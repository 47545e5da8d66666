import type { Action } from '../src/approvals/actions.ts'
import { seats } from '../test/helpers/quorum.ts'
import { voteBody, voteCall } from './benchmarks.ts'
import { openRequests, type OurGround } from './ground.ts'
import type { Call } from './load.ts'

/** Votes of which every so many decides a request, and has these actions done. */
export interface DecidingVotes {
  readonly next: (n: number) => Call
  /** Requests that are left to be decided. */
  left(): number
  /** Opens more requests to be decided. */
  add(count: number): Promise<void>
}

/** Requests that the votes that decide nothing are spread over. */
const spread = 2_000

/** @param every one of so many votes decides */
export async function decidingVotes(
  ground: OurGround,
  every: number,
  actions: readonly Action[],
): Promise<DecidingVotes> {
  const { ctx, groupId, voters } = ground
  const requester = voters[0]!.id
  const body = voteBody(groupId)
  const undecided = await openRequests(ctx, seats(groupId, 1_000), requester, spread)
  const toDecide: string[] = []
  let [decided, sent] = [0, 0]
  return {
    left: () => toDecide.length - decided,
    add: async (count) =>
      void toDecide.push(...(await openRequests(ctx, seats(groupId, 1), requester, count, actions))),
    next() {
      const n = sent++
      const id = n % every === 0 ? toDecide[decided++] : undefined
      return voteCall(ground, id === undefined ? undecided : [id], body, n)
    },
  }
}
