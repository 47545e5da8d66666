import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { provePersonPassword, setPersonPassword } from '../../src/identity/credentials/person-password.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { startFactorWorld, type FactorWorld, type Voter } from '../helpers/factors.ts'

describe.each(['postgres', 'pglite'] as const)('the password of a person on %s', { timeout: 60_000 }, (engine) => {
  let world: FactorWorld
  let ada: Voter
  beforeAll(async () => {
    world = await startFactorWorld({ engine })
    ada = await world.voter('Ada', 'first')
    await world.voter('Ben')
  })
  afterAll(() => world.close())

  const prove = async (email: string, password: string) =>
    await provePersonPassword(world.ctx, email, password).catch((error: { code: string }) => error.code)

  it('proves them by their address, whatever its case', async () => {
    expect(await prove('ada@example.com', 'first')).toBe(ada.personId)
    expect(await prove('ADA@Example.com', 'first')).toBe(ada.personId)
  })

  it.each([
    ['ada@example.com', 'second'],
    ['ada@example.com', ''],
    ['ben@example.com', 'first'],
    ['nobody@example.com', 'first'],
  ])('is not told apart from an unknown one: %s %s', async (email, password) => {
    expect(await prove(email, password)).toBe('CREDENTIALS_INVALID')
  })

  it('is kept by a hash that is made for passwords', async () => {
    const rows = await world.ctx.db.selectFrom('person_credentials').select('hash').execute()
    expect(rows.map(({ hash }) => hash?.slice(0, 30))).toEqual(['$argon2id$v=19$m=19456,t=2,p=1'])
  })

  it('gives way to another', async () => {
    await transact(world.ctx, null, (tx) => setPersonPassword(world.ctx, tx, ada.personId, 'second'))
    expect(await prove('ada@example.com', 'first')).toBe('CREDENTIALS_INVALID')
    expect(await prove('ada@example.com', 'second')).toBe(ada.personId)
  })

  it.each(['ada@example.com', 'nobody@example.com'])('can be guessed at 20 times a minute: %s', async (email) => {
    world.clock.advance(60_000)
    const guesses: string[] = []
    for (let guess = 0; guess < 21; guess++) guesses.push(await prove(email, `guess ${guess}`))
    expect(new Set(guesses.slice(0, 20))).toEqual(new Set(['CREDENTIALS_INVALID']))
    expect(guesses[20]).toBe('TOO_MANY_REQUESTS')
    world.clock.advance(60_000)
    expect(await prove(email, 'guess')).toBe('CREDENTIALS_INVALID')
  })
})
