import type { VerifierKey } from '../proof/note.ts'
import { invalid } from './checks.ts'
import type { RawEnv } from './env.ts'
import { verifierKeyIn } from './verifier-keys.ts'

/** Who cosigns the checkpoints of our logs before they are published. */
export interface WitnessesConfig {
  readonly asked: readonly AskedWitness[]
  /** How many of them must have cosigned a checkpoint; 0 when none is asked. */
  readonly quorum: number
}

export interface AskedWitness {
  readonly key: VerifierKey
  /** Where it is, without a slash at the end: `/add-checkpoint` is put behind it. */
  readonly url: string
}

/** @throws AppError CONFIGURATION_INVALID naming the variable */
export function witnessesConfig(raw: RawEnv): WitnessesConfig {
  const entries = (raw.QUORATE_WITNESSES ?? '').split(/[,\n]/).map((entry) => entry.trim())
  const asked = entries.filter((entry) => entry !== '').map(askedWitness)
  if (new Set(asked.map(({ key }) => Buffer.from(key.publicKey).toString('hex'))).size < asked.length) {
    invalid('QUORATE_WITNESSES', 'must not name the same witness twice')
  }
  return { asked, quorum: quorumOf(raw.QUORATE_WITNESS_QUORUM, asked.length) }
}

// The key has a fixed length, so the first sign behind it is where the address begins.
const form = /^([^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44})(?:\s*=\s*|\s+)(\S+)$/

function askedWitness(entry: string): AskedWitness {
  const [, key = '', address = ''] = form.exec(entry) ?? []
  const url = URL.parse(address)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search + url.hash + url.username + url.password !== '') {
    return invalid(
      'QUORATE_WITNESSES',
      'must be KEY=URL, with commas between, each URL http or https and without a query',
    )
  }
  return { key: verifierKeyIn('QUORATE_WITNESSES', key, 'witness'), url: url.href.replace(/\/+$/, '') }
}

function quorumOf(value: string | undefined, count: number): number {
  if (value === undefined) return count
  const quorum = Number(value)
  if (!/^[1-9]\d{0,3}$/.test(value) || quorum > count) {
    invalid('QUORATE_WITNESS_QUORUM', 'must be a number from 1 to that of the witnesses')
  }
  return quorum
}
