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
  /** What is done with a call that failed; without it the run fails. */
  readonly onError?: (error: unknown) => void
}

/** @throws Error when a call is answered with anything but 2xx */
export async function runSteadily(plan: SteadyPlan): Promise<Load> {
  const { origin, clients, rate, seconds } = plan
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const latencies: number[] = []
  const start = performance.now()
  const count = Math.floor(rate * seconds)
  const client = async (first: number) => {
    for (let n = first; n < count; n += clients) {
      const due = start + (n / rate) * 1000
      const wait = due - performance.now()
      if (wait >= 1) await sleep(wait)
      try {
        await send(origin, agent, plan.next(n))
        latencies.push(performance.now() - due)
      } catch (error) {
        if (plan.onError === undefined) throw error
        plan.onError(error)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, n) => client(n)))
  const elapsed = (performance.now() - start) / 1000
  agent.destroy()
  latencies.sort((a, b) => a - b)
  return { rate: latencies.length / elapsed, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}
