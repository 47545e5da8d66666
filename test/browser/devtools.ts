import type { Readable, Writable } from 'node:stream'

type Values = Readonly<Record<string, unknown>>

/** The DevTools protocol over the pipes of `--remote-debugging-pipe`: JSON, each message ended by a zero byte. */
export interface DevTools {
  /** @throws Error with what the browser says; one that has ended says so */
  send<T = Values>(method: string, params?: Values, sessionId?: string): Promise<T>
}

interface Message {
  readonly id?: number
  readonly result?: Values
  readonly error?: { readonly message: string }
}

interface Waiting {
  readonly resolve: (result: Values) => void
  readonly reject: (error: Error) => void
}

export function talkTo(toBrowser: Writable, fromBrowser: Readable): DevTools {
  const waiting = new Map<number, Waiting>()
  let [last, rest] = [0, '']
  fromBrowser.setEncoding('utf8')
  fromBrowser.on('data', (text: string) => {
    const messages = (rest + text).split('\0')
    rest = messages.pop() ?? ''
    for (const message of messages) take(JSON.parse(message) as Message)
  })
  fromBrowser.once('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the browser has ended'))
  })
  const take = ({ id = 0, result = {}, error }: Message) => {
    const asked = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(error.message))
  }
  return {
    send: <T>(method: string, params: Values = {}, sessionId?: string) => {
      const id = (last += 1)
      return new Promise<T>((resolve, reject) => {
        waiting.set(id, {
          resolve: (result) => resolve(result as T),
          reject: ({ message }) => reject(new Error(`${method}: ${message}`)),
        })
        toBrowser.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
      })
    },
  }
}
