import { once } from 'node:events'
import { createServer, type TLSSocket } from 'node:tls'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { callOut } from '../../src/outgoing/call-out.ts'
import { systemNetwork, type Network } from '../../src/outgoing/network.ts'
import { certificate, certificateKey } from '../helpers/certificate.ts'
import { http, saying, startListening } from '../helpers/listening.ts'
import { postTo, publicAddress, roads, strict } from '../helpers/roads.ts'

const names = { 'hooks.example': [publicAddress], 'hooks.example.': [publicAddress], 'other.example': [publicAddress] }

afterEach(() => {
  vi.unstubAllEnvs()
})

async function overTls(host: string, network: Network = roads(names), allow: readonly string[] = []) {
  await using server = await startListening(
    http((_, reply) => reply.end()),
    { tls: true },
  )
  return await callOut(network, { mode: 'strict', allow }, postTo(`https://${host}:${server.port}/`))
}

describe('over https', () => {
  it('the certificate must be for the name, not for the address that was dialled', async () => {
    expect(await overTls('hooks.example')).toMatchObject({ kind: 'answered', status: 200 })
    expect(await overTls('HOOKS.example.')).toMatchObject({ kind: 'answered', status: 200 })
    expect(await overTls('other.example')).toEqual({
      kind: 'failed',
      reason: 'other.example could not be reached: ERR_TLS_CERT_ALTNAME_INVALID.',
    })
  })

  it('the certificate of an address in the URL must be for that address', async () => {
    const network: Network = {
      ...systemNetwork,
      dial: (options, isTls) => {
        const socket = connect(Number(options.port), '127.0.0.1')
        return systemNetwork.dial({ ...options, socket, ca: certificate }, isTls)
      },
    }
    expect(await overTls(publicAddress, network)).toEqual({
      kind: 'failed',
      reason: `${publicAddress} could not be reached: ERR_TLS_CERT_ALTNAME_INVALID.`,
    })
    expect(await overTls('127.0.0.1', network, ['127.0.0.1'])).toMatchObject({ kind: 'answered' })
  })

  it('a certificate that nobody vouches for is refused, also where the process is told to accept any', async () => {
    const network: Network = {
      ...roads(names),
      dial: (options, isTls) => systemNetwork.dial({ ...options, host: '127.0.0.1' }, isTls),
    }
    for (const setting of ['1', '0']) {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', setting)
      expect(await overTls('hooks.example', network)).toEqual({
        kind: 'failed',
        reason: 'hooks.example could not be reached: DEPTH_ZERO_SELF_SIGNED_CERT.',
      })
    }
  })

  it('the server is told a name without its dot, no address (RFC 6066 §3), and HTTP/1.1', async () => {
    const told: unknown[] = []
    const server = createServer(
      { key: certificateKey, cert: certificate, ALPNProtocols: ['h2', 'http/1.1'] },
      (socket) => {
        told.push((socket as TLSSocket & { servername: unknown }).servername, socket.alpnProtocol)
        saying('HTTP/1.1 200 OK\r\n\r\n')(socket)
      },
    )
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const allowed = { ...strict, allow: ['127.0.0.1'] }
    for (const host of ['hooks.example.', '127.0.0.1']) {
      const outcome = await callOut(roads(names), allowed, postTo(`https://${host}:${port}/`))
      expect(outcome).toMatchObject({ kind: 'answered' })
    }
    server.close()
    expect(told).toEqual(['hooks.example', 'http/1.1', false, 'http/1.1'])
  })

  it.each([
    ['speaks no TLS', saying('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['resets the handshake', (socket: Socket) => socket.resetAndDestroy()],
    ['ends the handshake', (socket: Socket) => socket.end()],
  ])('a server that %s gives no answer', async (_, serve) => {
    await using server = await startListening(serve)
    const call = postTo(`https://hooks.example:${server.port}/`, { timeoutMilliseconds: 2_000 })
    expect(await callOut(roads(names), strict, call)).toMatchObject({ kind: 'failed' })
  })

  it('a handshake that never ends is given up in time, and its connection closed', async () => {
    await using server = await startListening(() => {})
    const call = postTo(`https://hooks.example:${server.port}/`, { timeoutMilliseconds: 100 })
    expect(await callOut(roads(names), strict, call)).toEqual({
      kind: 'failed',
      reason: 'No whole answer came within 0.1 s.',
    })
    await server.left()
  })
})
