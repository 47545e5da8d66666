/** Basic ISO 8601 in UTC, whole seconds: `20170509T070912Z` (contract fortanix §1). */
export function renderTime(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
