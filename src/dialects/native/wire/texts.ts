import { AppError, type ErrorCode } from '../../../errors.ts'
import type { JsonObject } from './read.ts'

export interface TextCodes {
  readonly empty: ErrorCode
  readonly tooLong: ErrorCode
  readonly invalid?: ErrorCode
}

/**
 * A required text: not blank, not too long, of the right form, told in this order (contract §2.1).
 * @throws AppError the code that says what is wrong; MALFORMED_REQUEST for what is no text
 */
export function requiredText(
  body: JsonObject,
  field: string,
  codes: TextCodes,
  maxLength: number,
  isValid: (text: string) => boolean = () => true,
): string {
  const value = body[field] ?? ''
  if (typeof value !== 'string') throw new AppError('MALFORMED_REQUEST', `${field} must be a text.`, { field })
  if (value.trim() === '') throw new AppError(codes.empty, undefined, { field })
  if (value.length > maxLength) throw new AppError(codes.tooLong, undefined, { field })
  if (!isValid(value)) throw new AppError(codes.invalid ?? 'MALFORMED_REQUEST', undefined, { field })
  return value
}

// One or more labels on each side of the @, with none of the characters that separate or quote addresses.
const label = String.raw`[^\s\p{C}@.,;:<>()[\]\\"]+`
const email = new RegExp(String.raw`^${label}(?:\.${label})*@${label}(?:\.${label})+$`, 'u')

/** Whether a text is an e-mail address, as far as one can tell without writing to it. */
export function isEmail(text: string): boolean {
  return text.length <= 512 && email.test(text)
}
