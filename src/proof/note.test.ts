import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ed25519FromSeed } from '../../test/helpers/ed25519.ts'
import {
  addSignatureLines,
  ed25519Signer,
  NoteError,
  openNote,
  parseVerifierKey,
  signatureLine,
  signNote,
  verifierKeyText,
} from './note.ts'

// The example of golang.org/x/mod/sumdb/note, by which every implementation is checked.
const peterText = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const peterSeed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1)
const words = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const peterLine =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM='
const note = `${words}\n${peterLine}\n`
const peter = parseVerifierKey(peterText)
const peterSigner = ed25519Signer('PeterNeumann', ed25519FromSeed(peterSeed))

const newSigner = (name: string) => ed25519Signer(name, generateKeyPairSync('ed25519').privateKey)

describe('a verifier key', () => {
  it('is read and written as the published examples have it', () => {
    expect(verifierKeyText(peter.name, peter.type, peter.publicKey)).toBe(peterText)
    const other = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
    const { name, type, publicKey } = parseVerifierKey(other)
    expect(verifierKeyText(name, type, publicKey)).toBe(other)
  })

  it('is refused with any part of it missing or any character changed', () => {
    for (let from = 0; from < peterText.length; from += 1) {
      for (let to = from; to <= peterText.length; to += 1) {
        if (to - from < peterText.length) expect(() => parseVerifierKey(peterText.slice(from, to))).toThrow(NoteError)
      }
      const changed = String.fromCharCode(peterText.charCodeAt(from) + 1)
      const mangled = peterText.slice(0, from) + changed + peterText.slice(from + 1)
      expect(() => parseVerifierKey(mangled), mangled).toThrow(NoteError)
    }
  })

  it.each([
    ['a key of another length', 'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='],
    ['a type that we do not verify', 'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
    ['a hash in capitals', peterText.replace('c74f20a3', 'C74F20A3')],
    ['a newline', `${peterText}\n`],
  ])('is refused with %s', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(NoteError)
  })

  it.each([
    '',
    'two words',
    'a+b',
    'line\nbreak',
    'no\u00a0break',
    'next\u0085line',
    'nul\0',
    'half\ud800',
    'é',
    'a"b',
    'a\\b',
    'del\x7f',
  ])('has no name like %j', (name) => {
    expect(() => newSigner(name)).toThrow(NoteError)
  })
})

