import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { decodeBase64 } from './base64.ts'

/** Who may have signed a note: C2SP signed-note, "Verifier keys". */
export interface VerifierKey {
  readonly name: string
  /** The first 4 bytes of SHA-256 over name, newline, type and public key: tells keys apart, proves nothing. */
  readonly id: Buffer
  readonly type: number
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Uint8Array
}

export interface NoteSigner {
  readonly key: VerifierKey
  /** The signature of a note's text, without the key id. */
  sign(body: string): Buffer
}

export interface NoteSignature {
  readonly name: string
  /** 4 bytes. */
  readonly id: Buffer
  /** What follows the key id. */
  readonly signature: Buffer
  /** As it stands in the note, without its newline. */
  readonly line: string
}

export interface OpenedNote {
  /** The signed text with its last newline. */
  readonly body: string
  /** Of the given keys. */
  readonly verified: readonly NoteSignature[]
  /** Of anyone else's, which say nothing. */
  readonly unknown: readonly NoteSignature[]
}

/** A note, key or signature that is not to be believed. Its message is one sentence, without what was read. */
export class NoteError extends Error {
  override readonly name = 'NoteError'
  /** `unsigned` when the text is a note, and no signature of the keys in question speaks for it. */
  readonly kind: 'malformed' | 'unsigned'

  constructor(kind: NoteError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** Signature types of C2SP signed-note: the note's text, and a checkpoint with the time (tlog-cosignature). */
export const ed25519Type = 0x01
export const cosignatureType = 0x04

/** Of UTF-8; sixteen signatures of the longest kind fit. */
const mostNoteBytes = 256 * 1024
const mostSignatures = 64

/** @throws NoteError unless it is `name+hash+key` of a type that we verify, with the hash of that key */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', hash, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? []
  const bytes = decodeBase64(encoded)
  const type = bytes?.[0] ?? 0
  if (bytes?.length !== 33 || !isKeyName(name) || !isKnownType(type)) throw malformed('The verifier key is malformed.')
  const key = keyOf(name, type, bytes.subarray(1))
  if (key.id.toString('hex') !== hash) throw malformed('The verifier key does not match its own hash.')
  return key
}

/** The vkey: `name+hash+key`. @param publicKey 32 bytes */
export function verifierKeyText(name: string, type: number, publicKey: Uint8Array): string {
  return `${keyIdOf(keyOf(name, type, publicKey))}+${Buffer.concat([Buffer.of(type), publicKey]).toString('base64')}`
}

/** `name+hash`: a verifier key where it is named and not needed. */
export function keyIdOf({ name, id }: Pick<VerifierKey, 'name' | 'id'>): string {
  return `${name}+${id.toString('hex')}`
}

/** The key that signs with `privateKey` (Ed25519) under `name`. @throws NoteError on a name that no key may have */
export function verifierKeyOf(name: string, type: number, privateKey: KeyObject): VerifierKey {
  if (!isKeyName(name))
    throw malformed(
      'The name of a key must be printable ASCII without blanks, plus signs, quotation marks and backslashes.',
    )
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  return keyOf(name, type, Buffer.from(x, 'base64url'))
}

export function ed25519Signer(name: string, privateKey: KeyObject): NoteSigner {
  return {
    key: verifierKeyOf(name, ed25519Type, privateKey),
    sign: (body) => sign(null, Buffer.from(body), privateKey),
  }
}

/** @throws NoteError on a text that cannot be a note's */
export function signNote(body: string, signers: readonly NoteSigner[]): string {
  const note = `${body}\n${signers.map((signer) => `${signatureLine(signer, body)}\n`).join('')}`
  if (parseNote(note).body !== body) throw malformed('The text ends in no newline.')
  return note
}

/** One line of a note, without its newline. */
export function signatureLine(signer: NoteSigner, body: string): string {
  const { name, id } = signer.key
  return `— ${name} ${Buffer.concat([id, signer.sign(body)]).toString('base64')}`
}

/**
 * The text of a note and who of `keys` signed it.
 * @throws NoteError when it is malformed, when none of them did, or when a signature under a name and id of theirs is wrong
 */
export function openNote(text: string, keys: readonly VerifierKey[]): OpenedNote {
  const { body, signatures } = parseNote(text)
  const verified: NoteSignature[] = []
  const unknown: NoteSignature[] = []
  for (const signature of signatures) {
    const key = keys.find(({ name, id }) => name === signature.name && id.equals(signature.id))
    if (key === undefined) unknown.push(signature)
    else if (!isSignedBy(key, body, signature.signature)) throw unsigned('A signature of a known key is wrong.')
    else if (verified.some(({ name, id }) => name === key.name && id.equals(key.id))) {
      throw malformed('A known key signed twice.')
    } else verified.push(signature)
  }
  if (verified.length === 0) throw unsigned('No known key signed it.')
  return { body, verified, unknown }
}

/** The text of a note whose signatures nobody has checked yet. @throws NoteError when it is malformed */
export function noteText(note: string): string {
  return parseNote(note).body
}

/** The note with more signatures under it; those that it has are not repeated. @throws NoteError when that is none */
export function addSignatureLines(note: string, lines: readonly string[]): string {
  const held = new Set(parseNote(note).signatures.map(({ line }) => line))
  const added = [...new Set(lines)].filter((line) => !held.has(line))
  const whole = note + added.map((line) => `${line}\n`).join('')
  if (parseNote(whole).signatures.length !== held.size + added.length) throw malformed('A line is no signature.')
  return whole
}

/** @throws NoteError unless it is one signature line, given without its newline */
export function parseSignatureLine(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^— ([^ ]+) ([^ ]+)$/s.exec(line) ?? []
  const bytes = decodeBase64(encoded)
  if (!isKeyName(name) || bytes === null || bytes.length < 5) throw malformed('A signature line is malformed.')
  return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4), line }
}

