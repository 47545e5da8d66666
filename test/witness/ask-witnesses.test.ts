import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askWitness, type Asked } from '../../src/audit/ask-witnesses.ts'
import { headOfSize, latestHead } from '../../src/audit/checkpoint.ts'
import { sealNow } from '../../src/audit/seal.ts'
import type { Ctx } from '../../src/context.ts'
import { AppError } from '../../src/errors.ts'
import { startWitnessing } from '../../src/jobs/witnessing.ts'
import { cosigner } from '../../src/proof/cosignature.ts'
import { parseVerifierKey, signatureLine, verifierKeyText, type NoteSigner } from '../../src/proof/note.ts'
import { findLatestCheckpoint } from '../../src/store/log-reads.ts'
import { http, startListening } from '../helpers/listening.ts'
import { addLeaves, logOf } from '../helpers/log.ts'
import { orgId } from '../helpers/quorum.ts'
import { newKey } from '../helpers/small-log.ts'
import type { WitnessProcess } from '../helpers/witness-process.ts'
import { grow, logVerifierKeys, read, witnessedBy, Witnesses } from '../helpers/witnessed.ts'
import { startWorld, type World } from '../helpers/world.ts'

let world: World
let witnesses: Witnesses
let origin: string

beforeEach(async () => {
  world = await startWorld()
  witnesses = new Witnesses()
  origin = `quorate.local/log/${orgId}`
})

afterEach(async () => {
  await witnesses[Symbol.asyncDispose]()
  await world.close()
})

const ask = async (ctx: Ctx, index = 0): Promise<Asked> => {
  const witness = ctx.config.witnesses.asked[index]
  if (witness === undefined) throw new Error(`no witness ${index}`)
  return await askWitness(ctx, orgId, witness)
}

const published = async (ctx: Ctx, ...by: readonly WitnessProcess[]) => {
  const found = await latestHead(ctx, orgId).catch(nullWhenThereIsNone)
  if (found === null) return null
  const keys = [...(await logVerifierKeys(ctx)).map(parseVerifierKey), ...by.map(({ key }) => key)]
  const { size, signers } = read(found.note, keys)
  expect(found.size).toBe(size)
  return { size, signers }
}

const nullWhenThereIsNone = (error: unknown): null => {
  if (error instanceof AppError && error.code === 'LOG_CHECKPOINT_NOT_FOUND') return null
  throw error
}

const newestSize = async (ctx: Ctx) => Number((await findLatestCheckpoint(ctx.db, orgId))?.size)