describe('a signed note', () => {
  it('is made and opened as the published examples have it', () => {
    expect(signNote(words, [peterSigner])).toBe(note)
    const opened = openNote(note, [peter])
    expect(opened.body).toBe(words)
    expect(opened.verified).toEqual([
      expect.objectContaining({ name: 'PeterNeumann', id: Buffer.from('c74f20a3', 'hex'), line: peterLine }),
    ])
    const foo = parseVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')
    const example =
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'
    expect(openNote(example, [foo]).body).toBe('This is an example message.\n')
  })

  it('may hold empty lines and text of every script', () => {
    const body = 'Ognuno sta solo\n\nè subito sera\u0085 夕方 🌇\n'
    expect(openNote(signNote(body, [peterSigner]), [peter]).body).toBe(body)
  })

  it('tells the signatures of known keys from those of others', () => {
    const [one, two] = [newSigner('one'), newSigner('two')]
    const { verified, unknown } = openNote(signNote(words, [one, peterSigner, two]), [peter, two.key])
    expect([verified, unknown].map((found) => found.map(({ name }) => name))).toEqual([
      ['PeterNeumann', 'two'],
      ['one'],
    ])
  })

  it('is not believed without a known key, also when another has its name', () => {
    const namesake = newSigner('PeterNeumann')
    expect(() => openNote(note, [])).toThrow('No known key')
    expect(() => openNote(note, [namesake.key])).toThrow('No known key')
    expect(() => openNote(signNote(words, [namesake]), [peter])).toThrow('No known key')
  })

  it('is refused when one known key did not sign this, whoever else did', () => {
    const second = newSigner('second')
    const wrong = signatureLine(second, 'something else\n')
    expect(() => openNote(`${note}${wrong}\n`, [peter, second.key])).toThrow('is wrong')
    expect(openNote(`${note}${wrong}\n`, [peter]).unknown).toHaveLength(1)
  })

  it('is refused with any character changed or left out', () => {
    for (let at = 0; at < note.length; at += 1) {
      const [before, after] = [note.slice(0, at), note.slice(at + 1)]
      const changed = String.fromCharCode(note.charCodeAt(at) ^ 1)
      expect(() => openNote(before + changed + after, [peter]), `changed at ${at}`).toThrow(NoteError)
      expect(() => openNote(before + after, [peter]), `left out at ${at}`).toThrow(NoteError)
    }
  })

  // The 64 bytes of the signature, one bit at a time, and its id: nothing but these bytes is accepted.
  it('is refused with any bit of its signature changed', () => {
    const bytes = Buffer.from(peterLine.split(' ')[2] ?? '', 'base64')
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const other = Buffer.from(bytes)
      other.writeUInt8(other.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      const text = `${words}\n— PeterNeumann ${other.toString('base64')}\n`
      expect(() => openNote(text, [peter]), `bit ${bit}`).toThrow(NoteError)
    }
  })

  it.each([
    ['no signature', `${words}\n`],
    ['no empty line', `${words}${peterLine}\n`],
    ['no last newline', note.slice(0, -1)],
    ['nothing', ''],
    ['a newline alone', '\n\n'],
    ['carriage returns', note.replaceAll('\n', '\r\n')],
    ['a tab in its text', note.replace('you think', 'you\tthink')],
    ['a zero character', note.replace('you think', 'you\0think')],
    ['half a character', note.replace('you think', 'you\ud800think')],
    ['a hyphen for the dash', note.replace('—', '-')],
    ['two blanks', note.replace('— PeterNeumann ', '— PeterNeumann  ')],
    ['a blank after the signature', note.replace('JnAM=', 'JnAM= ')],
    ['a comment after the signatures', `${note}(signed)\n`],
    ['a signature without padding', note.replace('JnAM=', 'JnAM')],
    ['a signature whose unused bits are not zero', note.replace('JnAM=', 'JnAN=')],
    ['a signature in the alphabet of URLs', note.replace('x08go/', 'x08go_')],
    ['a signature of nothing', `${note}— someone ${Buffer.from('1234').toString('base64')}\n`],
    ['the same signature twice', `${note}${peterLine}\n`],
    ['a key that has a plus sign in its name', `${note}— a+b AAAAAAA=\n`],
    ['too many signatures', note + Array.from({ length: 64 }, (_, n) => `— other${n} AAAAAAA=\n`).join('')],
    ['more text than any note has', `${'x'.repeat(256 * 1024)}\n${note}`],
  ])('is malformed with %s', (_, text) => {
    expect(() => openNote(text, [peter])).toThrow(NoteError)
  })

  it('takes sixty-four signatures', () => {
    const others = Array.from({ length: 63 }, (_, n) => `— other${n} AAAAAAA=\n`).join('')
    expect(openNote(note + others, [peter]).unknown).toHaveLength(63)
  })

  it('is not made of a text that would be read as another', () => {
    expect(() => signNote('no newline', [peterSigner])).toThrow(NoteError)
    expect(() => signNote('two\r\n', [peterSigner])).toThrow(NoteError)
    expect(() => signNote(words, [])).toThrow(NoteError)
  })
})

describe('signatures that are added', () => {
  const second = newSigner('second')
  const line = signatureLine(second, words)

  it('stand under the note, each once', () => {
    const both = addSignatureLines(note, [line, peterLine, line])
    expect(both).toBe(`${note}${line}\n`)
    expect(openNote(both, [peter, second.key]).verified).toHaveLength(2)
  })

  it.each(['', 'text', `${line}\n`, `\n${line}`, `${line}\n\n${line}`, `${line}\n— x AAAAAAA=`])(
    'are nothing but signatures: not %j',
    (text) => {
      expect(() => addSignatureLines(note, [text])).toThrow(NoteError)
    },
  )
})
