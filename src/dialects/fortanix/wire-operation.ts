import type { Checked, Operation } from '../../custody/perform.ts'
import type { Answer } from '../../custody/requests/deferred.ts'

/** A call of something that a policy may protect, as it arrives here or is kept until it is approved. */
export interface WireCall {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** Undefined for none. */
  readonly body: unknown
}

/** What a policy may protect, as this wire names it. Direct calls and those that wait for approval go through the same one. */
export interface WireOperation extends Operation<WireCall, Answer> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root, with `:name` for a parameter. */
  readonly path: string
}

/** Where, how it is read, and how what came of it is shown. */
export interface Wording<Input, Output> {
  readonly method: WireOperation['method']
  readonly path: string
  readonly parse: (call: WireCall) => Input
  readonly render: (output: Output, call: WireCall) => Answer
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
      return render(await operation.run(ctx, tx, caller, parse(call)), call)
    },
  }
}

export const answer = (body: unknown): Answer => ({ status: 200, body })
export const answerMade = (body: unknown): Answer => ({ status: 201, body })
export const answerNothing = (): Answer => ({ status: 204, body: null })
