import { createHmac } from 'node:crypto'

/** The symmetric signature of Standard Webhooks: HMAC-SHA256 over id, Unix seconds and body. */
export function signWebhook(key: Buffer, id: string, timestamp: number, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}
