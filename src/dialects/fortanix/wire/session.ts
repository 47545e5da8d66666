import { sessionSeconds, type AppKey, type BegunSession } from '../../../custody/sign-in.ts'
import { readBody } from '../../shared/members.ts'

/** Who signs in with a body (contract fortanix §2.1). */
export type SignInBody =
  | { readonly kind: 'person'; readonly email: string; readonly password: string }
  | { readonly kind: 'app'; readonly key: AppKey; readonly secret: string }

const methods = ['password', 'auth-by-app-name'] as const

/** @throws AppError INVALID_MEMBER, also for a method that is none of ours */
export function parseSignIn(body: unknown): SignInBody {
  return readBody(body, (members) => {
    members.choice('token_type', ['Bearer'])
    members.neededText('method')
    const method = members.choice('method', methods)
    const password = members.neededText('password')
    if (method !== 'auth-by-app-name')
      return { kind: 'person', email: method === null ? '' : members.neededText('email'), password }
    const orgId = members.uuid('acct_id') ?? members.complain('acct_id', 'is needed') ?? ''
    return { kind: 'app', key: { orgId, name: members.neededText('name') }, secret: password }
  })
}

export function renderSession({ token, entityId }: BegunSession): object {
  return { token_type: 'Bearer', expires_in: sessionSeconds, access_token: token, entity_id: entityId }
}

export function parseAccountId(body: unknown): string {
  return readBody(body, (members) => members.uuid('acct_id') ?? members.complain('acct_id', 'is needed') ?? '')
}

/** A body of one needed text. */
export function parseText(body: unknown, name: string): string {
  return readBody(body, (members) => members.neededText(name))
}
