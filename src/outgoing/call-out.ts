import type { GuardConfig } from '../config/delivery.ts'
import { checkedAddresses } from './check-addresses.ts'
import { connect } from './connect.ts'
import { startDeadline, type Deadline } from './deadline.ts'
import { exchange, type Answer } from './exchange.ts'
import type { Network } from './network.ts'
import { planCall, type PlannedCall } from './plan-call.ts'
import { codeOf, Stopped } from './stopped.ts'

export interface OutgoingCall {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly headers: Readonly<Record<string, string>>
  /** Null for none. */
  readonly body: string | null
  /** For all of it: resolving, connecting, sending, and reading the answer to its end. */
  readonly timeoutMilliseconds: number
}

/** What came of a call. A refused one never left this machine and is not worth another try. */
export type OutgoingOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Buffer; readonly isWhole: boolean }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * Makes one HTTP call to an address that a user supplied, and never throws. Any status is an answer, redirects too: none is
 * followed. Reasons are one sentence without secrets. Contract §3.7, "Webhook transport" and "SSRF guard".
 */
export async function callOut(network: Network, guard: GuardConfig, call: OutgoingCall): Promise<OutgoingOutcome> {
  const deadline = startDeadline(call.timeoutMilliseconds)
  try {
    const planned = planCall(call)
    return { kind: 'answered', ...(await answerTo(network, guard, planned, deadline)) }
  } catch (error) {
    if (error instanceof Stopped && error.kind === 'refused') return { kind: 'refused', reason: error.message }
    if (deadline.signal.aborted) {
      return { kind: 'failed', reason: `No whole answer came within ${call.timeoutMilliseconds / 1000} s.` }
    }
    const reason = error instanceof Stopped ? error.message : `The call could not be made: ${codeOf(error)}.`
    return { kind: 'failed', reason }
  } finally {
    deadline.stop()
  }
}

async function answerTo(network: Network, guard: GuardConfig, call: PlannedCall, deadline: Deadline): Promise<Answer> {
  const addresses = await checkedAddresses(network, guard, call.hostname, deadline)
  const socket = await connect(network, call, addresses, deadline)
  return await exchange(socket, call, deadline)
}
