/**
 * The bytes of a standard base64 text (RFC 4648 §4), null unless it is the one text that these bytes have: padded, no line
 * breaks, no other alphabet, unused bits zero. So nothing can be changed in an encoded value without changing the value.
 */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}
