import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { before, type Deadline } from './deadline.ts'
import { bodyLimit, type PlannedCall } from './plan-call.ts'
import { codeOf, Stopped } from './stopped.ts'

export interface Answer {
  readonly status: number
  /** At most 1 MiB of it, as it came. */
  readonly body: Buffer
  readonly isWhole: boolean
}

/** In bytes. */
const headerLimit = 16 * 1024
const mostInterimAnswers = 10

/** Sends a call over an open connection, reads the answer and closes. Redirects are answers. @throws Stopped failed */
export async function exchange(socket: Duplex, call: PlannedCall, deadline: Deadline): Promise<Answer> {
  try {
    return await before(deadline, answerOver(socket, call))
  } catch (error) {
    if (error instanceof Stopped) throw error
    throw new Stopped('failed', `${call.hostname} gave no answer that could be read: ${codeOf(error)}.`)
  } finally {
    socket.destroy()
  }
}

function answerOver(socket: Duplex, { hostname, method, path, headers, body }: PlannedCall): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Without an agent nothing is kept, shared, or sent through a proxy that the environment names.
    const request = httpRequest({
      createConnection: () => socket,
      method,
      path,
      headers,
      setHost: false,
      maxHeaderSize: headerLimit,
      insecureHTTPParser: false,
    })
    request.on('error', reject)
    const changed = () => reject(new Stopped('failed', `${hostname} changed to another protocol.`))
    request.on('upgrade', changed)
    let interimAnswers = 0
    request.on('information', () => {
      interimAnswers += 1
      if (interimAnswers > mostInterimAnswers) {
        reject(new Stopped('failed', `${hostname} gave too many interim answers.`))
      }
    })
    request.on('response', (response) => {
      // Without the header that names the protocol it is no upgrade to the parser, and is no answer either.
      if (response.statusCode === 101) changed()
      else read(response).then(resolve, reject)
    })
    // Bytes: beside a string, the headers would be sent in its encoding and not in theirs.
    request.end(body)
  })
}

async function read(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0
  const chunks: Buffer[] = []
  let length = 0
  // Leaving the loop early destroys the response and its connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > bodyLimit) return { status, body: Buffer.concat(chunks).subarray(0, bodyLimit), isWhole: false }
  }
  return { status, body: Buffer.concat(chunks), isWhole: true }
}
