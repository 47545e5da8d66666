import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { LRUCache } from 'lru-cache'
import type { AgentKeyRow } from '../../store/agent-keys.ts'

/** The registered key of an agent, read from its PEM. */
export interface AgentKey {
  readonly publicKey: KeyObject
  /** RFC 7638 thumbprint, SHA-256. */
  readonly thumbprint: string
}

// Reading a PEM costs more than verifying with the key; the PEM itself is the name, so a new key is never taken for an old one.
const known = new LRUCache<string, AgentKey>({ max: 1000 })

/** The key in an SPKI PEM; null when there is none, as for an agent that was made without. */
export async function agentKeyOf(pem: string | null): Promise<AgentKey | null> {
  if (pem === null) return null
  const before = known.get(pem)
  if (before !== undefined) return before
  const publicKey = readPublicKey(pem)
  if (publicKey === null) return null
  const key = { publicKey, thumbprint: await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }) as RsaJwk) }
  known.set(pem, key)
  return key
}

/** An agent that may sign in, with its key; null for one that there is not, that was revoked, or that has no key. */
export async function withKey(
  agent: AgentKeyRow | undefined,
): Promise<{ readonly agent: AgentKeyRow; readonly key: AgentKey } | null> {
  if (agent === undefined || agent.disabled_at !== null) return null
  const key = await agentKeyOf(agent.public_key)
  return key === null ? null : { agent, key }
}

type RsaJwk = JsonWebKey & { kty: string }

/** Only what is labelled as a public key: Node would draw the public half from a private one, too. */
function readPublicKey(pem: string): KeyObject | null {
  if (!/^-----BEGIN PUBLIC KEY-----\s/.test(pem)) return null
  try {
    return createPublicKey(pem)
  } catch {
    return null
  }
}

/**
 * An RSA public key that an agent may be given, as the PEM we keep; null for any other. 3072 bits are what NIST SP 800-57
 * part 1 (table 2) asks beyond 2030; past 8192 each proof would cost more than it protects.
 */
export function acceptablePublicKey(pem: string): string | null {
  const key = readPublicKey(pem)
  if (key?.asymmetricKeyType !== 'rsa') return null
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < 3072 || modulusLength > 8192 || publicExponent !== 65_537n) return null
  return key.export({ type: 'spki', format: 'pem' }) as string
}
