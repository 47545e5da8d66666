import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** What a name server says: IPv4 addresses, that there is no such name, or nothing at all. */
export type NameAnswer = readonly string[] | 'unknown' | 'silence'

export interface NameServer extends AsyncDisposable {
  /** `address:port` */
  readonly at: string
}

/** A name server on this machine (RFC 1035 §4.1) that has no IPv6 addresses. */
export async function startNameServer(answer: (name: string) => NameAnswer): Promise<NameServer> {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const { name, end } = questionOf(query)
    const given = answer(name)
    if (given === 'silence') return
    const addresses = given !== 'unknown' && query.readUInt16BE(end - 4) === 1 ? given : []
    const head = Buffer.from(query.subarray(0, 12))
    head.writeUInt16BE(given === 'unknown' ? 0x8183 : 0x8180, 2)
    for (const [offset, count] of [1, addresses.length, 0, 0].entries()) head.writeUInt16BE(count, 4 + offset * 2)
    const records = addresses.map((address) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]),
    )
    socket.send(Buffer.concat([head, query.subarray(12, end), ...records]), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    at: `127.0.0.1:${socket.address().port}`,
    async [Symbol.asyncDispose]() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

function questionOf(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let place = 12
  for (let length = query[place] ?? 0; length > 0; length = query[place] ?? 0) {
    labels.push(query.toString('latin1', place + 1, place + 1 + length))
    place += length + 1
  }
  return { name: labels.join('.').toLowerCase(), end: place + 5 }
}
