import type { Action } from '../approvals/actions.ts'
import type { Status } from '../kernel/request.ts'

/** Something that happened to a request, as the world is told of it. */
export interface Occurrence {
  readonly orgId: string
  readonly requestId: string
  readonly requestName: string
  readonly from: Status
  readonly to: Status
  readonly occurredAt: Date
  /** A sample that somebody asked for, marked as such. */
  readonly isTest: boolean
}

/** One thing to send: what happened, and one action of the list as it stood when it happened. */
export interface Task {
  /** UUIDv5 of the event and the action's place; the same however often it is sent. */
  readonly id: string
  readonly action: Action
  readonly occurrence: Occurrence
}

/** What a receiver answered, as far as it is kept. */
export interface KeptResponse {
  readonly status: number
  readonly body: string | null
  readonly bodyState: 'OK' | 'TRUNCATED' | 'MISSING' | 'BINARY_DATA' | 'PROCESSING_FAILED'
}

/** What came of one attempt. */
export type AttemptOutcome =
  | { readonly kind: 'sent'; readonly response: KeptResponse | null }
  | {
      readonly kind: 'failed'
      /** One sentence without secrets, for whoever looks at the delivery. */
      readonly reason: string
      /** Whether the same attempt may succeed later. */
      readonly isTransient: boolean
      readonly response: KeptResponse | null
    }
