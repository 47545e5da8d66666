import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyCosignature } from '../../src/proof/cosignature.ts'
import {
  addSignatureLines,
  openNote,
  parseSignatureLine,
  parseVerifierKey,
  type VerifierKey,
} from '../../src/proof/note.ts'
import { openWitnessState } from '../../src/witness/state.ts'
import { leavesOf, smallLog, submissionOf, type SmallLog } from '../helpers/small-log.ts'
import { listenAsWitness, type WitnessHere } from '../helpers/witness-here.ts'

const name = 'witness.example/w1'
let directory: string
let log: SmallLog
let witness: WitnessHere

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-witness-'))
  log = smallLog('log.example/one', leavesOf(20))
  witness = await listen(log)
})

afterEach(async () => {
  await witness.kill()
  rmSync(directory, { recursive: true })
})

const listen = (...logs: readonly SmallLog[]) =>
  listenAsWitness({ directory, name, logs: logs.map(({ verifierKey }) => verifierKey) })

const bodyOf = (note: string) => note.slice(0, note.indexOf('\n\n') + 1)

describe('a witness', () => {
  it('cosigns the first checkpoint that it sees of a log, and then what contains it', async () => {
    const before = Math.floor(Date.now() / 1000)
    for (const [from, size] of [
      [0, 3],
      [3, 3],
      [3, 8],
      [8, 20],
    ] as const) {
      const { status, type, text } = await witness.submit(await log.submission(from, size))
      expect([status, type, text.endsWith('\n')]).toEqual([200, 'text/plain; charset=utf-8', true])
      const at = verifyCosignature(witness.key, bodyOf(log.note(size)), parseSignatureLine(text.slice(0, -1)))
      expect(at).toBeGreaterThanOrEqual(before)
      expect(at).toBeLessThanOrEqual(Date.now() / 1000)
    }
  })

  it('says 409 and the size that it knows when the old size is another', async () => {
    expect(await witness.submit(await log.submission(2, 3))).toEqual({
      status: 409,
      type: 'text/x.tlog.size',
      text: '0\n',
    })
    await witness.submit(await log.submission(0, 7))
    for (const [from, size] of [
      [0, 20],
      [6, 7],
      [8, 20],
      [0, 3],
      [3, 6],
    ] as const) {
      const { status, type, text } = await witness.submit(await log.submission(from, size))
      expect([status, type, text]).toEqual([409, 'text/x.tlog.size', '7\n'])
    }
  })

  it('says 422 to a tree that does not contain the one that it cosigned, and tells its operator', async () => {
    await witness.submit(await log.submission(0, 7))
    const other = log.fork(5)
    other.append('not', 'what', 'was', 'there')
    const wrong = [
      await other.submission(7, 9),
      submissionOf(7, await log.proof(7, 20), other.note()),
      submissionOf(7, [], log.note(20)),
      submissionOf(7, (await log.proof(7, 20)).toReversed(), log.note(20)),
      submissionOf(7, [...(await log.proof(7, 20)), log.root()], log.note(20)),
      submissionOf(7, [log.root()], log.note(7)),
    ]
    for (const body of wrong) expect((await witness.submit(body)).status).toBe(422)
    expect(witness.warnings).toHaveLength(wrong.length)
    expect(witness.warnings[0]).toContain(log.origin)
    expect((await witness.submit(await log.submission(7, 20))).status).toBe(200)
  })

  it('says 409 and the size to another root of the very size that it cosigned, and tells its operator', async () => {
    await witness.submit(await log.submission(0, 7))
    const other = log.fork(5)
    other.append('not', 'what', 'was', 'there')
    const wrong = [await other.submission(7, 7), submissionOf(7, [other.root(5)], other.note(7))]
    for (const body of wrong) {
      expect(await witness.submit(body)).toEqual({ status: 409, type: 'text/x.tlog.size', text: '7\n' })
    }
    expect(witness.warnings).toHaveLength(wrong.length)
    expect(witness.warnings[0]).toContain(JSON.stringify(other.note(7)).slice(1, -1))
    expect((await witness.submit(await log.submission(7, 7))).status).toBe(200)
  })

  it('cosigns one text of a size: lines that a log adds beside the same root are 409 afterwards', async () => {
    const told = (size: number, ...extensions: string[]) => log.claim({ size, root: log.root(size), extensions })
    expect((await witness.submit(submissionOf(0, [], told(7, 'epoch 1')))).status).toBe(200)
    for (const note of [told(7, 'epoch 2'), told(7, 'epoch 1', 'more'), told(7), log.note(7)]) {
      expect(await witness.submit(submissionOf(7, [], note))).toEqual({
        status: 409,
        type: 'text/x.tlog.size',
        text: '7\n',
      })
    }
    expect(witness.warnings).toHaveLength(4)
    expect((await witness.submit(submissionOf(7, [], told(7, 'epoch 1')))).status).toBe(200)
    expect((await witness.submit(submissionOf(7, await log.proof(7), told(20, 'epoch 2')))).status).toBe(200)
  })

  it('says 422 to a proof from nothing, and 409 to a root of the empty tree that is none', async () => {
    expect((await witness.submit(submissionOf(0, [log.root()], log.note()))).status).toBe(422)
    const lie = log.claim({ size: 0 })
    expect(await witness.submit(submissionOf(0, [], lie))).toMatchObject({ status: 409, text: '0\n' })
    for (const size of [0, 0, 5]) expect((await witness.submit(await log.submission(0, size))).status).toBe(200)
  })

  it('says 404 to a log that it does not know, whoever signed', async () => {
    const stranger = smallLog('log.example/two', leavesOf(3))
    expect((await witness.submit(await stranger.submission(0))).status).toBe(404)
    expect((await witness.submit(submissionOf(0, [], log.claim({ origin: stranger.origin })))).status).toBe(404)
  })

  it('says 403 without a signature of the log, and with a wrong one', async () => {
    const impostor = smallLog(log.origin, leavesOf(20))
    expect((await witness.submit(await impostor.submission(0))).status).toBe(403)
    const altered = log.note(5).replace('\n5\n', '\n6\n')
    expect((await witness.submit(submissionOf(0, [], altered))).status).toBe(403)
    const alsoWrong = addSignatureLines(log.note(5), [lineOf(log.note(4))])
    expect((await witness.submit(submissionOf(0, [], alsoWrong))).status).toBe(403)
  })

  it('passes over signatures of keys that it does not know', async () => {
    const impostor = smallLog(log.origin, leavesOf(20))
    const note = addSignatureLines(log.note(5), [lineOf(impostor.note(5)), '— somebody AAAAAAA='])
    expect((await witness.submit(submissionOf(0, [], note))).status).toBe(200)
    const kept = await (await fetch(`${witness.url}/${sha256(log.origin)}/checkpoint`)).text()
    expect(kept).not.toContain('somebody')
  })

  it('passes over what is signed again, and reads up to a hundred signatures', async () => {
    const note = log.note(5)
    const others = Array.from({ length: 97 }, (_, at) => `— somebody${at} AAAAAAA=\n`).join('')
    const twice = `${note}${lineOf(note)}\n${others}— somebody0 AAAAAAA=\n`
    expect((await witness.submit(submissionOf(0, [], twice))).status).toBe(200)
    const kept = await (await fetch(`${witness.url}/${sha256(log.origin)}/checkpoint`)).text()
    expect(openNote(kept, [keyOf(log), witness.key]).verified).toHaveLength(2)
    expect((await witness.submit(submissionOf(5, [], `${note}— somebody else\n`))).status).toBe(400)
    expect((await witness.submit(submissionOf(5, [], `${twice}— somebody99 AAAAAAA=\n`))).status).toBe(400)
  })

  it('takes either key of a log while one replaces the other', async () => {
    const next = smallLog(log.origin, leavesOf(20))
    await witness.kill()
    witness = await listen(log, next)
    expect((await witness.submit(await log.submission(0, 4))).status).toBe(200)
    expect((await witness.submit(await next.submission(4, 9))).status).toBe(200)
  })

  it.each<[string, (body: string) => string | Buffer]>([
    ['nothing', () => ''],
    ['no old size', (body) => body.replace('old 0\n', '')],
    ['an old size with a zero before it', (body) => body.replace('old 0', 'old 00')],
    ['an old size below zero', (body) => body.replace('old 0', 'old -1')],
    ['an old size beyond what can be counted', (body) => body.replace('old 0', 'old 9007199254740992')],
    ['an old size above the checkpoint', (body) => body.replace('old 0', 'old 21')],
    ['carriage returns', (body) => body.replaceAll('\n', '\r\n')],
    ['a proof line that is no hash', (body) => body.replace('\n\n', '\nAAAA\n\n')],
    ['a proof line that is not base64', (body) => body.replace('\n\n', `\n${'*'.repeat(44)}\n\n`)],
    ['sixty-four proof lines', (body) => body.replace('\n\n', `\n${hashLine.repeat(64)}\n`)],
    ['no empty line', (body) => body.replace('\n\n', '\n')],
    ['no signature', (body) => body.slice(0, body.indexOf('—'))],
    ['no last newline', (body) => body.slice(0, -1)],
    ['a size with a zero before it', (body) => body.replace('\n20\n', '\n020\n')],
    ['a root that is not base64', (body) => body.replace(/\n20\n./, '\n20\n*')],
    ['bytes that are no UTF-8', (body) => Buffer.concat([Buffer.from(body.slice(0, -2)), Buffer.of(0xff, 0x0a)])],
    ['a mark of the byte order', (body) => `\ufeff${body}`],
  ])('says 400 to %s', async (_, change) => {
    const { status } = await witness.submit(change(await log.submission(0)))
    expect(status).toBe(400)
  })

  it('says 413 to more than a submission can be, and answers the next', async () => {
    expect((await witness.submit('x'.repeat(400 * 1024))).status).toBe(413)
    expect((await witness.submit(await log.submission(0))).status).toBe(200)
  })

  it('shows its key, and the last checkpoint of each log with the signatures that it checked', async () => {
    const keyText = await (await fetch(witness.url)).text()
    expect(parseVerifierKey(keyText.trim())).toEqual(witness.key)
    const place = `${witness.url}/${sha256(log.origin)}/checkpoint`
    expect((await fetch(place)).status).toBe(404)
    const { text } = await witness.submit(await log.submission(0, 4))
    const shown = await (await fetch(place)).text()
    expect(shown).toBe(log.note(4) + text)
    expect(openNote(shown, [keyOf(log), witness.key]).verified).toHaveLength(2)
  })

  it('has nothing anywhere else', async () => {
    for (const [path, method, status] of [
      ['/add-checkpoint', 'GET', 405],
      ['/add-checkpoint', 'PUT', 405],
      ['/add-checkpoint/', 'POST', 404],
      ['/', 'POST', 404],
      ['/witness.db', 'GET', 404],
      [`/${'0'.repeat(64)}/checkpoint`, 'GET', 404],
    ] as const) {
      expect((await fetch(witness.url + path, { method })).status, `${method} ${path}`).toBe(status)
    }
  })
})

