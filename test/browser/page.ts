import type { DevTools } from './devtools.ts'
import type { KeptCredential, SecurityKey } from './security-key.ts'

/** What a page was given by the browser, as JSON (WebAuthn level 3, section 5.1); binary members are base64url. */
export interface Credential {
  readonly id: string
  readonly type: string
  readonly response: Readonly<Record<string, unknown>>
  readonly clientExtensionResults: Readonly<Record<string, unknown>>
}

/** Options as the server sent them. */
export type Options = Readonly<Record<string, unknown>>

/** A tab. What it throws begins with the browser's own name for its refusal. */
export interface Page {
  /** @returns itself, showing this address */
  at(url: string): Promise<Page>
  /** A new credential, of a key that has none. */
  create(options: Options, key: SecurityKey): Promise<Credential>
  get(options: Options, key: SecurityKey): Promise<Credential>
  /** The same, asked by the page in the frame of this one: `framed` has to be what it shows. */
  getInFrame(options: Options, key: SecurityKey): Promise<Credential>
}

/** A page that asks for what the page around it tells it to. */
export const framed = `<script>
onmessage = async ({ data, source }) => source.postMessage(await eval(data).catch(String), '*')
</script>`

export async function openPage(tools: DevTools): Promise<Page> {
  const { targetId } = await tools.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await tools.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
  const send: Send = (method, params = {}) => tools.send(method, params, sessionId)
  await send('WebAuthn.enable')
  const run = async <T>(expression: string): Promise<T> => {
    const params = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails: thrown } = await send<Evaluated>('Runtime.evaluate', params)
    if (thrown !== undefined) throw new Error(thrown.exception?.description ?? thrown.text)
    return result.value as T
  }
  const page: Page = {
    async at(url) {
      const { errorText } = await send<{ errorText?: string }>('Page.navigate', { url })
      if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
      await run(loaded)
      const shown = await run('location.origin')
      if (shown !== new URL(url).origin) throw new Error(`the browser shows ${String(shown)} and not ${url}`)
      return page
    },
    create: async (options, key) =>
      await plugged(send, key, () => run(`navigator.credentials.create(${optionsIn('Creation', options)})${toJson}`)),
    get: async (options, key) => await plugged(send, key, () => run(got(options))),
    getInFrame: async (options, key) =>
      await plugged(send, key, async () => {
        const answer = await run<Credential | string>(
          `new Promise((done) => {
            onmessage = ({ data }) => done(data)
            frames[0].postMessage(${JSON.stringify(got(options))}, '*')
          })`,
        )
        if (typeof answer === 'string') throw new Error(answer)
        return answer
      }),
  }
  return page
}

type Send = <T>(method: string, params?: Options) => Promise<T>

interface Evaluated {
  readonly result: { readonly value: unknown }
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } }
}

const loaded = `new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))`
const toJson = '.then((made) => made.toJSON())'

function got(options: Options): string {
  return `navigator.credentials.get(${optionsIn('Request', options)})${toJson}`
}

function optionsIn(kind: 'Creation' | 'Request', options: Options): string {
  return `{ publicKey: PublicKeyCredential.parse${kind}OptionsFromJSON(${JSON.stringify(options)}) }`
}

/** Plugs a key in, whose owner touches it whenever it blinks, and no other: the browser takes the first that is touched. */
async function plugged<T>(send: Send, key: SecurityKey, use: () => Promise<T>): Promise<T> {
  const options = { ...key.kind, automaticPresenceSimulation: true }
  const { authenticatorId } = await send<{ authenticatorId: string }>('WebAuthn.addVirtualAuthenticator', { options })
  try {
    if (key.kept !== null) await send('WebAuthn.addCredential', { authenticatorId, credential: key.kept })
    const made = await use()
    const { credentials } = await send<{ credentials: readonly KeptCredential[] }>('WebAuthn.getCredentials', {
      authenticatorId,
    })
    key.keep(credentials)
    return made
  } finally {
    await send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
  }
}
