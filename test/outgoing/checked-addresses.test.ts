import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GuardConfig } from '../../src/config/delivery.ts'
import { callOut } from '../../src/outgoing/call-out.ts'
import { systemNetwork, type Network } from '../../src/outgoing/network.ts'
import { http, startListening, type Listening } from '../helpers/listening.ts'
import { postTo, publicAddress, roads, strict, type Names } from '../helpers/roads.ts'

let server: Listening

beforeAll(async () => {
  server = await startListening(http((_, reply) => reply.end('reached')))
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

const call = (host: string) => postTo(`http://${host}:${server.port}/`)

async function outcomeOf(host: string, names: Names, guard: GuardConfig = strict) {
  const network = roads(names)
  const outcome = await callOut(network, guard, call(host))
  return { ...outcome, ...network }
}

describe('a name', () => {
  it('is resolved once, and the address that was checked is dialled', async () => {
    const names = { 'host.example': [publicAddress] }
    expect(await outcomeOf('host.example', names)).toMatchObject({
      kind: 'answered',
      asked: ['host.example'],
      dialled: [publicAddress],
    })
  })

  it('that resolves to another address the second time (DNS rebinding) is not asked a second time', async () => {
    const answers = [[publicAddress], ['127.0.0.1']]
    const names = { 'host.example': () => answers.shift() ?? ['127.0.0.1'] }
    expect(await outcomeOf('host.example', names)).toMatchObject({ asked: ['host.example'], dialled: [publicAddress] })
    expect(answers).toEqual([['127.0.0.1']])
    expect(await outcomeOf('host.example', names)).toMatchObject({ kind: 'refused', dialled: [] })
  })

  it.each([
    ['10.0.0.1', publicAddress],
    [publicAddress, '10.0.0.1'],
  ])('is refused if any of its addresses is forbidden: %s, %s', async (...addresses) => {
    expect(await outcomeOf('host.example', { 'host.example': addresses })).toMatchObject({
      kind: 'refused',
      reason: 'The address 10.0.0.1 of host.example is not allowed.',
      dialled: [],
    })
  })

  it('is refused without addresses and with more than 20', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `93.184.215.${index}`)
    expect(await outcomeOf('host.example', { 'host.example': [] })).toMatchObject({
      kind: 'refused',
      reason: 'host.example has no address.',
    })
    expect(await outcomeOf('host.example', { 'host.example': many(20) })).toMatchObject({ kind: 'answered' })
    for (const mode of ['strict', 'disabled'] as const) {
      expect(
        await outcomeOf('host.example', { 'host.example': many(21) }, { mode, allow: ['host.example'] }),
      ).toMatchObject({
        kind: 'refused',
        reason: 'host.example has more than 20 addresses.',
      })
    }
  })

  it('is refused with an address that cannot be read, also where nothing else is: it would be resolved again', async () => {
    for (const guard of [
      strict,
      { mode: 'strict', allow: ['host.example'] },
      { mode: 'disabled', allow: [] },
    ] as const) {
      expect(await outcomeOf('host.example', { 'host.example': [publicAddress, '127.1'] }, guard)).toMatchObject({
        kind: 'refused',
        reason: 'host.example has an address that cannot be read.',
        dialled: [],
      })
    }
  })

  it('that does not resolve may resolve later', async () => {
    expect(await outcomeOf('host.example', {})).toMatchObject({
      kind: 'failed',
      reason: 'host.example could not be resolved: ENOTFOUND.',
    })
  })

  it('whose resolver never answers is given up in time', async () => {
    const network: Network = { ...systemNetwork, resolve: () => new Promise(() => {}) }
    expect(await callOut(network, strict, { ...call('host.example'), timeoutMilliseconds: 50 })).toEqual({
      kind: 'failed',
      reason: 'No whole answer came within 0.05 s.',
    })
  })

  it('with further addresses is reached at the first that answers', async () => {
    const network = roads({ 'host.example': [publicAddress, '93.184.215.15', '93.184.215.16'] })
    const dial: Network['dial'] = (options, isTls) => {
      const reached = network.dial(options, isTls)
      return options.host === '93.184.215.16' ? reached : systemNetwork.dial({ host: '127.0.0.1', port: 1 }, isTls)
    }
    expect(await callOut({ ...network, dial }, strict, call('host.example'))).toMatchObject({ kind: 'answered' })
    expect(network.dialled).toEqual([publicAddress, '93.184.215.15', '93.184.215.16'])
  })

  it('with a first address that swallows everything leaves time for the second', async () => {
    const network = roads({ 'host.example': [publicAddress, '93.184.215.15'] })
    const dial: Network['dial'] = (options, isTls) =>
      options.host === publicAddress ? new PassThrough() : network.dial(options, isTls)
    const outcome = await callOut({ ...network, dial }, strict, {
      ...call('host.example'),
      timeoutMilliseconds: 1_000,
    })
    expect(outcome).toMatchObject({ kind: 'answered' })
  })

  it('none of whose addresses answers has failed', async () => {
    const network: Network = {
      ...roads({ 'host.example': [publicAddress, '93.184.215.15'] }),
      dial: (_, isTls) => systemNetwork.dial({ host: '127.0.0.1', port: 1 }, isTls),
    }
    expect(await callOut(network, strict, call('host.example'))).toEqual({
      kind: 'failed',
      reason: 'host.example could not be reached: ECONNREFUSED.',
    })
  })
})

