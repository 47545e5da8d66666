import { createServer, type AddressInfo, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { certificate, certificateKey } from './certificate.ts'

/** A message as it arrived. */
export interface Received {
  readonly raw: string
  readonly from: string
  readonly to: readonly string[]
  readonly isEncrypted: boolean
  /** Who had signed in. */
  readonly user: string | null
}

export interface MailPeer extends AsyncDisposable {
  readonly port: number
  readonly received: Received[]
}

/** Says what the server says to a whole message, by calling `queued` or not. */
export type MailAnswer = (message: Received, queued: () => void) => void

/** Another's mail server; it offers STARTTLS, and takes everything from everyone unless the options or `answer` say otherwise. */
export async function startMailPeer(
  options: SMTPServerOptions = {},
  answer: MailAnswer = (_, queued) => queued(),
): Promise<MailPeer> {
  const received: Received[] = []
  const server = new SMTPServer({
    key: certificateKey,
    cert: certificate,
    authOptional: true,
    closeTimeout: 100,
    async onData(stream, session, done) {
      const arrived = await buffer(stream).catch(() => null)
      if (arrived === null) return
      const raw = arrived.toString('latin1')
      const { mailFrom, rcptTo } = session.envelope
      const to = rcptTo.map(({ address }) => address)
      const user = (session.user as string | undefined) ?? null
      const from = mailFrom === false ? '' : mailFrom.address
      const message = { raw, from, to, isEncrypted: session.secure, user }
      received.push(message)
      answer(message, () => done(null, 'queued'))
    },
    ...options,
  })
  // A client that does not trust the certificate breaks off; that is its right.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

/** What a client can have said last when the server answers. */
export const stages = ['connect', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'message'] as const
export type Stage = (typeof stages)[number] | 'STARTTLS'

/** What a server can do in place of its answer: say that, nothing, a byte now and then, or end the connection. */
export type Misstep = { readonly say: string; readonly thenCloses?: true } | 'hang' | 'drip' | 'close' | 'reset'

/** A mail server that goes wrong at one stage; SMTP down to what a client needs. */
export async function startFailingMailPeer(
  at: Stage,
  misstep: Misstep,
): Promise<{ readonly port: number; connections(): number } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    converse(socket, at, misstep)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const answers: Readonly<Record<Stage, string>> = {
  connect: '220 peer',
  EHLO: '250-peer\r\n250 STARTTLS',
  STARTTLS: '220 go on',
  MAIL: '250 OK',
  RCPT: '250 OK',
  DATA: '354 go on',
  message: '250 queued',
}

/** Speaks SMTP with a client, down to what it needs, and goes wrong at one stage or at none. */
export function converse(socket: Socket, at: Stage | null, misstep: Misstep): void {
  const answer = (stage: Stage) => {
    if (stage === at) err(socket, misstep)
    // TLS is offered where it is what goes wrong.
    else socket.write(stage === 'EHLO' && at !== 'STARTTLS' ? '250 peer\r\n' : `${answers[stage]}\r\n`)
  }
  let isMessage = false
  let text = ''
  answer('connect')
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
    if (isMessage) {
      if (!text.endsWith('\r\n.\r\n')) return
      isMessage = false
      text = ''
      answer('message')
      return
    }
    if (text.startsWith('QUIT')) return void socket.end('221 bye\r\n')
    // Who is refused EHLO says HELO.
    const stage = [...stages, 'STARTTLS' as const].find((each) => text.replace(/^HELO/, 'EHLO').startsWith(each))
    if (stage === undefined || !text.endsWith('\r\n')) return
    isMessage = stage === 'DATA'
    text = ''
    answer(stage)
  })
}

function err(socket: Socket, misstep: Misstep): void {
  if (misstep === 'hang') return
  if (misstep === 'close') return void socket.end()
  if (misstep === 'reset') return void socket.resetAndDestroy()
  if (misstep !== 'drip') {
    socket.write(`${misstep.say}\r\n`)
    // Once the client has gone on.
    if (misstep.thenCloses === true) socket.once('data', () => socket.destroy())
    return
  }
  const drip = setInterval(() => socket.write('2'), 20)
  socket.once('close', () => clearInterval(drip))
}
