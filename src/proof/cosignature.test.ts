import { createHash, createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ed25519FromSeed } from '../../test/helpers/ed25519.ts'
import { cosignatureTime, cosigner, verifyCosignature } from './cosignature.ts'
import { ed25519Signer, NoteError, openNote, parseSignatureLine, signatureLine, signNote } from './note.ts'

const body = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
const privateKey = ed25519FromSeed(Buffer.alloc(32, 7))
const time = 1_679_315_147
const witness = cosigner('witness.example.com/w1', privateKey, () => new Date(time * 1000 + 999))
const line = signatureLine(witness, body)
const signature = parseSignatureLine(line)

describe('a cosignature', () => {
  it('is over the text that the specification shows, under an id of its own type', () => {
    const text = `cosignature/v1\ntime 1679315147\n${body}`
    const given = Buffer.from(line.split(' ')[2] ?? '', 'base64')
    expect(verify(null, Buffer.from(text), createPublicKey(privateKey), given.subarray(12))).toBe(true)
    const key = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
    const hash = createHash('sha256').update('witness.example.com/w1\n\x04').update(key).digest()
    expect(given.subarray(0, 4)).toEqual(hash.subarray(0, 4))
    expect(given.readBigUInt64BE(4)).toBe(1_679_315_147n)
  })

  it('is read as the published example has it: id, seconds and signature', () => {
    const published =
      '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=='
    const read = parseSignatureLine(published)
    expect([read.id.toString('hex'), cosignatureTime(read), read.signature.length]).toEqual(['8d66cf3f', time, 72])
  })

  it('tells when it was given, alone and under its note', () => {
    expect(verifyCosignature(witness.key, body, signature)).toBe(time)
    const log = ed25519Signer('example.com/behind-the-sofa', ed25519FromSeed(Buffer.alloc(32, 8)))
    const { verified } = openNote(signNote(body, [log, witness]), [log.key, witness.key])
    expect(verified.map(({ name }) => name)).toEqual([log.key.name, witness.key.name])
  })

  it('does not verify for another text, name, key, time or length', () => {
    const elsewhere = cosigner('witness.example.com/w2', privateKey)
    const other = cosigner('witness.example.com/w1', ed25519FromSeed(Buffer.alloc(32, 9)))
    const changed = (change: (bytes: Buffer) => Buffer) => ({
      ...signature,
      signature: change(Buffer.from(signature.signature)),
    })
    const laterByOne = changed((bytes) => (bytes.writeUInt8(bytes.readUInt8(7) + 1, 7), bytes))
    const wrong: Parameters<typeof verifyCosignature>[] = [
      [witness.key, body.replace('20852163', '20852164'), signature],
      [elsewhere.key, body, signature],
      [other.key, body, signature],
      [{ ...other.key, id: witness.key.id }, body, signature],
      [witness.key, body, laterByOne],
      [witness.key, body, changed((bytes) => bytes.subarray(0, -1))],
      [witness.key, body, changed((bytes) => Buffer.concat([bytes, Buffer.of(0)]))],
      [witness.key, body, changed(() => Buffer.alloc(0))],
    ]
    for (const call of wrong) expect(() => verifyCosignature(...call)).toThrow(NoteError)
  })

  it('is none without a time', () => {
    const timeless = cosigner('w', privateKey, () => new Date(0))
    expect(() => verifyCosignature(timeless.key, body, parseSignatureLine(signatureLine(timeless, body)))).toThrow(
      NoteError,
    )
  })

  it('is no signature of the log, nor the other way round, with the same key', () => {
    const log = ed25519Signer('witness.example.com/w1', privateKey)
    const relabelled = { ...signature, id: log.key.id, signature: signature.signature.subarray(8) }
    expect(() => verifyCosignature(log.key, body, relabelled)).toThrow(NoteError)
    expect(() => openNote(signNote(body, [log]), [witness.key])).toThrow(NoteError)
  })
})
