/**
 * What others wrote, as it may reach a terminal: no character of it moves the cursor, hides text or turns the line around
 * (control characters C0 and C1, those of bidirectional text, line separators, what has no width).
 */

const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** A text within quotation marks. */
export function quoted(text: string): string {
  return escaped(JSON.stringify(text))
}

/** An id: as it is where it can only be one, else within quotation marks. */
export function shownId(id: string): string {
  return /^[A-Za-z0-9][\w.:-]{0,99}$/.test(id) ? id : quoted(id)
}

/** The same without quotation marks: for a sentence that has them where it needs them. */
export function escaped(text: string): string {
  return text.replaceAll(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** JSON of the same value on one line, whose texts are escaped in JSON's own way. */
export function printableJson(json: string): string {
  return json.replaceAll(unprintable, (character) =>
    Array.from({ length: character.length }, (_, unit) => {
      return `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`
    }).join(''),
  )
}
