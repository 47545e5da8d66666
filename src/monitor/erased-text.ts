/** Stands for a text that a leaf tells of and that was erased lawfully since. */
export class ErasedText {
  /** The ids whose texts were erased: of a person in several organizations there may be several. */
  readonly #subjects: readonly string[]
  /** What stands there where not all of them have erased it. */
  readonly #texts: readonly string[]

  constructor(subjects: readonly string[], texts: readonly string[] = []) {
    this.#subjects = subjects
    this.#texts = texts
  }

  /** The one or the other: what one organization has erased may stand in another. */
  or(other: ErasedText | string): ErasedText {
    return other instanceof ErasedText
      ? new ErasedText([...this.#subjects, ...other.#subjects], [...this.#texts, ...other.#texts])
      : new ErasedText(this.#subjects, [...this.#texts, other])
  }

  /** Whether a column holds what erasing leaves there: nothing, or the fixed text, with an id where it must be unique. */
  isLeftIn(found: unknown, key: string): boolean {
    if (found === null || found === '' || found === erased) return true
    return (
      [...this.#subjects, key].some((id) => found === `${erased}:${id}`) || this.#texts.some((text) => found === text)
    )
  }

  toJSON(): string {
    return erased
  }
}

const erased = 'erased'
