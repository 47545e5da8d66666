import { AppError } from '../../errors.ts'

/**
 * Whether `htu` names the address of this call: scheme, host and path, after the normalization of RFC 3986 section 6.2.2
 * (RFC 9449 section 4.3 check 9). Query and fragment do not count.
 * @throws AppError DPOP_HTU_URL_PARSING_FAILED
 */
export function isSameAddress(htu: string, url: string): boolean {
  const claimed = URL.parse(htu)
  if (claimed === null) throw new AppError('DPOP_HTU_URL_PARSING_FAILED')
  const called = new URL(url)
  return (
    claimed.protocol === called.protocol &&
    claimed.host === called.host &&
    normalized(claimed.pathname) === normalized(called.pathname)
  )
}

/** `%7e` and `~` are one character, `%2f` and `%2F` are one, `%2F` and `/` are two. */
function normalized(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase()
  })
}
