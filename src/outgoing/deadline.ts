/** The end of a call, whatever it waits for by then. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Milliseconds. */
  left(): number
  stop(): void
}

export function startDeadline(milliseconds: number): Deadline {
  const controller = new AbortController()
  const end = performance.now() + milliseconds
  const timer = setTimeout(() => controller.abort(), milliseconds)
  return {
    signal: controller.signal,
    left: () => Math.max(0, end - performance.now()),
    stop: () => clearTimeout(timer),
  }
}

/** What `work` gives, unless the deadline comes first. @throws DOMException AbortError then */
export async function before<T>({ signal }: Deadline, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return await Promise.race([work, late])
}
