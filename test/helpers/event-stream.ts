/** One server-sent event, its data parsed. */
export interface StreamEvent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

export interface OpenedStream {
  readonly status: number
  readonly headers: Headers
  /** How many comments came so far. */
  readonly comments: () => number
  /** The next event; null once the stream has ended. */
  readonly next: () => Promise<StreamEvent | null>
  /** Hangs up. */
  readonly close: () => void
}

/** Watches a workflow over real HTTP, as a browser would. */
export async function openStream(
  origin: string,
  workflowId: string,
  token: string,
  headers: Record<string, string> = {},
): Promise<OpenedStream> {
  const hangUp = new AbortController()
  const answer = await fetch(`${origin}/v1/workflows/${workflowId}/events`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: hangUp.signal,
  })
  let comments = 0
  const events = read(answer, () => (comments += 1))
  return {
    status: answer.status,
    headers: answer.headers,
    comments: () => comments,
    next: async () => {
      const { value } = await events.next()
      return value ?? null
    },
    close: () => hangUp.abort(),
  }
}

async function* read(answer: Response, countComment: () => void): AsyncGenerator<StreamEvent, void, void> {
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const bytes of answer.body ?? []) {
      text += decoder.decode(bytes as Uint8Array, { stream: true })
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end)
        text = text.slice(end + 2)
        if (block.startsWith(':')) countComment()
        else yield eventOf(block)
      }
    }
  } catch (error) {
    // Hung up, here or there.
    if (!(error instanceof Error)) throw error
  }
}

function eventOf(block: string): StreamEvent {
  const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]))
  return {
    id: fields.get('id') ?? '',
    event: fields.get('event') ?? '',
    data: JSON.parse(fields.get('data') ?? 'null'),
  }
}
