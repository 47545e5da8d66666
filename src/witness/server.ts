import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { verifierKeyText } from '../proof/note.ts'
import { addCheckpoint, Refusal, type Witness } from './add-checkpoint.ts'

/** In bytes: the longest note that is read, and the longest proof. */
const bodyLimit = 320 * 1024
const requestTimeoutMilliseconds = 10_000
const mostConnections = 500

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The witness over HTTP (C2SP tlog-witness), not listening. Whoever reaches it may ask: a checkpoint speaks by its signature.
 * @param warn is told what an operator should see: faults, and what a log signed that cannot be cosigned
 */
export function witnessServer(witness: Witness, warn: (message: string) => void): Server {
  const notes = new Map([...witness.logs.keys()].map((origin) => [`/${sha256(origin)}/checkpoint`, origin]))
  const { name, type, publicKey } = witness.signer.key
  const key = verifierKeyText(name, type, publicKey)

  const answerTo = async (request: IncomingMessage): Promise<Answer> => {
    const path = request.url ?? ''
    if (path === '/add-checkpoint') {
      if (request.method !== 'POST') return { status: 405, text: 'Only POST.\n', headers: { allow: 'POST' } }
      const body = await bodyOf(request)
      if (body === null) return { status: 413, text: 'The body is too long.\n', headers: { connection: 'close' } }
      return cosigned(witness, body, warn)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 404, text: 'There is nothing here.\n' }
    if (path === '/') return { status: 200, text: `${key}\n` }
    const note = witness.state.findNote(notes.get(path) ?? '')
    return note === null ? { status: 404, text: 'There is nothing here.\n' } : { status: 200, text: note }
  }

  const server = createServer({ requestTimeout: requestTimeoutMilliseconds }, (request, response) => {
    void answerTo(request)
      .catch((error: unknown): Answer => {
        if (!request.complete)
          return { status: 400, text: 'The request did not end.\n', headers: { connection: 'close' } }
        warn(`a request failed: ${(error as Error).stack}`)
        // Nothing was kept and nothing is cosigned: the log may ask again.
        return { status: 503, text: 'The witness cannot answer now.\n', headers: { 'retry-after': '5' } }
      })
      .then((answer) => send(response, answer))
  })
  server.maxConnections = mostConnections
  return server
}

function cosigned(witness: Witness, body: Buffer, warn: (message: string) => void): Answer {
  const text = textOf(body)
  if (text === null) return { status: 400, text: 'The body is not UTF-8.\n' }
  try {
    return { status: 200, text: `${addCheckpoint(witness, text)}\n` }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { status, message, size, isEvidence } = error
    if (isEvidence) warn(`refused: ${message} ${JSON.stringify(text)}`)
    if (size === null) return { status, text: `${message}\n` }
    return { status, text: `${size}\n`, headers: { 'content-type': 'text/x.tlog.size' } }
  }
}

/** Null when it is longer than a submission can be. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let length = 0
  // Who sends too much is still told so.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bodyLimit) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function textOf(body: Buffer): string | null {
  const text = body.toString('utf8')
  return Buffer.from(text).equals(body) ? text : null
}

function send(response: ServerResponse, { status, text, headers }: Answer): void {
  const type = 'text/plain; charset=utf-8'
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff', ...headers }).end(text)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