describe('a server with a witness', () => {
  it('publishes the checkpoint with a cosignature that verifies', async () => {
    const witness = await witnesses.start(world.ctx, 'w1')
    const ctx = witnessedBy(world.ctx, [witness])
    await grow(ctx, 300)
    expect(await published(ctx, witness)).toBeNull()
    expect(await headOfSize(ctx, orgId, await newestSize(ctx))).toBeNull()
    expect(await ask(ctx)).toEqual({ kind: 'cosigned' })
    expect(await headOfSize(ctx, orgId, await newestSize(ctx))).not.toBeNull()
    expect(await published(ctx, witness)).toEqual({ size: await newestSize(ctx), signers: [origin, 'w1'] })
    expect(await ask(ctx)).toEqual({ kind: 'nothing to cosign' })
    await grow(ctx, 700)
    expect(await ask(ctx)).toEqual({ kind: 'cosigned' })
    expect(await published(ctx, witness)).toEqual({ size: await newestSize(ctx), signers: [origin, 'w1'] })
  })

  it('proves from the size that the witness names, where another had cosigned what this one does not know of', async () => {
    const witness = await witnesses.start(world.ctx, 'w1')
    const ctx = witnessedBy(world.ctx, [witness])
    await grow(ctx, 5)
    const first = (await findLatestCheckpoint(ctx.db, orgId))?.note ?? ''
    expect((await witness.submit(`old 0\n\n${first}`)).status).toBe(200)
    await grow(ctx, 300)
    expect(await ask(ctx)).toEqual({ kind: 'cosigned' })
    expect(await published(ctx, witness)).toMatchObject({ size: await newestSize(ctx) })
  })

  it('has a checkpoint cosigned again that the witness knows and this server has no cosignature of', async () => {
    const witness = await witnesses.start(world.ctx, 'w1')
    const ctx = witnessedBy(world.ctx, [witness])
    await grow(ctx, 5)
    const newest = (await findLatestCheckpoint(ctx.db, orgId))?.note ?? ''
    expect((await witness.submit(`old 0\n\n${newest}`)).status).toBe(200)
    expect(await ask(ctx)).toEqual({ kind: 'cosigned' })
  })

  it('takes the newest where the witness knows a newer one than that which the others have cosigned', async () => {
    const [one, two] = [await witnesses.start(world.ctx, 'w1'), await witnesses.start(world.ctx, 'w2')]
    const ctx = witnessedBy(world.ctx, [one, two])
    await grow(ctx, 5)
    await ask(ctx, 0)
    await grow(ctx, 5)
    const newest = (await findLatestCheckpoint(ctx.db, orgId))?.note ?? ''
    expect((await two.submit(`old 0\n\n${newest}`)).status).toBe(200)
    expect(await ask(ctx, 1)).toEqual({ kind: 'cosigned' })
    await ask(ctx, 0)
    expect(await published(ctx, one, two)).toEqual({ size: await newestSize(ctx), signers: [origin, 'w1', 'w2'] })
  })

  it('publishes nothing newer while the witness is away, seals on, and catches up', async () => {
    const witness = await witnesses.start(world.ctx, 'w1')
    const ctx = witnessedBy(world.ctx, [witness])
    await grow(ctx, 3)
    await ask(ctx)
    const before = await published(ctx, witness)
    await witness.kill()
    await grow(ctx, 3)
    expect(await ask(ctx)).toMatchObject({ kind: 'failed', reason: expect.stringContaining('could not be reached') })
    expect(await published(ctx, witness)).toEqual(before)
    await witnesses.start(world.ctx, 'w1', Number(new URL(witness.url).port))
    expect(await ask(ctx)).toEqual({ kind: 'cosigned' })
    expect(await published(ctx, witness)).toEqual({ size: await newestSize(ctx), signers: [origin, 'w1'] })
  })

  it('publishes what its quorum has cosigned, with all cosignatures that there are', async () => {
    const [one, two] = [await witnesses.start(world.ctx, 'w1'), await witnesses.start(world.ctx, 'w2')]
    const [both, either] = [witnessedBy(world.ctx, [one, two]), witnessedBy(world.ctx, [one, two], 1)]
    await grow(both, 3)
    const first = await newestSize(both)
    await ask(both, 0)
    expect(await published(either, one, two)).toEqual({ size: first, signers: [origin, 'w1'] })
    expect(await published(both, one, two)).toBeNull()
    await grow(both, 3)
    // The second joins the first where that is, so that both have cosigned the same.
    await ask(both, 1)
    expect(await published(both, one, two)).toEqual({ size: first, signers: [origin, 'w1', 'w2'] })
    await ask(both, 1)
    const second = await newestSize(both)
    expect(await published(either, one, two)).toEqual({ size: second, signers: [origin, 'w2'] })
    expect(await published(both, one, two)).toMatchObject({ size: first })
    await ask(both, 0)
    expect(await published(both, one, two)).toEqual({ size: second, signers: [origin, 'w1', 'w2'] })
  })

  it('does not count a witness that is configured no more', async () => {
    const [one, two] = [await witnesses.start(world.ctx, 'w1'), await witnesses.start(world.ctx, 'w2')]
    const before = witnessedBy(world.ctx, [one])
    await grow(before, 3)
    await ask(before)
    const after = witnessedBy(world.ctx, [two])
    expect(await published(after, one, two)).toBeNull()
    await ask(after)
    expect(await published(after, two)).toMatchObject({ signers: [origin, 'w2'] })
  })

  it('asks in rounds, and goes on with the one that answers while the other does not', async () => {
    const [one, two] = [await witnesses.start(world.ctx, 'w1'), await witnesses.start(world.ctx, 'w2')]
    const ctx = witnessedBy(world.ctx, [one, two], 1)
    await two.kill()
    const end = startWitnessing(ctx)
    try {
      for (let round = 0; round < 3; round += 1) {
        await grow(ctx, 2)
        const size = await newestSize(ctx)
        await expect.poll(() => published(ctx, one), { timeout: 5_000 }).toEqual({ size, signers: [origin, 'w1'] })
      }
    } finally {
      await end()
    }
  })
})

describe('a log that was rewritten in the database and signed again with its own key', () => {
  it.each([
    ['its last leaves are others', async () => await addLeaves(world.ctx, ['other', 'leaves', 'and', 'more'])],
    ['its last leaves are as many others', async () => await addLeaves(world.ctx, ['other', 'leaves', 'again'])],
    ['its last leaves are gone', async () => {}],
  ])('is refused: %s', async (_, writeInstead) => {
    const witness = await witnesses.start(world.ctx, 'w1')
    const ctx = witnessedBy(world.ctx, [witness])
    await grow(ctx, 300)
    const shorter = await newestSize(ctx)
    await grow(ctx, 3)
    expect(await ask(ctx)).toEqual({ kind: 'cosigned' })
    await cutBackTo(ctx, shorter)
    await writeInstead()
    await sealNow(ctx, orgId)
    expect((await logOf(ctx.db)).length).toBe(await newestSize(ctx))
    expect(await ask(ctx)).toMatchObject({ kind: 'refused' })
    expect(await published(ctx, witness)).toBeNull()
    // Nor does waiting for it to be longer help.
    await grow(ctx, 10)
    expect(await ask(ctx)).toEqual({ kind: 'refused', reason: expect.stringContaining('another history') })
  })
})

