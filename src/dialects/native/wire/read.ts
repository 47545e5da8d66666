import { AppError, type ErrorCode } from '../../../errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws AppError `code` unless `value` is a JSON object */
export function asObject(value: unknown, code: ErrorCode = 'MALFORMED_REQUEST', field?: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError(code, undefined, field === undefined ? {} : { field })
  }
  return value as JsonObject
}

/** An optional text of at most `maxLength` characters; null counts as absent. */
export function optionalText(
  body: JsonObject,
  field: string,
  codes: { type: ErrorCode; tooLong: ErrorCode },
  maxLength: number,
): string | null {
  const value = body[field]
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw new AppError(codes.type, undefined, { field })
  if (value.length > maxLength) throw new AppError(codes.tooLong, undefined, { field })
  return value
}

/** @throws AppError `code`, naming the field */
export function refuse(code: ErrorCode, field: string): never {
  throw new AppError(code, undefined, { field })
}

const maxJsonBytes = 64 * 1024

/**
 * A value that is kept as it was sent, within bounds: a list may have to show a thousand of them.
 * @throws AppError `code`
 */
export function requireModest(value: object, code: ErrorCode, field: string): void {
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > maxJsonBytes) {
    throw new AppError(code, `${field} is ${bytes} bytes of JSON; ${maxJsonBytes} are allowed.`, { field })
  }
}
