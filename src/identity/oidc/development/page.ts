import { createHash } from 'node:crypto'

export interface DemoPerson {
  readonly name: string
  readonly email: string
}

const style = `
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
button, input { font: inherit; padding: .6rem .8rem; border: 1px solid #767676; border-radius: .4rem; box-sizing: border-box; width: 100% }
button { margin: .3rem 0; text-align: left; background: #f2f4f8; color: inherit; cursor: pointer }
button small { color: #4a4a4a }
button:focus-visible, input:focus-visible { outline: 3px solid #1f5fbf; outline-offset: 2px }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #161616 }
  button, input { background: #2a2a2a; color: inherit }
  button small { color: #bbb }
}`

/**
 * For the pages of the embedded provider: no script, our one style, and forms that may lead back to a client on loopback
 * (browsers apply form-action to the redirects after it too).
 */
export function contentSecurityPolicy(publicUrl: string): string {
  const clients = ['http://localhost:*', 'http://127.0.0.1:*', 'https://localhost:*', 'https://127.0.0.1:*']
  const styleHash = createHash('sha256').update(style).digest('base64')
  return [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    `form-action 'self' ${new URL(publicUrl).origin} ${clients.join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}

/** One button per person; each repeats the authorization request with that person as its login_hint. */
export function signInPage(action: string, request: URLSearchParams, people: readonly DemoPerson[]): string {
  const hidden = [...request]
    .filter(([name]) => name !== 'login_hint')
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
    .join('')
  const buttons = people.map(
    ({ name, email }) =>
      `<button name="login_hint" value="${escape(email)}">${escape(name)} <small>${escape(email)}</small></button>`,
  )
  return page(
    'Sign in to Quorate',
    `<p>Development sign-in: choose who you are. No password is asked.</p>
<form action="${escape(action)}">${hidden}
${buttons.join('\n')}
</form>
<form action="${escape(action)}">${hidden}
<p><label for="other">Someone else, by e-mail address</label>
<input id="other" type="email" name="login_hint" required autocomplete="email"></p>
<button>Sign in</button>
</form>`,
  )
}

export function errorPage(error: string, description: string): string {
  return page('This sign-in cannot go on', `<p>${escape(description)}</p><p><code>${escape(error)}</code></p>`)
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
