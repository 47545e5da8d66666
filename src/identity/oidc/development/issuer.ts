/** The embedded provider lives under this path of our own listener. */
export const developmentPath = '/oidc'

/** The one client it knows, a public one: ourselves. */
export const developmentClientId = 'quorate'

export function developmentIssuer(publicUrl: string): string {
  return `${publicUrl}${developmentPath}`
}
