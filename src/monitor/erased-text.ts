/** Stands for a text that a leaf tells of and that was erased lawfully since. */
export class ErasedText {
  /** The id whose texts were erased. */
  readonly #subject: string

  constructor(subject: string) {
    this.#subject = subject
  }

  /** Whether a column holds what erasing leaves there: nothing, or the fixed text, with an id where it must be unique. */
  isLeftIn(found: unknown, key: string): boolean {
    return found === null || found === erased || found === `${erased}:${this.#subject}` || found === `${erased}:${key}`
  }

  toJSON(): string {
    return erased
  }
}

const erased = 'erased'

/** A person's address, which one organization has erased and another has not: the row may hold either. */
export class PerhapsErased extends ErasedText {
  readonly #text: string

  constructor(subject: string, text: string) {
    super(subject)
    this.#text = text
  }

  override isLeftIn(found: unknown, key: string): boolean {
    return found === this.#text || super.isLeftIn(found, key)
  }
}
