import type { KeptResponse } from './attempt.ts'

/** Characters of an answer that are kept (contract §3.7). */
const keptCharacters = 10_000

// What text does not hold (WHATWG MIME Sniffing §3, binary data bytes), but compressed data soon does.
// oxlint-disable-next-line no-control-regex
const binary = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/

/**
 * What is kept of an answer; reading and cutting cannot fail, so nothing here is PROCESSING_FAILED. `isWhole` says that
 * the body was read to its end.
 */
export function keepResponse(status: number, body: Buffer, isWhole: boolean): KeptResponse {
  if (body.length === 0) return { status, body: null, bodyState: 'MISSING' }
  const text = textOf(body, isWhole)
  if (text === null || binary.test(text)) return { status, body: null, bodyState: 'BINARY_DATA' }
  const kept = cut(text, keptCharacters)
  return { status, body: kept, bodyState: isWhole && kept.length === text.length ? 'OK' : 'TRUNCATED' }
}

/** The first characters of a text; what stands for one character in two halves is not parted. */
export function cut(text: string, characters: number): string {
  const isHalf = (text.codePointAt(characters - 1) ?? 0) > 0xffff
  return text.slice(0, isHalf ? characters - 1 : characters)
}

/** Null for what is no UTF-8. The last character of a body that was cut may be a part of one. */
function textOf(body: Buffer, isWhole: boolean): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body, { stream: !isWhole })
  } catch {
    return null
  }
}
