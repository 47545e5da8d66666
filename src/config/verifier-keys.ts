import { ed25519Type, cosignatureType, NoteError, parseVerifierKey, type VerifierKey } from '../proof/note.ts'
import { invalid } from './checks.ts'

/** The verifier key that a variable names: a log's, or a witness's. @throws AppError CONFIGURATION_INVALID */
export function verifierKeyIn(variable: string, text: string, of: 'log' | 'witness'): VerifierKey {
  try {
    const key = parseVerifierKey(text)
    if (key.type === (of === 'log' ? ed25519Type : cosignatureType)) return key
  } catch (error) {
    if (!(error instanceof NoteError)) throw error
  }
  return invalid(variable, `must name each ${of} by its verifier key, name+hash+key, as the ${of} shows it`)
}
