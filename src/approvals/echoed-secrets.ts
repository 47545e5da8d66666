import { isSecretHeader, isSecretParameter, stars } from './action-secrets.ts'
import type { Action, WebhookAction } from './actions.ts'

/** Anything shorter would be found in words that have nothing to do with it. */
const shortestSecret = 4

/** What a receiver answered, without the secrets of the action that it may have repeated. */
export function hideEchoes(text: string, action: Action): string {
  return secretsOf(action)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    .filter((secret) => secret.length >= shortestSecret)
    .toSorted((one, other) => other.length - one.length)
    .reduce((hidden, secret) => hidden.replaceAll(secret, stars), text)
}

function secretsOf(action: Action): string[] {
  switch (action.type) {
    case 'EMAIL':
      return []
    case 'SLACK':
      return [new URL(action.webhookUrl).pathname.replace(/^\/(?:services\/)?/, '')]
    case 'WEBHOOK':
      return [...secretsOfHeaders(action), ...secretsOfUrl(action)]
  }
}

/** `Bearer {token}` is a secret, and so is the token. */
function secretsOfHeaders(action: WebhookAction): string[] {
  return Object.entries(action.headers ?? {})
    .filter(([name]) => isSecretHeader(action, name))
    .flatMap(([, value]) => [value, value.slice(value.indexOf(' ') + 1)])
}

/** Parameters as they are written and as they are meant; user and password also as they are sent. */
function secretsOfUrl(action: WebhookAction): string[] {
  const { search, username, password } = new URL(action.url)
  const parameters = search.slice(1).split('&')
  const values = parameters
    .filter((parameter) => isSecretParameter(action, parameter))
    .flatMap((parameter) => [parameter.slice(parameter.indexOf('=') + 1), ...new URLSearchParams(parameter).values()])
  if (username === '' && password === '') return values
  const [user, word] = [decoded(username), decoded(password)]
  return [...values, username, password, user, word, Buffer.from(`${user}:${word}`).toString('base64')]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
