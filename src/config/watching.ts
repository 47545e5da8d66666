import { invalid } from './checks.ts'
import type { RawEnv } from './env.ts'

/** How many calls of one process may be waiting for a workflow at the same time. */
export interface WatchingConfig {
  readonly perProcess: number
  /** Of one person or agent, with the API keys that act for them. */
  readonly perPrincipal: number
}

/** @throws AppError CONFIGURATION_INVALID naming the variable */
export function watchingConfig(raw: RawEnv): WatchingConfig {
  return {
    perProcess: count('QUORATE_WATCHERS', raw.QUORATE_WATCHERS, 20_000),
    perPrincipal: count('QUORATE_WATCHERS_PER_CALLER', raw.QUORATE_WATCHERS_PER_CALLER, 200),
  }
}

function count(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (!/^\d{1,6}$/.test(value)) invalid(name, 'must be a whole number; 0 lets nobody watch')
  return Number(value)
}
