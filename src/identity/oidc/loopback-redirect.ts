/**
 * Whether a command-line client may be sent back here: http or https on exactly `localhost` or `127.0.0.1`, any port and
 * path (contract §6.2, RFC 8252 section 7.3). The text itself is matched, not what a URL parser makes of it: parsers turn
 * `http:\\localhost`, `127.1`, `LOCALHOST` or a tab in the host into something harmless that other parsers read otherwise.
 */
export function isLoopbackRedirect(uri: string): boolean {
  return uri.length <= maxLength && loopback.test(uri) && URL.canParse(uri)
}

// It is kept until the sign-in is over, and anyone may start one.
const maxLength = 2048

// No user name, no fragment (RFC 6749 section 3.1.2), no blanks, control characters or backslashes.
const loopback = /^https?:\/\/(?:localhost|127\.0\.0\.1)(?::\d{1,5})?(?:[/?][^\s\p{Cc}\\#]*)?$/u
