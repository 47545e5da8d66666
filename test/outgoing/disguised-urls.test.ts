import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callOut } from '../../src/outgoing/call-out.ts'
import { systemNetwork, type Network } from '../../src/outgoing/network.ts'
import { disguisedNames, disguisedUrls, type DisguisedUrl } from '../helpers/disguised-urls.ts'
import { http, startListening, type Listening } from '../helpers/listening.ts'
import { postTo, roads, strict } from '../helpers/roads.ts'

/** Listens on every address of this machine, of both families where it has both. */
let canary: Listening

beforeAll(async () => {
  const serve = http((_, reply) => reply.end('reached'))
  canary = await startListening(serve, { host: '::' }).catch(() => startListening(serve, { host: '0.0.0.0' }))
})

afterAll(async () => {
  await canary[Symbol.asyncDispose]()
})

/** The names of the table, and otherwise the network as it is. */
const realRoads: Network = { ...systemNetwork, resolve: (hostname) => roads(disguisedNames).resolve(hostname) }

it('knows at least 120 disguises, each once', () => {
  expect(disguisedUrls.length).toBeGreaterThanOrEqual(120)
  expect(new Set(disguisedUrls.map(({ form }) => form)).size).toBe(disguisedUrls.length)
  expect(new Set(disguisedUrls.map(({ url }) => url(8))).size).toBe(disguisedUrls.length)
})

describe('a forbidden address is reached neither at its own socket nor at a canary that every road leads to', () => {
  it.each(disguisedUrls)('$form', async ({ url }) => {
    const call = postTo(url(canary.port))
    const everyRoad = roads(disguisedNames)
    expect(await callOut(realRoads, strict, call)).toMatchObject({ kind: 'refused' })
    expect(await callOut(everyRoad, strict, call)).toMatchObject({ kind: 'refused' })
    expect(everyRoad.dialled).toEqual([])
    expect(canary.connections).toBe(0)
  })

  it('and neither is this machine by the names that its own resolver knows', async () => {
    for (const name of ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]']) {
      expect(await callOut(systemNetwork, strict, postTo(`http://${name}:${canary.port}/`))).toMatchObject({
        kind: 'refused',
      })
    }
  })

  // Connections are taken in the order in which they came: an earlier one would have been counted before this one.
  it('while the canary notices an allowed call, so it would have noticed these', async () => {
    const allowed = { ...strict, allow: ['127.0.0.1'] }
    expect(await callOut(systemNetwork, allowed, postTo(`http://127.0.0.1:${canary.port}/`))).toMatchObject({
      kind: 'answered',
      status: 200,
    })
    expect(canary.connections).toBe(1)
  })

  it('and without the guard they do lead there', async () => {
    const off = { ...strict, mode: 'disabled' } as const
    const isReal = ({ form, url }: DisguisedUrl) =>
      URL.parse(url(1))?.protocol === 'http:' && !isRefusedAnyway.test(form)
    const real = disguisedUrls.filter(isReal)
    expect(real.length).toBeGreaterThanOrEqual(120)
    for (const { form, url } of real) {
      const outcome = await callOut(roads(disguisedNames), off, postTo(url(canary.port)))
      expect(outcome, form).toMatchObject({ kind: 'answered', status: 200 })
    }
  })
})

const isRefusedAnyway = /(none|many|unreadable(-mixed|-empty)?)\.example/
