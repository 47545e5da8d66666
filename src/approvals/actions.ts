import { seal, unseal } from '../config/secrets.ts'
import type { Ctx } from '../context.ts'

/** What happens after a decision (contract §2.4, §3.7), as validated and stored. */
export type Action = EmailAction | WebhookAction | SlackAction

export type ActionTrigger = 'APPROVED' | 'REJECTED' | 'EXPIRED' | 'CANCELED'

interface Triggered {
  /** The decisions it runs after; absent means approval alone. */
  readonly on?: readonly ActionTrigger[]
}

export interface EmailAction extends Triggered {
  readonly type: 'EMAIL'
  readonly recipients: readonly string[]
}

export interface WebhookAction extends Triggered {
  readonly type: 'WEBHOOK'
  readonly url: string
  readonly method: 'POST' | 'PUT' | 'GET'
  readonly headers?: Readonly<Record<string, string>>
  readonly redact?: 'HEADERS' | 'URL' | 'ALL'
}

export interface SlackAction extends Triggered {
  readonly type: 'SLACK'
  readonly webhookUrl: string
}

/** Actions carry addresses and secrets, so the whole list is one sealed value at rest. */
export function sealActions(ctx: Sealing, actions: readonly Action[]): Buffer {
  return sealed(ctx, actions)
}

export function openActions(ctx: Sealing, bytes: Uint8Array): readonly Action[] {
  return opened(ctx, bytes) as Action[]
}

/** One action as it stood when something happened. */
export function sealAction(ctx: Sealing, action: Action): Buffer {
  return sealed(ctx, action)
}

export function openAction(ctx: Sealing, bytes: Uint8Array): Action {
  return opened(ctx, bytes) as Action
}

interface Sealing {
  readonly keys: Pick<Ctx['keys'], 'atRest'>
}

function sealed({ keys }: Sealing, value: unknown): Buffer {
  return seal(keys.atRest, Buffer.from(JSON.stringify(value)))
}

function opened({ keys }: Sealing, bytes: Uint8Array): unknown {
  return JSON.parse(unseal(keys.atRest, bytes).toString())
}