describe('a witness that is none', () => {
  type Answer = (signer: NoteSigner, body: string) => { status?: number; headers?: object; text?: string }

  /** What comes of one asking, with so many calls of a witness that answers so. */
  const askedOnce = async (answer: Answer) => {
    const signer = cosigner('false', newKey())
    let calls = 0
    await using server = await startListening(
      http((request, response) => {
        calls += 1
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          const note = Buffer.concat(chunks).toString().split('\n\n').slice(1).join('\n\n')
          const { status = 200, headers = {}, text = '' } = answer(signer, note.slice(0, note.indexOf('\n\n') + 1))
          response.writeHead(status, { ...headers }).end(text)
        })
      }),
    )
    const { name, type, publicKey } = signer.key
    const url = `http://127.0.0.1:${server.port}`
    const ctx = witnessedBy(world.ctx, [{ url, keyText: verifierKeyText(name, type, publicKey) }])
    await grow(ctx, 3)
    const asked = await ask(ctx)
    return { ctx, asked, calls }
  }

  const answers: [string, Answer][] = [
    ['leads elsewhere', () => ({ status: 307, headers: { location: 'http://127.0.0.1:1/' } })],
    ['says nothing', () => ({})],
    ['says what is no cosignature', () => ({ text: 'cosigned\n' })],
    ['signs another checkpoint', (signer) => ({ text: `${signatureLine(signer, 'log\n1\nroot\n')}\n` })],
    ['signs with another key', (_, body) => ({ text: `${signatureLine(cosigner('false', newKey()), body)}\n` })],
    ['signs far below other text', (signer, body) => ({ text: `${'x\n'.repeat(99)}${signatureLine(signer, body)}\n` })],
    ['knows more than there is', () => ({ status: 409, text: '999999\n' })],
    ['names another size again and again', () => ({ status: 409, text: '1\n' })],
    ['names no size', () => ({ status: 409, text: 'many\n' })],
    ['names a size with a zero before it', () => ({ status: 409, text: '01\n' })],
    ['fails', () => ({ status: 500 })],
    ['answers without end', () => ({ text: 'x'.repeat(3 * 1024 * 1024) })],
  ]

  it.each(answers)('has nothing kept of it when it %s', async (_, answer) => {
    const { ctx, asked, calls } = await askedOnce(answer)
    expect(asked.kind).toMatch(/^(failed|refused)$/)
    expect(calls).toBeLessThanOrEqual(2)
    expect(await ctx.db.selectFrom('log_cosignatures').selectAll().execute()).toEqual([])
  })

  it.each([
    ['from', 1, () => '0\n'],
    ['from the second time', 2, () => '2\n'],
    ['to', 2, (size: number) => `${size}\n`],
    ['to, and names none', 2, (size: number, call: number) => (call === 1 ? `${size}\n` : '')],
  ])('is not asked again when it knows another tree of the size that it is asked %s', async (_, times, known) => {
    const sizeOf = (body: string) => Number(body.split('\n')[1])
    let call = 0
    const { asked, calls } = await askedOnce((_signer, body) => ({ status: 409, text: known(sizeOf(body), ++call) }))
    expect(asked).toEqual({ kind: 'refused', reason: 'It has cosigned another history of this log (409).' })
    expect(calls).toBe(times)
  })

  it('is given up on after five seconds of silence', async () => {
    await using server = await startListening(() => {})
    const { name, type, publicKey } = cosigner('silent', newKey()).key
    const url = `http://127.0.0.1:${server.port}`
    const ctx = witnessedBy(world.ctx, [{ url, keyText: verifierKeyText(name, type, publicKey) }])
    await grow(ctx, 3)
    const begun = performance.now()
    expect(await ask(ctx)).toEqual({ kind: 'failed', reason: 'No whole answer came within 5 s.' })
    expect(performance.now() - begun).toBeLessThan(7_000)
  })
})

/** What the owner of the database can do: the log is as if it had ended here, and the server signs what it finds. */
/** Of which no process that has sealed it is left to tell. */
async function cutBackTo({ db, store }: Ctx, size: number): Promise<void> {
  store.sealingMemory.known.clear()
  await db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    const gone = tx.selectFrom('log_entries').select('leaf_id').where('index', '>=', String(size))
    await tx.deleteFrom('audit_leaves').where('id', 'in', gone).execute()
    await tx.deleteFrom('log_entries').where('index', '>=', String(size)).execute()
    await tx.deleteFrom('log_cosignatures').execute()
    await tx.deleteFrom('log_checkpoints').execute()
    await tx.deleteFrom('log_nodes').execute()
    await tx.deleteFrom('log_entries').execute()
    await tx.deleteFrom('log_heads').execute()
  })
}
