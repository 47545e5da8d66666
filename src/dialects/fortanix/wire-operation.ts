import type { Checked, Operation } from '../../custody/perform.ts'

/** A call of something that a policy may protect, as it arrives here or is kept until it is approved. */
export interface WireCall {
  readonly params: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface WireAnswer {
  readonly status: number
  /** Null where nothing is returned. */
  readonly body: unknown
}

/** What a policy may protect, as this wire names it. Direct calls and those that wait for approval go through the same one. */
export interface WireOperation extends Operation<WireCall, WireAnswer> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root, with `:name` for a parameter. */
  readonly path: string
}

/** Where, how it is read, and how what came of it is shown. */
export interface Wording<Input, Output> {
  readonly method: WireOperation['method']
  readonly path: string
  readonly parse: (call: WireCall) => Input
  readonly render: (output: Output) => WireAnswer
}

export function wireOperation<Input, Output>(
  operation: Operation<Input, Output>,
  { method, path, parse, render }: Wording<Input, Output>,
): WireOperation {
  return {
    method,
    path,
    async check(ctx, tx, caller, call): Promise<Checked> {
      return await operation.check(ctx, tx, caller, parse(call))
    },
    async run(ctx, tx, caller, call) {
      return render(await operation.run(ctx, tx, caller, parse(call)))
    },
  }
}

export const answer = (body: unknown): WireAnswer => ({ status: 200, body })
export const answerNothing = (): WireAnswer => ({ status: 204, body: null })
