/** Ends a call without an answer. Its message is one sentence without secrets: a host may be named, a path or a user may not. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  /** `refused` when nothing left this machine and nothing will. */
  readonly kind: 'refused' | 'failed'

  constructor(kind: 'refused' | 'failed', reason: string) {
    super(reason)
    this.kind = kind
  }
}

/** The code of a failure (`ECONNREFUSED`); never its message, which may quote what was sent. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'unknown'
}
