import { refuseStars, restoreSecrets } from '../../../approvals/action-secrets.ts'
import type { Action, ActionTrigger, EmailAction, SlackAction, WebhookAction } from '../../../approvals/actions.ts'
import { asObject, refuse, requireModest, type JsonObject } from './read.ts'

const methods: readonly unknown[] = ['POST', 'PUT', 'GET']
const redactions: readonly unknown[] = ['HEADERS', 'URL', 'ALL']
const triggers: readonly unknown[] = ['APPROVED', 'REJECTED', 'EXPIRED', 'CANCELED']
const maxRecipients = 5

/** Reads WorkflowAction[]; anything but a list counts as none (contract §2.4). @throws AppError with the WORKFLOW_ACTION_* codes, MALFORMED_REQUEST for too many */
export function parseActions(value: unknown): readonly Action[] {
  if (!Array.isArray(value)) return []
  requireModest(value, 'MALFORMED_REQUEST', 'actions')
  return value.map((action: unknown, index) => parseAction(action, `actions[${index}]`))
}

/** The actions of something new: no secret is stored yet that stars could stand for. */
export function parseNewActions(value: unknown): readonly Action[] {
  return restoreSecrets(parseActions(value), [])
}

/** One action that is stored nowhere, so that stars can stand for no secret. @throws AppError as `parseActions` */
export function parseFreeAction(value: unknown, field: string): Action {
  const action = parseAction(value, field)
  requireModest(action, 'MALFORMED_REQUEST', field)
  refuseStars(action, field)
  return action
}

function parseAction(value: unknown, field: string): Action {
  const action = asObject(value, 'WORKFLOW_ACTION_TYPE_INVALID', field)
  switch (action['type']) {
    case 'EMAIL':
      return { ...parseEmail(action, field), ...parseTriggers(action, field) }
    case 'WEBHOOK':
      return { ...parseWebhook(action, field), ...parseTriggers(action, field) }
    case 'SLACK':
      return { ...parseSlack(action, field), ...parseTriggers(action, field) }
    default:
      return refuse('WORKFLOW_ACTION_TYPE_INVALID', `${field}.type`)
  }
}

function parseEmail({ recipients }: JsonObject, field: string): EmailAction {
  if (!Array.isArray(recipients) || recipients.length === 0) {
    return refuse('WORKFLOW_ACTION_RECIPIENTS_EMPTY', `${field}.recipients`)
  }
  if (recipients.length > maxRecipients) {
    return refuse('WORKFLOW_ACTION_RECIPIENTS_INVALID_EMAIL', `${field}.recipients`)
  }
  const malformed = recipients.findIndex((recipient) => !isEmail(recipient))
  if (malformed !== -1) return refuse('WORKFLOW_ACTION_RECIPIENTS_INVALID_EMAIL', `${field}.recipients[${malformed}]`)
  return { type: 'EMAIL', recipients: recipients as string[] }
}

function parseWebhook(action: JsonObject, field: string): WebhookAction {
  const { url, method = 'POST', headers, redact } = action
  if (!isHttpUrl(url)) return refuse('WORKFLOW_ACTION_URL_INVALID', `${field}.url`)
  if (!methods.includes(method)) return refuse('WORKFLOW_ACTION_METHOD_INVALID', `${field}.method`)
  if (headers !== undefined) refuseBadHeaders(headers, `${field}.headers`)
  if (redact !== undefined && !redactions.includes(redact)) {
    return refuse('WORKFLOW_ACTION_REDACT_INVALID', `${field}.redact`)
  }
  return {
    type: 'WEBHOOK',
    url,
    method: method as WebhookAction['method'],
    ...(headers !== undefined && { headers: headers as Record<string, string> }),
    ...(redact !== undefined && { redact: redact as NonNullable<WebhookAction['redact']> }),
  }
}

// RFC 9110 §5.1, §5.5: what a header may be at all. A line break in a value would start another header.
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

function refuseBadHeaders(headers: unknown, field: string): void {
  const entries = Object.entries(asObject(headers, 'WORKFLOW_ACTION_HEADERS_INVALID', field))
  const bad = entries.find(
    ([name, value]) => !headerName.test(name) || typeof value !== 'string' || !headerValue.test(value),
  )
  if (bad !== undefined) refuse('WORKFLOW_ACTION_HEADERS_INVALID', `${field}.${bad[0]}`)
}

function parseSlack({ webhookUrl }: JsonObject, field: string): SlackAction {
  if (typeof webhookUrl !== 'string' || !isSlackUrl(webhookUrl)) {
    return refuse('WORKFLOW_ACTION_WEBHOOK_URL_INVALID', `${field}.webhookUrl`)
  }
  return { type: 'SLACK', webhookUrl }
}

function parseTriggers({ on }: JsonObject, field: string): { on?: readonly ActionTrigger[] } {
  if (on === undefined) return {}
  const isSubset = Array.isArray(on) && on.length > 0 && on.every((each) => triggers.includes(each))
  if (!isSubset) return refuse('WORKFLOW_ACTION_ON_INVALID', `${field}.on`)
  return { on: [...new Set(on as ActionTrigger[])] }
}

function isHttpUrl(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const url = URL.parse(value)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
}

/** The whole host is compared: a prefix would let `hooks.slack.com.evil.example` through. */
function isSlackUrl(value: string): boolean {
  const url = URL.parse(value)
  return (
    url !== null &&
    url.protocol === 'https:' &&
    url.host === 'hooks.slack.com' &&
    url.username === '' &&
    url.password === ''
  )
}

function isEmail(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 320 && emailAddress.test(value)
}

// One @, no blanks, control characters or list punctuation, and a domain with a dot in it.
const emailAddress = /^[^\s\p{C}@<>,;:"()[\]\\]+@[^\s\p{C}@<>,;:"()[\]\\.]+(?:\.[^\s\p{C}@<>,;:"()[\]\\.]+)+$/u
