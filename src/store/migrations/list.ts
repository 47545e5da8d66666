import * as engine from './0001-engine.ts'

/** Applied in the order of their names, each once. Append only; widen before you narrow. */
export const migrations = {
  '0001-engine': engine,
}
