import { decodeBase64 } from './base64.ts'
import { ed25519Type, isSignedBy, keyIdOf, type NoteSigner, type VerifierKey } from './note.ts'

/** What an in-toto statement is wrapped as. */
export const statementType = 'application/vnd.in-toto+json'

export interface Envelope {
  /** The signed text, UTF-8. */
  readonly payload: string
  /** Which key is said to have signed: `name+id` of its verifier key. */
  readonly keyId: string
  readonly signature: Buffer
}

/** The file: one DSSE envelope (secure-systems-lab, protocol v1) with one signature, in the one form that we read. */
export function sealEnvelope(payload: string, signer: NoteSigner): string {
  const sig = signer.sign(preAuthEncoding(payload)).toString('base64')
  const signatures = [{ keyid: keyIdOf(signer.key), sig }]
  return `${JSON.stringify({ payload: Buffer.from(payload).toString('base64'), payloadType: statementType, signatures })}\n`
}

/**
 * Reads what `sealEnvelope` writes and nothing else: no other order, blank or escape, so that no byte of a file can be changed
 * unnoticed.
 * @returns null unless it is exactly that; whether the signature is right is not looked at
 */
export function readEnvelope(text: string): Envelope | null {
  const head = '{"payload":"'
  const middle = `","payloadType":"${statementType}","signatures":[{"keyid":"`
  const end = text.indexOf('"', head.length)
  if (!text.startsWith(head) || !text.startsWith(middle, end)) return null
  const [, keyId, sig = ''] =
    /^([!#-[\]-~]+)","sig":"([^"\\]{88})"\}\]\}\n$/.exec(text.slice(end + middle.length)) ?? []
  const signature = decodeBase64(sig)
  const payload = textOf(decodeBase64(text.slice(head.length, end)))
  return keyId === undefined || signature?.length !== 64 || payload === null ? null : { payload, keyId, signature }
}

/** Whether this key signed the envelope. @param key Ed25519; a witness's key never signs an envelope */
export function isSealedBy(key: VerifierKey, { payload, keyId, signature }: Envelope): boolean {
  return key.type === ed25519Type && keyId === keyIdOf(key) && isSignedBy(key, preAuthEncoding(payload), signature)
}

/** DSSE's PAE. Type and payload are text, so the whole is. */
function preAuthEncoding(payload: string): string {
  return `DSSEv1 ${statementType.length} ${statementType} ${Buffer.byteLength(payload)} ${payload}`
}

function textOf(bytes: Buffer | null): string | null {
  if (bytes === null) return null
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : null
}
