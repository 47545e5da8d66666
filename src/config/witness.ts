import type { VerifierKey } from '../proof/note.ts'
import { invalid } from './checks.ts'
import { portOf } from './config.ts'
import type { RawEnv } from './env.ts'
import { verifierKeyIn } from './verifier-keys.ts'

/** What `quorate witness` is started with. */
export interface WitnessConfig {
  readonly host: string
  readonly port: number
  /** Under which it cosigns; like a URL without its scheme. */
  readonly name: string
  /** Where it keeps its key and what it has cosigned. */
  readonly directory: string
  /** The keys of each log that it knows, by origin: several while one replaces the other. */
  readonly logs: ReadonlyMap<string, readonly VerifierKey[]>
}

/** @throws AppError CONFIGURATION_INVALID naming the variable */
export function witnessConfig(raw: RawEnv): WitnessConfig {
  return {
    host: raw.HOST ?? '127.0.0.1',
    port: portOf(raw.PORT, 8090),
    ...witnessIdentity(raw),
    logs: logsOf(raw.QUORATE_WITNESS_LOGS),
  }
}

/** What it takes to show the witness's key. @throws AppError CONFIGURATION_INVALID naming the variable */
export function witnessIdentity(raw: RawEnv): Pick<WitnessConfig, 'name' | 'directory'> {
  const name = raw.QUORATE_WITNESS_NAME
  if (name === undefined) return invalid('QUORATE_WITNESS_NAME', 'is needed: the name to cosign under')
  if (!/^[\x21-\x2a\x2c-\x7e]{1,200}$/.test(name)) {
    invalid('QUORATE_WITNESS_NAME', 'must be up to 200 ASCII characters without blanks and plus signs')
  }
  return { name, directory: raw.QUORATE_WITNESS_DIR ?? './witness' }
}

// A log's key has its origin for a name: C2SP tlog-checkpoint recommends it, and ours do.
function logsOf(value: string | undefined): ReadonlyMap<string, readonly VerifierKey[]> {
  const name = 'QUORATE_WITNESS_LOGS'
  if (value === undefined) return invalid(name, 'is needed: the verifier keys of the logs, with blanks between')
  const keys = value.split(/\s+/).map((text) => verifierKeyIn(name, text, 'log'))
  return Map.groupBy(keys, (key) => key.name)
}
