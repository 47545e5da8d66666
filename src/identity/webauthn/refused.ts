import { AppError } from '../../errors.ts'

/** An answer of a security key that fails a check. @param check what does not hold, as the rest of "The security key's …" */
export function wrong(check: string, cause?: unknown): AppError {
  return new AppError('FACTOR_WRONG', `The security key's ${check}.`, { cause })
}

/** The same of a registration. */
export function refused(check: string, cause?: unknown): AppError {
  return new AppError('SECURITY_KEY_REFUSED', `The security key's ${check}.`, { cause })
}
