import type { WebhookAction } from '../approvals/actions.ts'
import { callOut } from '../outgoing/call-out.ts'
import type { AttemptOutcome, Task } from './attempt.ts'
import { judge } from './http-outcome.ts'
import { webhookBodyOf } from './messages.ts'
import type { Means } from './perform.ts'
import { signWebhook } from './sign-webhook.ts'

/** Sends a webhook (contract §3.7), signed as Standard Webhooks says: docs/webhooks.md. */
export async function sendWebhook(means: Means, task: Task, action: WebhookAction): Promise<AttemptOutcome> {
  const { url, method } = action
  const body = method === 'GET' ? null : webhookBodyOf(task.occurrence)
  const call = {
    url,
    method,
    headers: { ...freeHeaders(action), ...ownHeaders(means, task.id, body) },
    body,
    timeoutMilliseconds: means.config.webhookTimeoutSeconds * 1000,
  }
  return judge(url, await callOut(means.network, means.config.guard, call))
}

function ownHeaders({ signingKeys, now }: Means, taskId: string, body: string | null): Record<string, string> {
  const timestamp = Math.floor(now().getTime() / 1000)
  const signatures = signingKeys.map((key) => signWebhook(key, taskId, timestamp, body ?? ''))
  return {
    'idempotency-key': taskId,
    'user-agent': 'Quorate',
    'webhook-id': taskId,
    'webhook-timestamp': String(timestamp),
    ...(body !== null && { 'content-type': 'application/json' }),
    ...(signatures.length > 0 && { 'webhook-signature': signatures.join(' ') }),
  }
}

const ownNames: ReadonlySet<string> = new Set([
  'idempotency-key',
  'user-agent',
  'content-type',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
])

/** The action's own headers, less those that a receiver trusts to be ours. */
function freeHeaders({ headers = {} }: WebhookAction): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ownNames.has(name.toLowerCase())))
}
