import type { SignInConfig } from '../../config/config.ts'

export interface SignInProvider {
  readonly id: string
  readonly displayName: string
}

/** Where people can sign in: one provider, by configuration. */
export function signInProviders(signIn: SignInConfig): readonly SignInProvider[] {
  if (signIn.kind === 'development') return [{ id: 'development', displayName: 'Development sign-in' }]
  return [{ id: 'oidc', displayName: new URL(signIn.issuer).hostname }]
}