/** Whether `signature`, without its key id, is this key's for the text. */
export function isSignedBy({ type, publicKey }: VerifierKey, body: string, signature: Buffer): boolean {
  if (type === ed25519Type) return verifies(publicKey, Buffer.from(body), signature)
  if (type !== cosignatureType || signature.length !== 8 + 64) return false
  const seconds = signature.readBigUInt64BE()
  return seconds > 0n && verifies(publicKey, timestampedText(seconds, body), signature.subarray(8))
}

/** What a cosignature signs (C2SP tlog-cosignature, "Ed25519 signed message"). @param seconds since 1970 */
export function timestampedText(seconds: bigint, body: string): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${body}`)
}

// The last empty line parts text and signatures: the text may have empty lines of its own.
function parseNote(text: string): { readonly body: string; readonly signatures: readonly NoteSignature[] } {
  if (Buffer.byteLength(text) > mostNoteBytes) throw malformed('The note is too long.')
  if (!text.isWellFormed() || /[^\P{Cc}\n\x7f-\x9f]/u.test(text)) {
    throw malformed('The note holds a character that none may have.')
  }
  const end = text.lastIndexOf('\n\n')
  if (end < 0 || !text.endsWith('\n')) throw malformed('The note has no text, no empty line or no last newline.')
  const lines = text.slice(end + 2, -1).split('\n')
  if (lines.length > mostSignatures) throw malformed('The note has too many signatures.')
  if (new Set(lines).size < lines.length) throw malformed('The note has the same signature twice.')
  return { body: text.slice(0, end + 1), signatures: lines.map(parseSignatureLine) }
}

function keyOf(name: string, type: number, publicKey: Uint8Array): VerifierKey {
  const hash = createHash('sha256').update(`${name}\n`).update(Buffer.of(type)).update(publicKey)
  return { name, id: hash.digest().subarray(0, 4), type, publicKey }
}

/** Whether a key, and so a log, may have this name. Narrower than C2SP, so that no two readers differ on what a blank is. */
export function isKeyName(name: string): boolean {
  return /^[!#-*,-[\]-~]+$/.test(name)
}

function isKnownType(type: number): boolean {
  return type === ed25519Type || type === cosignatureType
}

function verifies(publicKey: Uint8Array, message: Buffer, signature: Buffer): boolean {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }
  return signature.length === 64 && verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature)
}

function malformed(message: string): NoteError {
  return new NoteError('malformed', message)
}

function unsigned(message: string): NoteError {
  return new NoteError('unsigned', message)
}
