/** What the browser says it had signed: members of any kind. Null for bytes that are no JSON object in UTF-8. */
export function readClientData(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

/** A page in a frame of another origin asked: whoever looked at the page did not see whom they answered. */
export function isFromForeignFrame({ crossOrigin, topOrigin }: Readonly<Record<string, unknown>>): boolean {
  return (crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined
}
