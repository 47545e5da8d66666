import { startHttpSink } from '../helpers/http-sink.ts'
import { fieldsOf, textsOf } from '../helpers/mail-message.ts'
import { startMailPeer } from '../helpers/mail-peer.ts'

export type Channel = 'webhook' | 'mail'

/** Something that reached a receiver, each time that it did. */
export interface Effect {
  readonly channel: Channel
  /** The Idempotency-Key, or what the Message-ID holds of it. */
  readonly key: string
  readonly requestId: string
  /** What it said; the same every time. */
  readonly content: string
}

/** A kill that waits for an effect. */
export interface Trap {
  readonly channel: Channel
  /** By an effect of one of these. */
  readonly requests: ReadonlySet<string>
  /** Instead of the answer, or just after it. */
  readonly when: 'before' | 'after'
  /** Milliseconds after an answer. */
  readonly delay: number
  kill(): Promise<void>
}

/** A web server and a mail server that remember what reached them, and have the sender killed when they are told to. */
export interface Receivers extends AsyncDisposable {
  readonly effects: readonly Effect[]
  readonly webhookUrl: string
  /** What a server needs to reach both. */
  readonly env: Readonly<Record<string, string>>
  /** @returns what sprang it, once the sender is dead. @throws Error when nothing has for a minute */
  spring(trap: Trap): Promise<Effect>
}

const patienceMilliseconds = 60_000

export async function startReceivers(): Promise<Receivers> {
  const effects: Effect[] = []
  let set: (Trap & { sprung(effect: Effect): void }) | null = null

  const receive = (effect: Effect, answer: (answered: () => void) => void): void => {
    effects.push(effect)
    const trap = set
    if (trap === null || trap.channel !== effect.channel || !trap.requests.has(effect.requestId)) {
      return answer(() => {})
    }
    set = null
    const kill = () => void trap.kill().then(() => trap.sprung(effect))
    if (trap.when === 'before') return kill()
    answer(() => (trap.delay === 0 ? kill() : setTimeout(kill, trap.delay)))
  }

  const sink = await startHttpSink((response, { headers, body }) => {
    const { workflowId } = JSON.parse(body) as { workflowId: string }
    const key = String(headers['idempotency-key'])
    receive({ channel: 'webhook', key, requestId: workflowId, content: body }, (answered) =>
      response.end('thanks', answered),
    )
  }, false)
  const mail = await startMailPeer({}, ({ raw }, queued) => {
    const fields = fieldsOf(raw)
    const [key, requestId] = [idIn(fields.get('message-id')), idIn(fields.get('in-reply-to'))]
    receive({ channel: 'mail', key, requestId, content: JSON.stringify(textsOf(raw)) }, (answered) => {
      queued()
      answered()
    })
  })
  return {
    effects,
    webhookUrl: `http://127.0.0.1:${sink.port}/in`,
    env: { QUORATE_WEBHOOK_ALLOW: '127.0.0.1', SMTP_URL: `smtp://127.0.0.1:${mail.port}` },
    async spring(trap) {
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no ${trap.channel} for a minute: no job is done`)),
          patienceMilliseconds,
        )
        const sprung = (effect: Effect) => {
          clearTimeout(timer)
          resolve(effect)
        }
        set = { ...trap, sprung }
      })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([sink[Symbol.asyncDispose](), mail[Symbol.asyncDispose]()])
    },
  }
}

/** The id in `<id@domain>`. */
function idIn(field: string | undefined): string {
  return /^<([^@]+)@/.exec(field ?? '')?.[1] ?? `none in ${field}`
}
