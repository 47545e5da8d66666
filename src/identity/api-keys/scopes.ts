/** What a key may be used for: an API, and for the native one whether to change things. A closed list; none implies another. */
export const apiKeyScopes = ['native:read', 'native:write', 'privx', 'fortanix', 'govern'] as const

export type ApiKeyScope = (typeof apiKeyScopes)[number]

export function isApiKeyScope(value: unknown): value is ApiKeyScope {
  return apiKeyScopes.some((scope) => scope === value)
}
