import type { SlackAction } from '../approvals/actions.ts'
import { callOut } from '../outgoing/call-out.ts'
import type { AttemptOutcome, Task } from './attempt.ts'
import { judge } from './http-outcome.ts'
import { slackBodyOf } from './messages.ts'
import type { Means } from './perform.ts'

/** Posts to a Slack incoming webhook (contract §3.7). */
export async function sendSlack(means: Means, task: Task, { webhookUrl }: SlackAction): Promise<AttemptOutcome> {
  const call = {
    url: webhookUrl,
    method: 'POST' as const,
    headers: { 'content-type': 'application/json', 'user-agent': 'Quorate' },
    body: slackBodyOf(task.occurrence),
    timeoutMilliseconds: means.config.slackTimeoutSeconds * 1000,
  }
  return judge(webhookUrl, await callOut(means.network, means.config.guard, call))
}
