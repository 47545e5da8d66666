import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startedSignIn } from '../helpers/sign-in.ts'
import { startWorld, type Answer, type World } from '../helpers/world.ts'

const outcome = ({ status, body }: Answer) => (status === 200 ? 200 : `${status} ${body.code}`)
const tally = (answers: readonly Answer[]) =>
  Object.fromEntries(
    [...Map.groupBy(answers, outcome)].map(([what, same]): [string, number] => [String(what), same.length]),
  )
const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))
const token = (world: World, proof: unknown) => world.anyone.post('/auth/cli/token', proof)
const refresh = (world: World, refreshToken: string) => world.anyone.post('/auth/cli/refresh', { refreshToken })

describe.each([
  ['PGlite', async () => await startWorld({ engine: 'pglite' })],
  ['PostgreSQL', async () => await startWorld({ engine: 'postgres' })],
])('on %s', (_engine, start) => {
  let world: World
  beforeAll(async () => void (world = await start()))
  afterAll(() => world.close())

  it('ten people who sign in first at once: one organization admin, each registered once', async () => {
    const proofs = await times(10, (index) => startedSignIn(world, `p${index % 5}@example.com`))
    const answers = await times(10, (index) => token(world, proofs[index]))
    expect(tally(answers)).toEqual({ '200': 10 })
    const subjects = new Set(answers.map(({ body }) => decodeJwt(body.accessToken).sub))
    expect(subjects.size).toBe(5)
    const admins = await world.ctx.db.selectFrom('organization_admins').select('principal_id').execute()
    expect(admins).toHaveLength(1)
    expect(subjects).toContain(admins[0]?.principal_id)
    const people = await world.ctx.db.selectFrom('principals').select('id').execute()
    expect(people).toHaveLength(5)
  })

  it('POST /auth/cli/token twice at once: one 200, the other 409 PKCE_CODE_CONCURRENCY_CONFLICT, or 400 when it came late', async () => {
    for (let round = 0; round < 5; round++) {
      const proof = await startedSignIn(world, `round${round}@example.com`)
      const answers = await times(2, () => token(world, proof))
      const { '409 PKCE_CODE_CONCURRENCY_CONFLICT': lost = 0, '400 PKCE_CODE_ALREADY_USED': late = 0 } = tally(answers)
      expect(tally(answers)).toMatchObject({ '200': 1 })
      expect(lost + late).toBe(1)
      const after = await token(world, proof)
      expect(outcome(after)).toBe('400 PKCE_CODE_ALREADY_USED')
    }
  })

  it('POST /auth/cli/refresh many times at once: each 200 or 409 REFRESH_TOKEN_CONCURRENT_UPDATE, at least one 200', async () => {
    const { body } = await token(world, await startedSignIn(world, 'ben@example.com'))
    const answers = await times(8, () => refresh(world, body.refreshToken))
    const { '200': renewed = 0, '409 REFRESH_TOKEN_CONCURRENT_UPDATE': lost = 0 } = tally(answers)
    expect(renewed).toBeGreaterThan(0)
    expect(renewed + lost).toBe(8)
    // Whoever lost tries again and is within the grace.
    expect((await refresh(world, body.refreshToken)).status).toBe(200)
    const pairs = answers.filter(({ status }) => status === 200).map((answer) => answer.body.refreshToken)
    expect(new Set(pairs).size).toBe(renewed)
  })

  it('a reuse found while the newest token is refreshed leaves no token of the family alive', async () => {
    for (let round = 0; round < 5; round++) {
      const signedIn = await token(world, await startedSignIn(world, 'thief@example.com'))
      const first = signedIn.body.refreshToken
      const second = (await refresh(world, first)).body.refreshToken
      world.clock.advance(31_000)
      const [reuse, renewal] = await Promise.all([refresh(world, first), refresh(world, second)])
      expect(outcome(reuse)).toBe('409 REFRESH_TOKEN_REUSE_DETECTED')
      const newest = renewal.status === 200 ? renewal.body.refreshToken : second
      expect(outcome(await refresh(world, newest))).toBe('401 REFRESH_TOKEN_REVOKED')
      const alive = await world.ctx.db
        .selectFrom('refresh_tokens')
        .select('token_hash')
        .where('principal_id', '=', decodeJwt(signedIn.body.accessToken).sub ?? '')
        .where('revoked_at', 'is', null)
        .execute()
      expect(alive).toEqual([])
    }
  })
})