describe('an address in a URL', () => {
  it('is not resolved', async () => {
    expect(await outcomeOf(publicAddress, {})).toMatchObject({ kind: 'answered', asked: [], dialled: [publicAddress] })
    expect(await outcomeOf('[2606:4700::1111]', {})).toMatchObject({ asked: [], dialled: ['2606:4700::1111'] })
  })

  it('is refused by its name', async () => {
    expect(await outcomeOf('127.1', {})).toMatchObject({ reason: 'The address 127.0.0.1 is not allowed.' })
    expect(await outcomeOf('[::1]', {})).toMatchObject({ reason: 'The address ::1 is not allowed.' })
  })

  it('that maps a public IPv4 address is that address', async () => {
    expect(await outcomeOf(`[::ffff:${publicAddress}]`, {})).toMatchObject({ kind: 'answered' })
  })
})

describe('the allow-list', () => {
  const names = {
    'host.example': ['10.0.0.1', '::1'],
    'host.example.': ['10.0.0.1', '::1'],
    'sub.host.example': ['10.0.0.1'],
    'other.example': ['10.0.0.1'],
  }
  const kindOf = async (host: string, ...allow: string[]) =>
    (await outcomeOf(host, names, { mode: 'strict', allow })).kind

  it('lets all addresses of a host name through, whatever its case and with a dot at its end', async () => {
    for (const host of ['host.example', 'HOST.Example', 'host.example.']) {
      expect(await kindOf(host, 'host.example'), host).toBe('answered')
    }
    expect(await kindOf('host.example', 'HOST.example.')).toBe('answered')
  })

  it('lets no other name of the same address through, nor the address', async () => {
    for (const host of ['sub.host.example', 'other.example', '10.0.0.1', 'user:host.example@10.0.0.1']) {
      expect(await kindOf(host, 'host.example'), host).toBe('refused')
    }
    expect(await kindOf('sub.host.example', 'example')).toBe('refused')
  })

  it('lets an address through, in a URL and of a name, and no other', async () => {
    expect(await kindOf('10.0.0.1', '10.0.0.1')).toBe('answered')
    expect(await kindOf('[::ffff:10.0.0.1]', '10.0.0.1')).toBe('answered')
    expect(await kindOf('other.example', '10.0.0.1')).toBe('answered')
    expect(await kindOf('10.0.0.2', '10.0.0.1')).toBe('refused')
    expect(await kindOf('host.example', '10.0.0.1')).toBe('refused')
    expect(await kindOf('host.example', '10.0.0.1', '::1')).toBe('answered')
  })

  it('lets a network through, and none beside it', async () => {
    expect(await kindOf('other.example', '10.0.0.0/8')).toBe('answered')
    expect(await kindOf('10.255.255.255', '10.0.0.0/8')).toBe('answered')
    expect(await kindOf('192.168.0.1', '10.0.0.0/8')).toBe('refused')
    expect(await kindOf('[fd00::1]', 'fc00::/7')).toBe('answered')
    expect(await kindOf('[fe80::1]', 'fc00::/7')).toBe('refused')
  })

  it('is not what takes a public address away', async () => {
    expect(await kindOf(publicAddress, '10.0.0.0/8', 'other.example')).toBe('answered')
  })
})

it('lets every address through where the guard is disabled', async () => {
  const off = { mode: 'disabled', allow: [] } as const
  expect(await outcomeOf('127.0.0.1', {}, off)).toMatchObject({ kind: 'answered' })
  expect(await outcomeOf('host.example', { 'host.example': ['10.0.0.1'] }, off)).toMatchObject({ kind: 'answered' })
})
