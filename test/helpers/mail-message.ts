/** The header fields of a message as it arrived, unfolded and decoded, by their names in lower case. Each stands once. */
export function fieldsOf(raw: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of headOf(raw)
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')) {
    const [, name, value] = /^([!-9;-~]+): ?(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`no header field: ${line}`)
    if (fields.has(name.toLowerCase())) throw new Error(`stands twice: ${name}`)
    fields.set(name.toLowerCase(), decodeWords(value))
  }
  return fields
}

/** The parts of a multipart message, in order. */
export function textsOf(raw: string): { readonly type: string; readonly text: string }[] {
  const boundary = /boundary="([^"]+)"/.exec(fieldsOf(raw).get('content-type') ?? '')?.[1] ?? ''
  const parts = raw.slice(headOf(raw).length).split(`\r\n--${boundary}`).slice(1, -1)
  return parts.map((part) => {
    const fields = fieldsOf(part.slice(2))
    const body = part.slice(2).slice(headOf(part.slice(2)).length + 4)
    const type = (fields.get('content-type') ?? '').split(';')[0] ?? ''
    return { type, text: decodeBody(body, fields.get('content-transfer-encoding') ?? '7bit').replaceAll('\r\n', '\n') }
  })
}

function headOf(raw: string): string {
  return raw.slice(0, raw.indexOf('\r\n\r\n'))
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString()
  if (encoding === 'quoted-printable') return decodeQuoted(body.replaceAll('=\r\n', ''))
  return Buffer.from(body, 'latin1').toString()
}

/** RFC 2047: blanks between two encoded words are none. */
function decodeWords(value: string): string {
  return value
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(/(?:=\?utf-8\?[BQ]\?[^?]*\?=)+/gi, (words) =>
      Buffer.concat(
        [...words.matchAll(/=\?utf-8\?([BQ])\?([^?]*)\?=/gi)].map(([, kind, text = '']) => bytesOf(kind, text)),
      ).toString(),
    )
}

function bytesOf(kind: string | undefined, text: string): Buffer {
  if (kind?.toUpperCase() === 'B') return Buffer.from(text, 'base64')
  return Buffer.from(quotedBytes(text.replaceAll('_', ' ')), 'latin1')
}

function decodeQuoted(text: string): string {
  return Buffer.from(quotedBytes(text), 'latin1').toString()
}

function quotedBytes(text: string): string {
  return text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
