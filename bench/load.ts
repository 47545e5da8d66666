import { Agent, request } from 'node:http'

export interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly token?: string
  readonly body?: string
}

export interface Load {
  /** Answers a second. */
  readonly rate: number
  readonly p50: number
  readonly p99: number
}

/** A load of calls in a closed loop: each of `clients` sends its next call when the last was answered. */
export interface LoadPlan {
  readonly origin: string
  readonly clients: number
  readonly seconds: number
  /** The n-th call of the run. */
  readonly next: (n: number) => Call
}

/** @throws Error when a call is answered with anything but 2xx: a benchmark of refusals says nothing */
export async function runLoad(plan: LoadPlan): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: plan.clients })
  const latencies: number[] = []
  let sent = 0
  const start = performance.now()
  const end = start + plan.seconds * 1000
  const client = async () => {
    while (performance.now() < end) {
      const began = performance.now()
      await send(plan.origin, agent, plan.next(sent++))
      latencies.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: plan.clients }, client))
  const elapsed = (performance.now() - start) / 1000
  agent.destroy()
  latencies.sort((a, b) => a - b)
  return { rate: latencies.length / elapsed, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  )
}

/** @throws Error when it is answered with anything but 2xx */
export async function send(origin: string, agent: Agent, call: Call): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const headers: Record<string, string> = {}
    if (call.token !== undefined) headers['authorization'] = `Bearer ${call.token}`
    if (call.body !== undefined) {
      headers['content-type'] = 'application/json'
      headers['content-length'] = String(Buffer.byteLength(call.body))
    }
    const sending = request(origin + call.path, { agent, method: call.method, headers }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => {
        const status = answer.statusCode ?? 0
        if (status >= 200 && status < 300) resolve()
        else reject(new Error(`${call.method} ${call.path} answered ${status}: ${text}`))
      })
    })
    sending.on('error', reject)
    sending.end(call.body)
  })
}
