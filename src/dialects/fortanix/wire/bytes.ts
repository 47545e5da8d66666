const alphabet = /^([\w+/-]*)={0,2}$/

/** The bytes of a base64 text of either alphabet, padded or not (contract fortanix §1); null for any other text. */
export function parseBytes(text: string): Buffer | null {
  // In one pass: the text may be a megabyte of anything.
  const bare = alphabet.exec(text)?.[1]
  if (bare === undefined || bare.length % 4 === 1) return null
  if (text !== bare && text.length % 4 !== 0) return null
  return Buffer.from(bare, 'base64url')
}

/** Standard base64, padded. */
export function renderBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
