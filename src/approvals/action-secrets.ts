import { isDeepStrictEqual } from 'node:util'
import { AppError, type ErrorCode } from '../errors.ts'
import type { Action, WebhookAction } from './actions.ts'

export const stars = '***'
const sensitive = /auth|token|secret|key|password|credential/i

/** An action as anyone may see it (contract §2.4, redaction). */
export function redactAction(action: Action): Action {
  switch (action.type) {
    case 'EMAIL':
      return action
    case 'SLACK':
      return { ...action, webhookUrl: redactSlackUrl(action.webhookUrl) }
    case 'WEBHOOK':
      return redactWebhook(action)
  }
}

/**
 * The sent actions with the secrets that were sent back as stars filled in again: an action that equals the redacted form
 * of the stored one at its place is that stored one (ruling §10.9).
 * @throws AppError when stars stand where nothing stored explains them
 */
export function restoreSecrets(sent: readonly Action[], stored: readonly Action[]): readonly Action[] {
  return sent.map((action, index) => {
    const before = stored[index]
    if (before !== undefined && isDeepStrictEqual(action, redactAction(before))) return before
    refuseStars(action, `actions[${index}]`)
    return action
  })
}

function redactWebhook(action: WebhookAction): WebhookAction {
  const url = redactUrl(action)
  if (action.headers === undefined) return { ...action, url }
  const headers = Object.entries(action.headers).map(([name, value]) => [
    name,
    isSecretHeader(action, name) ? stars : value,
  ])
  return { ...action, url, headers: Object.fromEntries(headers) as Record<string, string> }
}

export function isSecretHeader({ redact }: WebhookAction, name: string): boolean {
  return redact === 'HEADERS' || redact === 'ALL' || sensitive.test(name)
}

/** @param parameter `{name}={value}` as it stands in the query */
export function isSecretParameter({ redact }: WebhookAction, parameter: string): boolean {
  return redact === 'URL' || redact === 'ALL' || sensitive.test(nameOf(parameter))
}

/** Only what is secret is rewritten; a URL that holds nothing secret comes back byte for byte. */
function redactUrl(action: WebhookAction): string {
  const url = new URL(action.url)
  const parameters = url.search.slice(1).split('&')
  const hidden = parameters.map((parameter) =>
    isSecretParameter(action, parameter) ? hideValue(parameter) : parameter,
  )
  const isTouched = hidden.some((parameter, index) => parameter !== parameters[index])
  if (!isTouched && url.username === '' && url.password === '') return action.url
  if (url.username !== '') url.username = stars
  if (url.password !== '') url.password = stars
  if (isTouched) url.search = hidden.join('&')
  return url.href
}

/** A parameter without a value is a name, which may still be the secret itself when every parameter is to be hidden. */
function hideValue(parameter: string): string {
  if (parameter === '') return parameter
  const equals = parameter.indexOf('=')
  return equals === -1 ? stars : `${parameter.slice(0, equals)}=${stars}`
}

function nameOf(parameter: string): string {
  return new URLSearchParams(parameter).keys().next().value ?? ''
}

function redactSlackUrl(text: string): string {
  const { origin, pathname } = new URL(text)
  return pathname.startsWith('/services') ? `${origin}/services/${stars}` : `${origin}/${stars}`
}

/** @throws AppError when stars stand where a secret should */
export function refuseStars(action: Action, field: string): void {
  switch (action.type) {
    case 'EMAIL':
      return
    case 'SLACK':
      if (new URL(action.webhookUrl).pathname.endsWith(`/${stars}`)) {
        refuse('WORKFLOW_ACTION_WEBHOOK_URL_INVALID', `${field}.webhookUrl`)
      }
      return
    case 'WEBHOOK': {
      if (urlHoldsStars(action.url)) refuse('WORKFLOW_ACTION_URL_INVALID', `${field}.url`)
      const header = Object.entries(action.headers ?? {}).find(([, value]) => value === stars)
      if (header !== undefined) refuse('WORKFLOW_ACTION_HEADERS_INVALID', `${field}.headers.${header[0]}`)
    }
  }
}

function urlHoldsStars(text: string): boolean {
  const url = new URL(text)
  if (url.username === stars || url.password === stars) return true
  return [...url.searchParams].some(([name, value]) => value === stars || name === stars)
}

function refuse(code: ErrorCode, field: string): never {
  throw new AppError(code, 'The stars stand for a secret that is not stored here; send the secret itself.', { field })
}
