import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, send, type Call, type Load } from './load.ts'

/** Calls at a fixed rate, whatever the answers take: a call that a late answer held up counts from when it was due. */
export interface SteadyPlan {
  readonly origin: string
  readonly clients: number
  /** Calls a second, of all clients together. */
  readonly rate: number
  readonly seconds: number
  readonly next: (n: number) => Call
}

export interface SteadyLoad extends Load {
  /** p99 of the calls of each two seconds: what others on the machine do for a moment spoils one of them. */
  readonly p99s: readonly number[]
}

const windowMilliseconds = 2_000

/** @throws Error when a call is answered with anything but 2xx */
export async function runSteadily(plan: SteadyPlan): Promise<SteadyLoad> {
  const { origin, clients, rate, seconds } = plan
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const latencies: number[] = []
  const windows: number[][] = []
  const start = performance.now()
  const count = Math.floor(rate * seconds)
  const client = async (first: number) => {
    for (let n = first; n < count; n += clients) {
      const due = start + (n / rate) * 1000
      const wait = due - performance.now()
      if (wait >= 1) await sleep(wait)
      await send(origin, agent, plan.next(n))
      const latency = performance.now() - due
      latencies.push(latency)
      const window = Math.floor((due - start) / windowMilliseconds)
      const calls = (windows[window] ??= [])
      calls.push(latency)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, n) => client(n)))
  const elapsed = (performance.now() - start) / 1000
  agent.destroy()
  const p99Of = (calls: readonly number[]) => quantile(sorted(calls), 0.99)
  return {
    rate: latencies.length / elapsed,
    p50: quantile(sorted(latencies), 0.5),
    p99: p99Of(latencies),
    p99s: windows.map(p99Of),
  }
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}
