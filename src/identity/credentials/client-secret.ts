import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 random bits in base64url. */
export function newClientSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** What a secret is compared by: against 256 random bits a hash that is made for passwords would add nothing. */
export function hashOfClientSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Takes the same time wherever the two differ. */
export function isSameSecret(sent: string, kept: string): boolean {
  const [one, other] = [sent, kept].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(one, other)
}
