import { sessionSeconds, type AppKey, type BegunSession } from '../../../custody/sign-in.ts'
import { renderU2fRequest } from './factors.ts'
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

export function renderSession({ token, entityId, owed }: BegunSession): object {
  return {
    token_type: 'Bearer',
    expires_in: sessionSeconds,
    access_token: token,
    entity_id: entityId,
    ...(owed !== null && {
      // By this member older clients know that something is owed; no key is offered the form that is not taken here.
      challenge: renderU2fRequest({ challenge: owed.challenge, keyHandles: [] }),
      fido2_assertion_options: owed,
      allowed_mfa_methods: [{ Fido2: { challenge: owed, challenge_token: '', mfa_devices: [] } }],
    }),
  }
}

export function parseAccountId(body: unknown): string {
  return readBody(body, (members) => members.uuid('acct_id') ?? members.complain('acct_id', 'is needed') ?? '')
}

/** A body of one needed text. */
export function parseText(body: unknown, name: string): string {
  return readBody(body, (members) => members.neededText(name))
}