describe("a witness's directory", () => {
  it('keeps the key and what was cosigned', async () => {
    await witness.submit(await log.submission(0, 7))
    const { key } = witness
    await witness.kill()
    witness = await listen(log)
    expect(witness.key).toEqual(key)
    expect((await witness.submit(await log.submission(0, 20))).text).toBe('7\n')
    expect((await witness.submit(await log.submission(7, 20))).status).toBe(200)
  })

  it('is advanced by one process at a time', () => {
    using one = openWitnessState({ directory, name })
    using other = openWitnessState({ directory, name })
    const head = { size: 1, root: Buffer.alloc(32), note: 'one' }
    one.advance('log', () => {
      expect(() => other.advance('log', () => ({ ...head, note: 'other' }))).toThrow('locked')
      return head
    })
    expect(other.findNote('log')).toBe('one')
  })

  it('keeps nothing of what is refused, and no tree smaller than the one it has', () => {
    using state = openWitnessState({ directory, name })
    const refuse = () => {
      throw new Error('refused')
    }
    expect(() => state.advance('log', refuse)).toThrow('refused')
    state.advance('log', () => ({ size: 2, root: Buffer.alloc(32), note: 'two' }))
    expect(() => state.advance('log', () => ({ size: 1, root: Buffer.alloc(32), note: 'one' }))).toThrow('shrinks')
    expect(state.findNote('log')).toBe('two')
  })

  it('is for its owner only', () => {
    expect(statSync(join(directory, 'witness.db')).mode & 0o777).toBe(0o600)
  })

  it('belongs to one name', () => {
    expect(() => openWitnessState({ directory, name: 'another' })).toThrow('belongs to the witness witness.example/w1')
  })

  it('is named when it cannot be used', () => {
    expect(() => openWitnessState({ directory: join(directory, 'witness.db'), name })).toThrow('QUORATE_WITNESS_DIR')
  })
})

const hashLine = `${Buffer.alloc(32).toString('base64')}\n`

function lineOf(note: string): string {
  return note.trimEnd().split('\n').at(-1) ?? ''
}

function keyOf({ verifierKey }: SmallLog): VerifierKey {
  return parseVerifierKey(verifierKey)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
