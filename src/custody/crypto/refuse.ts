import { AppError } from '../../errors.ts'

/** What a caller gave does not fit the key or the algorithm. @throws AppError CRYPTO_INPUT_INVALID */
export function refuse(message: string): never {
  throw new AppError('CRYPTO_INPUT_INVALID', message)
}
