import type { DeliveryConfig } from '../config/delivery.ts'
import type { Network } from '../outgoing/network.ts'
import type { AttemptOutcome, Task } from './attempt.ts'
import { sendEmail } from './send-email.ts'
import { sendSlack } from './send-slack.ts'
import { sendWebhook } from './send-webhook.ts'

/** What an attempt is made with. */
export interface Means {
  readonly network: Network
  readonly config: DeliveryConfig
  /** The keys of the organization whose signatures are valid now, newest first. */
  readonly signingKeys: readonly Buffer[]
  readonly now: () => Date
}

/**
 * Makes one attempt at a task, bounded by the time limit of its kind. It never throws: what nobody foresaw is a failed
 * attempt like others, and may be tried again.
 */
export async function performAttempt(means: Means, task: Task): Promise<AttemptOutcome> {
  try {
    return await send(means, task)
  } catch (error) {
    // Neither message nor stack: they may hold what was being sent.
    const kind = error instanceof Error ? error.name : typeof error
    return { kind: 'failed', reason: `The attempt broke off (${kind}).`, isTransient: true, response: null }
  }
}

async function send(means: Means, task: Task): Promise<AttemptOutcome> {
  const { action } = task
  switch (action.type) {
    case 'EMAIL':
      return await sendEmail(means, task, action)
    case 'WEBHOOK':
      return await sendWebhook(means, task, action)
    case 'SLACK':
      return await sendSlack(means, task, action)
  }
}
