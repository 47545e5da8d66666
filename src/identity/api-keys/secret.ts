import { createHash, randomBytes } from 'node:crypto'

/** The secret of an API key: `text` is shown once, `hash` and `hint` are what is kept. */
export interface ApiKeySecret {
  readonly text: string
  readonly hash: string
  /** The last four characters, for people to tell keys apart. */
  readonly hint: string
}

/** How every key begins, so that scanners know one in a repository or a log. */
export const apiKeyPrefix = 'qk_'

const form = /^qk_[0-9a-f]{32}_[\w-]{43}$/

/** `qk_`, the key's id without hyphens, and 256 random bits in base64url. */
export function newSecret(id: string): ApiKeySecret {
  const text = `${apiKeyPrefix}${id.replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`
  return { text, hash: hashOfSecret(text), hint: text.slice(-4) }
}

/** Whether a text could be a key at all: what could not is refused without asking the store. */
export function hasKeyForm(text: string): boolean {
  return form.test(text)
}

/**
 * SHA-256 over the whole text. A hash made for passwords would add nothing against 256 random bits; and since nobody can
 * choose a text by its hash, looking one up in an index tells nothing by the time it takes.
 */
export function hashOfSecret(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
