import { Type } from 'typebox'
import type { SignInProvider } from '../../../identity/oidc/sign-in-providers.ts'
import { noStore } from '../../shared/no-store.ts'
import type { Query } from './pages.ts'
import { refuse } from './read.ts'
import { answers, noBody } from './schemas.ts'
import { ProvidersSchema } from './sign-in.ts'

/** @throws AppError REQUEST_INVALID_PROVIDER when the query names one that is not ours */
export function parseProvider(query: unknown, providers: readonly SignInProvider[]): void {
  const { provider } = query as Query
  const isKnown = provider === undefined || providers.some(({ id }) => id === provider)
  if (!isKnown) refuse('REQUEST_INVALID_PROVIDER', 'provider')
}

const described = { tags: ['Authentication'], security: [] }
const text = Type.Optional(Type.String())

export const providersRoute = {
  config: { public: true },
  schema: {
    ...described,
    summary: 'Where people can sign in',
    response: answers({ 200: ProvidersSchema }),
  },
}

/** A sign-in is noted down although these two are GETs. */
const signingIn = { onSend: noStore, config: { public: true, lever: 'read_only_mode' } } as const

export const loginRoute = {
  ...signingIn,
  schema: {
    ...described,
    summary: 'Sign in with a browser: sends it to the identity provider',
    querystring: Type.Object({ provider: text }),
    response: answers({ 302: noBody }),
  },
}

export const callbackRoute = {
  ...signingIn,
  schema: {
    ...described,
    summary: 'Where the identity provider sends the browser back to',
    querystring: Type.Object({ code: text, state: text }),
    response: answers({ 302: noBody }),
  },
}

export const refreshRoute = {
  onSend: noStore,
  config: { public: true },
  schema: {
    ...described,
    summary: 'Exchange the refresh cookie for new cookies',
    response: answers({ 204: noBody }),
  },
}

export const logoutRoute = {
  onSend: noStore,
  config: { public: true },
  schema: { ...described, summary: 'Sign out and clear the cookies', response: answers({ 204: noBody }) },
}
