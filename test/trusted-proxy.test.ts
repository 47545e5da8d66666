import { expect, test } from 'vitest'
import { startWorld, type World } from './helpers/world.ts'

const forwarded = {
  'x-forwarded-for': '198.51.100.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'quorate.example',
}

/** The Location that a proxy at `remoteAddress` gets for its client. */
async function locationThrough(world: World, remoteAddress: string, headers: Record<string, string> = forwarded) {
  const ada = await world.person(`Ada${world.ctx.newId()}`, { admin: true })
  const answer = await world.app.inject({
    method: 'POST',
    url: '/groups',
    remoteAddress,
    headers: { authorization: `Bearer ${ada.token}`, host: 'inside:8080', ...headers },
    payload: { name: `g${world.ctx.newId()}` },
  })
  return String(answer.headers['location']).split('/groups/')[0]
}

/** Whether the server takes two calls as coming from two addresses. */
async function tellsApart(world: World, remoteAddress: string, first: string, second: string): Promise<boolean> {
  world.clock.advance(1_000)
  const ask = async (client: string) =>
    (await world.app.inject({ url: '/health', remoteAddress, headers: { 'x-forwarded-for': client } })).statusCode
  expect(await ask(first)).toBe(200)
  return (await ask(second)) === 200
}

const start = (trust?: string) =>
  startWorld({ env: { QUORATE_RATE_LIMIT: '600', ...(trust !== undefined && { QUORATE_TRUST_PROXY: trust }) } })

test('without a trusted proxy forwarded headers are ignored', async () => {
  await using world = await start()
  expect(await locationThrough(world, '127.0.0.1')).toBe('http://inside:8080')
  expect(await tellsApart(world, '127.0.0.1', '198.51.100.7', '198.51.100.8')).toBe(false)
})

test('a trusted proxy tells scheme, host and address of its client', async () => {
  await using world = await start('10.0.0.0/8, ::1')
  expect(await locationThrough(world, '10.1.2.3')).toBe('https://quorate.example')
  expect(await locationThrough(world, '::1')).toBe('https://quorate.example')
  expect(await tellsApart(world, '10.1.2.3', '198.51.100.7', '198.51.100.8')).toBe(true)
})

test('anyone else who sends such headers is not believed', async () => {
  await using world = await start('10.0.0.0/8')
  expect(await locationThrough(world, '11.1.2.3')).toBe('http://inside:8080')
  expect(await tellsApart(world, '11.1.2.3', '198.51.100.7', '198.51.100.8')).toBe(false)
})

test('what a client wrote before the trusted proxy added its address is not believed', async () => {
  await using world = await start('10.0.0.0/8')
  expect(await tellsApart(world, '10.1.2.3', '192.0.2.1, 198.51.100.7', '192.0.2.2, 198.51.100.7')).toBe(false)
})

test('a number of proxies is counted from the server outwards', async () => {
  await using world = await start('2')
  const chain = (client: string) => `192.0.2.99, ${client}, 203.0.113.1`
  expect(await tellsApart(world, '10.1.2.3', chain('198.51.100.7'), chain('198.51.100.8'))).toBe(true)
  const spoofed = (lie: string) => `${lie}, 198.51.100.7, 203.0.113.1`
  expect(await tellsApart(world, '10.1.2.3', spoofed('192.0.2.1'), spoofed('192.0.2.2'))).toBe(false)
  expect(await locationThrough(world, '10.1.2.3')).toBe('https://quorate.example')
})

test('a public URL that is configured wins over what a proxy says', async () => {
  const env = { QUORATE_TRUST_PROXY: '1', QUORATE_PUBLIC_URL: 'https://fixed.example' }
  await using world = await startWorld({ env })
  expect(await locationThrough(world, '10.1.2.3')).toBe('https://fixed.example')
})
