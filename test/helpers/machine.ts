import { expect } from 'vitest'
import type { Answer, Client, World } from './world.ts'

export const apiKeys = '/v1/api-keys'

/** Calls with this bearer, whatever it is. */
export function bearing({ anyone }: World, token: string): Omit<Client, 'id'> {
  const call =
    (method: 'get' | 'post' | 'put' | 'patch' | 'delete') =>
    async (url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
      await anyone[method](url, body, { authorization: `Bearer ${token}`, ...headers })
  return {
    get: call('get'),
    post: call('post'),
    put: call('put'),
    patch: call('patch'),
    delete: call('delete'),
    token,
  }
}

/** A key made over the API, with its secret in `key`. */
export async function madeKey(by: Pick<Client, 'post'>, members: object = {}): Promise<{ id: string; key: string }> {
  const { status, body } = await by.post(apiKeys, { name: 'CI', scopes: ['native:read', 'native:write'], ...members })
  expect([status, body.code]).toEqual([201, undefined])
  return body
}

export const said = ({ status, body }: Answer): unknown[] => [status, body?.code]
